"""The pairs of a folder, as SNOW and datasets like it are laid out.

Known layouts, at any depth below the chosen folder: ``Image/seed0000.png`` with
``Mask/seed0000.mat``; ``SNOW_Image/`` with ``mask_0_5000/mat/`` (whose ``json/`` and ``overlay/``
hold no masks, though overlays may carry the images' names); ``images/000000.png`` with
``masks/000000.png``, in numbered folders or not; an image and its .mat or .geojson side by side;
tiles that QuPath exported with their ``-labelled`` ones. docs/your_files.md lists the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import (
    images_named_in,
    is_annotation_file,
    why_foreign_file,
)
from napari_snow_unet.data.names.file_names import is_junk, natural_key, tile_name
from napari_snow_unet.data.names.folder_names import any_role, is_ignored_folder
from napari_snow_unet.data.pairs import messages
from napari_snow_unet.data.pairs.entries import Access
from napari_snow_unet.data.pairs.pairing import Listed, Paired, pair_up
from napari_snow_unet.data.pairs.partner import folders_opposite, is_mask_path, partner_of
from napari_snow_unet.data.pairs.unread_files import nothing_to_use
from napari_snow_unet.data.pixels.images import is_picture

__all__ = [
    "Pairs",
    "find_pairs",
    "is_mask_path",
    "masks_among",
    "natural_key",
    "partner_of",
    "require_pairs",
    "tile_name",
]


@dataclass(frozen=True)
class Pairs:
    """The images and masks of a folder, in natural order; `masks[i]` belongs to `images[i]`."""

    images: list[Path]
    masks: list[Path]  # one that is a folder holds a file for each nucleus
    orphans: list[Path]  # images without a mask and masks without an image
    names: list[str] = field(default_factory=list)  # of the tiles; unique
    # train, val, test or '', as the folders of the images say
    subsets: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # why each of the orphans is one
    # which layout was recognised, and what was chosen where there was a choice
    notes: list[str] = field(default_factory=list)
    # can be neither image nor mask; relative to the folder
    unread: list[str] = field(default_factory=list)


def find_pairs(folder: str | os.PathLike[str]) -> Pairs:
    """Find all images of a folder and the mask of each, by name.

    Parameters
    ----------
    folder : path-like
        A folder in one of the layouts above; its image folder or its mask folder alone suffices.
        Hidden files and anything else than images and masks are ignored.

    Returns
    -------
    Pairs
        What belongs together, and what was left alone.

    Raises
    ------
    InputError
        If `folder` is not a readable folder.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow links)
    if not folder.is_dir():
        raise InputError(messages.NO_FOLDER, path=folder)
    paired = _match([folder], folder)
    role = any_role(folder.name)
    if paired.pairs or role is None or not (beside := folders_opposite(folder, role)):
        return _pairs(paired, folder)
    paired = _match([folder, *beside], folder)
    inside = [(path, why) for path, why in paired.left if path.is_relative_to(folder)]
    return _pairs(Paired(paired.pairs, inside, paired.notes, paired.unread), folder)


def require_pairs(folder: str | os.PathLike[str]) -> Pairs:
    """Find the pairs of a folder, and refuse one without any, listing its files."""
    pairs = find_pairs(folder)
    if pairs.images:
        return pairs
    left = zip((_label(path, Path(folder)) for path in pairs.orphans), pairs.reasons, strict=True)
    raise nothing_to_use(messages.NO_PAIR, files_in(folder), "pairs", folder, left)


def masks_among(files: Sequence[Path]) -> set[Path]:
    """Return the files of one folder that are masks of others, as ``a_mask.png`` of ``a.png``."""
    paired = pair_up([(path, "", ()) for path in files if not is_junk(path.name)], _access(Path()))
    return {pair.mask for pair in paired.pairs}


def files_in(folder: str | os.PathLike[str]) -> list[str]:
    """List all files below a folder but hidden ones, relative to it, with forward slashes."""
    root = Path(os.path.abspath(folder))  # noqa: PTH100
    files = []
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inner = Path(place).relative_to(root)
        files += [(inner / name).as_posix() for name in names]
    return files


def _match(roots: Iterable[Path], folder: Path) -> Paired[Path]:
    """Match all images and masks below some folders."""
    return pair_up([listed for root in roots for listed in _files(root)], _access(folder))


def _access(folder: Path) -> Access[Path]:
    return Access(
        label=lambda path: _label(path, folder),
        together=lambda paths: paths[0].parent,
        is_picture=is_picture,
        holds_outlines=is_annotation_file,
        names_in=images_named_in,
        why_foreign=why_foreign_file,
    )


def _pairs(paired: Paired[Path], folder: Path) -> Pairs:
    return Pairs(
        [pair.image for pair in paired.pairs],
        [pair.mask for pair in paired.pairs],
        [path for path, _ in paired.left],
        paired.names,
        [pair.subset for pair in paired.pairs],
        [reason for _, reason in paired.left],
        paired.notes,
        [_label(path, folder) for path in paired.unread],
    )


def _label(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _files(root: Path) -> Iterator[Listed[Path]]:
    """Go through all files below `root` but hidden ones and those of folders such as overlays."""
    seen = set()
    for place, folders, names in os.walk(root, followlinks=True):
        try:
            status = os.stat(place)  # noqa: PTH116
        except OSError:  # gone meanwhile
            continue
        if (status.st_dev, status.st_ino) in seen:  # a link back to a folder above
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not is_ignored_folder(name, folders))
        here = Path(place)
        inner = here.relative_to(root).parts
        yield from ((here / name, str(root), inner) for name in sorted(names) if not is_junk(name))
