"""What the names of files and folders say: image or mask, of which tile, in which order."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePath, PurePosixPath
from typing import TypeAlias

#: The folders that say nothing of image or mask, then the tile's name: the same for both halves.
Key: TypeAlias = tuple[str, ...]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
GEOJSON_SUFFIXES = (".geojson", ".geojson.gz")
#: Suffixes of files that may hold outlines, and as well something else: their content tells.
LOOKED_INTO = (".json", ".xml")
OUTLINE_SUFFIXES = (*GEOJSON_SUFFIXES, *LOOKED_INTO)
LABEL_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp", ".mat", ".geojson", *LOOKED_INTO})
LABELLED = "-labelled"  # what QuPath adds to the name of a tile's label image

#: How programs end the names of masks beside images, Cellpose's first; weaker than a folder's name.
_MASK_ENDING = re.compile(r"[-_.](?:cp_masks|masks?|labels?)$", re.IGNORECASE)

_IMAGE_WORDS = {"image", "images", "img", "imgs", "tile", "tiles"}
_MASK_WORDS = {"mask", "masks", "label", "labels", "mat", "mats"}
_IGNORED_FOLDER = re.compile(r"\..*|__macosx|json|overlays?|regions", re.IGNORECASE)


def natural_key(text: str | PurePath) -> list[tuple[int, str]]:
    """Return a sort key by which ``seed2`` comes before ``seed10``."""
    parts = re.split(r"(\d+)", str(text).lower())
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]


def tile_name(path: PurePath) -> str:
    """Return what a tile is called: ``a`` for ``a.png``, ``a.ome.tif``, ``a-labelled.tif``."""
    return _tile(path.name)


def without_mask_ending(name: str) -> str | None:
    """Return ``a`` for ``a_mask``, ``a_cp_masks`` and the like, or None for any other name."""
    stem = _MASK_ENDING.sub("", name)
    return stem if stem not in ("", name) else None


def folder_role(name: str) -> str | None:
    """Return 'mask' or 'image' if a folder's name says what lies in it."""
    words = set(re.split(r"[\W_]+", name.lower()))
    is_mask, is_image = bool(words & _MASK_WORDS), bool(words & _IMAGE_WORDS)
    if is_mask == is_image:
        return None
    return "mask" if is_mask else "image"


def is_ignored_folder(name: str) -> bool:
    """Tell whether a folder holds neither images nor masks: hidden, ``json``, ``overlay``."""
    return _IGNORED_FOLDER.fullmatch(name) is not None


def is_mask_name(name: str) -> bool:
    """Tell whether a file is a mask by its own name, whatever folder it lies in."""
    name = name.lower()
    if name.endswith((".mat", *OUTLINE_SUFFIXES)):
        return True
    stem, dot, suffix = name.rpartition(".")
    return stem.endswith(LABELLED) and dot + suffix in LABEL_SUFFIXES


def is_mask_path(path: PurePath) -> bool:
    """Tell from its name and the folders it lies in whether a file is a mask."""
    if is_mask_name(path.name):
        return True
    for name in path.parts[-2:-5:-1]:
        if is_ignored_folder(name):
            return False
        if role := folder_role(name):
            return role == "mask"
    return False


def kind_and_key(root: str, folders: tuple[str, ...], name: str) -> tuple[str, Key] | None:
    """Tell from names what a file is: 'image' or 'mask' and its key, or None for anything else.

    Parameters
    ----------
    root : str
        Name of the chosen folder or archive, without suffix.
    folders : tuple of str
        The folders from there to the file.
    name : str
        The file's name.
    """
    ignored, in_masks, shared = _folder(root, folders)
    if ignored or name.startswith("."):
        return None
    is_mask = in_masks or is_mask_name(name)
    lower = name.lower()
    if lower[lower.rfind(".") :] not in (LABEL_SUFFIXES if is_mask else IMAGE_SUFFIXES) and not (
        lower.endswith(GEOJSON_SUFFIXES)
    ):
        return None
    return "mask" if is_mask else "image", (*shared, _tile(name))


def _tile(name: str) -> str:
    """Return the tile's name from a file's; with no path object, since there may be 20,000."""
    if name.lower().endswith(GEOJSON_SUFFIXES):
        return name[: name.lower().rindex(".geojson")]
    stem = name.rpartition(".")[0] or name
    return stem.removesuffix(".ome").removesuffix(LABELLED)


@lru_cache(maxsize=4096)
def _folder(root: str, folders: tuple[str, ...]) -> tuple[bool, bool, Key]:
    """Work out once per folder what is the same for all its files."""
    ignored = any(map(is_ignored_folder, folders))
    shared = tuple(name for name in folders if folder_role(name) is None)
    return ignored, is_mask_path(PurePosixPath(root, *folders, "x")), shared


def file_name(text: str) -> str:
    """Replace what not every system takes in the name of a file."""
    return "".join("_" if letter in '<>:"/\\|?*' else letter for letter in text)
