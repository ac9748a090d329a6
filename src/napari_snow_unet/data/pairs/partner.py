"""The mask of one image, or the image of one mask: beside it or in the sibling folder."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from napari_snow_unet.data.annotations.annotation_files import may_hold_labels
from napari_snow_unet.data.names import file_names
from napari_snow_unet.data.names.file_names import (
    IMAGE_ORDER,
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    LABELLED,
    MASK_SUFFIXES,
    is_junk,
    is_mask_name,
    natural_key,
    suffix_of,
    suffix_rank,
    tile_name,
)
from napari_snow_unet.data.names.folder_names import Role, any_role, folder_role, marks_of, place_of
from napari_snow_unet.data.pairs.entries import may_belong
from napari_snow_unet.data.pairs.file_per_nucleus import nucleus_files
from napari_snow_unet.data.pixels.images import is_picture


def partner_of(path: str | os.PathLike[str]) -> Path | None:
    """Find the mask of an image or the image of a mask, beside it or in the sibling folder.

    The path need not exist. A mask with a file for each nucleus is a folder.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100
    role: Role = "mask" if is_mask_path(path) else "image"
    return _beside(path, role) or _in_siblings(path, role) or _nuclei_of(path, role)


def is_mask_path(path: Path) -> bool:
    """Tell from its name, its folders and what lies around it whether a file is a mask."""
    if is_mask_name(path.name):
        return True
    if file_names.is_named_mask(path):
        return not _is_image_among_masks(path)
    role = any_role(path.parent.name)
    return role == "mask" and _in_siblings(path, "mask") is not None


def folders_opposite(folder: Path, role: Role) -> list[Path]:
    """Return the folders of the other role that belong to one of `role`, beside it or above."""
    for place in (folder, *folder.parents[:2]):
        if any_role(place.name) != role:
            break
        beside = [child for child in _folders(place.parent) if _holds_anything(child)]
        others = [child for child in beside if any_role(child.name) not in (None, role)]
        if not others:
            continue
        own = {_marks(child) for child in beside if any_role(child.name) == role}
        alike = [child for child in others if _marks(child) == _marks(place)]
        belong = may_belong(own | {_marks(place)}, {_marks(child) for child in others})
        return sorted(alike or (others if belong else []), key=_preference)
    return []


def _marks(folder: Path) -> tuple[str, ...]:
    return tuple(filter(None, (marks_of(folder.name),)))


def _preference(folder: Path) -> tuple[int, list[tuple[int, str]]]:
    return place_of("", (folder.name,)).rank, natural_key(folder)


def _beside(path: Path, role: Role) -> Path | None:
    """Find the partner in the folder of a file itself, where only one of them is a label image."""
    other: Role = "image" if role == "mask" else "mask"

    def fits(name: str) -> bool:
        if role == "image":
            return is_mask_name(name)
        return is_mask_name(path.name) and not is_mask_name(name) and _is(name, "image")

    return _chosen(
        path, path.parent, [n for n in _of_its_name(path, path.parent) if fits(n)], other
    )


def _in_siblings(path: Path, role: Role) -> Path | None:
    """Find the partner in a parallel folder; None where several that differ have one."""
    other: Role = "image" if role == "mask" else "mask"
    for places in _siblings(path, role):
        partners: dict[tuple[str, ...], Path] = {}
        for marks, place in places:
            names = [name for name in _of_its_name(path, place) if _is(name, other)]
            if partner := _chosen(path, place, names, other):
                partners.setdefault(marks, partner)
        if partners:
            return next(iter(partners.values())) if len(partners) == 1 else None
    return None


def _nuclei_of(path: Path, role: Role) -> Path | None:
    """Find the folder of masks with one nucleus each, as in ``ID/images/ID.png``, ``ID/masks``."""
    folder = path.parent
    if role == "mask" or folder.parent.name != tile_name(path):
        return None
    for place in folders_opposite(folder, "image") if folder_role(folder.name) else ():
        if len(nucleus_files(place)) > 1:
            return place
    return None


def _is_image_among_masks(path: Path) -> bool:
    """Tell a picture in a folder of masks whose own mask lies beside it, and no other image."""
    if suffix_of(path.name) not in IMAGE_SUFFIXES or _beside(path, "image") is None:
        return False
    return _in_siblings(path, "mask") is None and is_picture(path)


def _is(name: str, role: Role) -> bool:
    if role == "image":
        return suffix_of(name) in IMAGE_SUFFIXES
    return suffix_of(name) in LABEL_SUFFIXES or suffix_of(name) in MASK_SUFFIXES


def _chosen(path: Path, place: Path, names: list[str], wanted: Role) -> Path | None:
    """Choose among files of one name as `pairs.matching.Matching` does."""
    if not names:
        return None
    own = suffix_of(path.name) if wanted == "image" else ""
    return place / min(names, key=lambda n: (suffix_of(n) != own, suffix_rank(n, wanted), n))


def _of_its_name(path: Path, folder: Path) -> list[str]:
    """Return the files of a folder with the tile's name, without the file itself."""
    stem = tile_name(path)
    names = [name + ending for name in (stem, path.name) for ending in _ENDINGS]  # a.png.geojson
    if not path.name.isascii():
        names += [unicodedata.normalize("NFD", name) for name in names]
    there = (folder / name for name in dict.fromkeys(names) if folder / name != path)
    return [file.name for file in there if file.is_file() and may_hold_labels(file)]


def _with_capitals(endings: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e for end in endings for e in (end, end.upper(), end.title())))


_ENDINGS = _with_capitals(
    [*IMAGE_ORDER, ".ome.tif", ".ome.tiff", *MASK_SUFFIXES, f"{LABELLED}.tif", f"{LABELLED}.png"]
)


def _siblings(path: Path, role: Role) -> Iterator[list[tuple[tuple[str, ...], Path]]]:
    """Go through where a partner in a parallel folder would lie, the nearest place first.

    Each is a list of folders, with what the name of the one beside the file's own says.
    """
    inner: tuple[str, ...] = ()
    for place in path.parents[:4]:
        if any_role(place.name) != role:
            inner = (place.name, *inner)
            continue
        yield [
            (_marks(other), folder / Path(*inner))
            for other in folders_opposite(place, role)
            for folder in _nested(other)
        ]


def _nested(folder: Path, depth: int = 2) -> Iterator[Path]:
    """Go through a folder and those of its role within."""
    yield folder
    for child in _folders(folder) if depth else ():
        if any_role(child.name) == any_role(folder.name):
            yield from _nested(child, depth - 1)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
    except OSError:
        return []


def _holds_anything(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(not is_junk(entry.name) for entry in entries)
    except OSError:
        return False
