"""How SNOW and datasets like it are laid out: which image belongs to which mask.

Known layouts, at any depth below the chosen folder: ``Image/seed0000.png`` with
``Mask/seed0000.mat``; ``SNOW_Image/`` with ``mask_0_5000/mat/`` (whose ``json/`` and ``overlay/``
hold no masks, though overlays may carry the images' names); ``images/000000.png`` with
``masks/000000.png``, in numbered folders or not; an image and its .mat or .geojson side by side;
tiles that QuPath exported with their ``-labelled`` ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.data.annotation_files import images_named_in, may_hold_labels
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.naming import (
    GEOJSON_SUFFIXES,
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    LABELLED,
    OUTLINE_SUFFIXES,
    Key,
    folder_role,
    is_ignored_folder,
    is_mask_name,
    is_mask_path,
    kind_and_key,
    natural_key,
    tile_name,
)
from napari_snow_unet.data.pairing import pair_up

__all__ = ["Pairs", "find_pairs", "is_mask_path", "natural_key", "partner_of", "tile_name"]

#: Endings of a mask that lies beside its image instead of in a folder of its own.
_BESIDE = (".mat", *OUTLINE_SUFFIXES, f"{LABELLED}.tif", f"{LABELLED}.png")


@dataclass(frozen=True)
class Pairs:
    """The images and masks of a folder.

    Attributes
    ----------
    images, masks : list of pathlib.Path
        Of equal length; ``masks[i]`` belongs to ``images[i]``. In natural order of the names.
    orphans : list of pathlib.Path
        Images without a mask and masks without an image, in natural order.
    """

    images: list[Path]
    masks: list[Path]
    orphans: list[Path]


def find_pairs(folder: str | os.PathLike[str]) -> Pairs:
    """Find all images of a folder and the mask of each, by name.

    Parameters
    ----------
    folder : path-like
        A folder in one of the layouts above; its image folder or its mask folder alone will do.
        Hidden files and anything else that is no image or mask are passed over.

    Returns
    -------
    Pairs
        What belongs together, and what was left alone.

    Raises
    ------
    InputError
        If `folder` is no folder that can be read.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow links)
    if not folder.is_dir():
        raise InputError(
            "there is no such folder",
            expected="a folder with images and masks",
            remedy="Choose another folder.",
            path=folder,
        )
    found = _match([folder])
    role = folder_role(folder.name)
    if found.images or role is None:
        return found
    found = _match([folder, *_opposite(folder, role)])
    inside = [path for path in found.orphans if path.is_relative_to(folder)]
    return Pairs(found.images, found.masks, inside)


def partner_of(path: str | os.PathLike[str]) -> Path | None:
    """Find the mask of an image or the image of a mask, beside it or in the sibling folder.

    Parameters
    ----------
    path : path-like
        An image or mask; it need not exist.

    Returns
    -------
    pathlib.Path or None
        The partner, if there is one.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100
    is_mask = is_mask_path(path)
    if is_mask:
        suffixes = _ordered({*IMAGE_SUFFIXES, ".ome.tif", ".ome.tiff"}, first=".png")
        beside = suffixes if is_mask_name(path.name) else []
    else:
        suffixes = _ordered({*LABEL_SUFFIXES, *GEOJSON_SUFFIXES}, first=".mat")
        beside = list(_BESIDE)
    places = [(path.parent, beside)] + [(place, suffixes) for place in _siblings(path, is_mask)]
    for place, endings in places:
        for ending in endings:
            candidate = place / (tile_name(path) + ending)
            if candidate != path and candidate.is_file() and may_hold_labels(candidate):
                return candidate
    return None


def _match(roots: Iterable[Path]) -> Pairs:
    """Match all images and masks below some folders."""
    found = pair_up((file for root in roots for file in _files(root)), images_named_in)
    left = [*found.images, *found.masks, *(file for file, _ in found.repeats)]
    return Pairs(
        [image for _, image, _ in found.pairs],
        [mask for _, _, mask in found.pairs],
        sorted(left, key=natural_key),
    )


def _ordered(suffixes: Iterable[str], *, first: str) -> list[str]:
    known = sorted(suffixes, key=lambda suffix: (suffix != first, suffix))
    return known + [suffix.upper() for suffix in known]


def _files(root: Path) -> Iterator[tuple[Path, str, Key]]:
    """Go through all files below `root` that can be an image or a mask, with kind and key."""
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
        folders[:] = sorted(name for name in folders if not is_ignored_folder(name))
        here = Path(place)
        inner = here.relative_to(root).parts
        for name in sorted(names):
            if (said := kind_and_key(root.name, inner, name)) and may_hold_labels(here / name):
                yield here / name, *said


def _siblings(path: Path, is_mask: bool) -> Iterator[Path]:
    """Go through the folders in which a partner in a parallel folder would lie."""
    own = "mask" if is_mask else "image"
    inner: tuple[str, ...] = ()
    for place in path.parents[:4]:
        if folder_role(place.name) != own:
            inner = (place.name, *inner)
            continue
        for other in _opposite(place, own):
            yield from (folder / Path(*inner) for folder in _nested(other))


def _opposite(folder: Path, role: str) -> list[Path]:
    """Return the folders of the other role beside `folder`, or beside those of its role above."""
    for place in (folder, *folder.parents[:2]):
        if folder_role(place.name) != role:
            break
        beside = _folders(place.parent)
        if found := [child for child in beside if folder_role(child.name) not in (None, role)]:
            return sorted(found, key=natural_key)
    return []


def _nested(folder: Path, depth: int = 2) -> Iterator[Path]:
    """Go through a folder and those of its role within."""
    yield folder
    for child in _folders(folder) if depth else ():
        if folder_role(child.name) == folder_role(folder.name):
            yield from _nested(child, depth - 1)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
    except OSError:
        return []
