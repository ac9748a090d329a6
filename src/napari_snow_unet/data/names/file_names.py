"""Recognise from the names of files images and masks, their tiles and their order."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import PurePath
from typing import Literal, NamedTuple, TypeAlias

from napari_snow_unet.data.names.folder_names import Place, folder_role, is_ignored_folder, place_of

__all__ = ["folder_role", "is_ignored_folder"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
GEOJSON_SUFFIXES = (".geojson", ".geojson.gz")
#: Suffixes of files that may hold outlines, and as well something else: their content tells.
LOOKED_INTO = (".json", ".xml")
OUTLINE_SUFFIXES = (*GEOJSON_SUFFIXES, *LOOKED_INTO)
LABEL_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp", ".mat", ".geojson", *LOOKED_INTO})
#: Masks whatever folder they lie in.
MASK_SUFFIXES = (".mat", *OUTLINE_SUFFIXES)
LABELLED = "-labelled"  # what QuPath adds to the name of a tile's label image
#: Of two files of one name the one whose suffix comes first here is taken.
IMAGE_ORDER = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
MASK_ORDER = (".mat", ".png", ".tif", ".tiff", ".bmp", *OUTLINE_SUFFIXES)

Kind: TypeAlias = Literal["image", "mask", "other"]

#: How programs and people end or begin the names of masks, and of images beside them.
_MASK_ENDING = re.compile(
    r"(?:[-_. ](?:cp_masks|(?:instance|inst|binary|bin|seg|label|nuclei|gray|grey)?masks?|labels?"
    r"|labell?ed|(?:label|instance|inst)[-_ ]?(?:images?|maps?)|gt|ground_?truth|seg|instances?"
    r"|(?:simple )?segmentation(?: stage \d)?|object identities|inst|anno(?:t|tations?)?"
    r"|nuclei(?: mask)?(?: \([^)]*\))?(?: \[\d+\])?))+$",
    re.IGNORECASE,
)
_MASK_BEGINNING = re.compile(
    r"^(?:(?:count )?masks? of |(?:masks?|labels?|gt|seg|instances?|annotations?)(?:[-_. ]|(?=\d)))"
    r"(?=.)",
    re.IGNORECASE,
)
_MASK_ALONE = re.compile(r"masks?|labels?|gt|seg|instances?|annotations?", re.IGNORECASE)
_IMAGE_ALONE = re.compile(r"images?|imgs?|tile|raw|he|rgb|original", re.IGNORECASE)
_IMAGE_ENDING = re.compile(
    r"[-_. ](?:images?|imgs?|he|rgb|raw|orig(?:inal)?|ccd|0000)$", re.IGNORECASE
)
_IMAGE_BEGINNING = re.compile(r"^(?:images?|imgs?|im)(?:[-_. ]|(?=\d))(?=.)", re.IGNORECASE)
_JUNK = re.compile(
    r"[.~].*|thumbs\.db|desktop\.ini|.*\.aux\.xml|.*_(?:probability|overlay)\.\w+", re.IGNORECASE
)


class Key(NamedTuple):
    """Which tile a file is of: equal for an image and its mask; `rest`, `marks` as in `Place`."""

    rest: tuple[str, ...]
    marks: tuple[str, ...]
    name: str


class Named(NamedTuple):
    """What the path of a file says of it."""

    kind: Kind  # 'other' is what can be neither
    key: Key  # the tile
    place: Place  # its folder


def natural_key(text: str | PurePath) -> list[tuple[int, str]]:
    """Return a sort key by which ``seed2`` comes before ``seed10``."""
    parts = re.split(r"(\d+)", str(text).lower())
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]


def tile_name(path: PurePath) -> str:
    """Return the name of a tile: ``a`` for ``a.png``, ``a.ome.tif``, ``a-labelled.tif``."""
    return _tile(path.name)


def without_ending(name: str) -> str:
    """Return ``a`` for ``a_mask``, ``a_cp_masks`` and the like, and any other name as it is."""
    return _MASK_ENDING.sub("", name)


def without_mask_ending(name: str) -> str | None:
    """Return ``a`` for ``a_mask``, ``a_cp_masks``, ``mask_a`` and the like, else None."""
    stem = _MASK_BEGINNING.sub("", without_ending(name))
    return _without_suffix(stem) if stem not in ("", name) else None


def says_mask(name: str) -> bool:
    """Tell whether a tile's name is that of a mask: ``a_mask``, ``mask_a`` or only ``mask``."""
    return _MASK_ALONE.fullmatch(name) is not None or without_mask_ending(name) is not None


def starts_as_mask(name: str) -> bool:
    """Tell whether a tile's name starts as that of a mask: ``mask_1``, ``Mask of a``."""
    return _MASK_BEGINNING.match(name) is not None


def bare_name(name: str, kind: Kind) -> str:
    """Return what ``image_1`` and ``Mask_1``, ``a_HE`` and ``a_mask`` share; '' for ``mask``."""
    if (_MASK_ALONE if kind == "mask" else _IMAGE_ALONE).fullmatch(name):
        return ""
    name = stem_of(name, kind)
    return (_IMAGE_BEGINNING.sub("", _IMAGE_ENDING.sub("", name)) or name).casefold()


def stem_of(name: str, kind: Kind) -> str:
    """Return the name of the image that a mask is named after, and an image's name as it is."""
    return (without_mask_ending(name) or name) if kind == "mask" else name


def is_mask_name(name: str) -> bool:
    """Tell whether a file is a mask by its own name, whatever folder it lies in."""
    name = name.lower()
    if name.endswith(MASK_SUFFIXES):
        return True
    stem, dot, suffix = name.rpartition(".")
    return stem.endswith(LABELLED) and dot + suffix in LABEL_SUFFIXES


def is_named_mask(path: PurePath) -> bool:
    """Tell from its name and the folders it lies in whether a file is a mask."""
    if is_mask_name(path.name):
        return True
    for name in path.parts[-2:-5:-1]:
        if is_ignored_folder(name):
            return False
        if role := folder_role(name):
            return role == "mask"
    return False


def is_junk(name: str) -> bool:
    """Tell a hidden file, and what an operating system or this program leaves beside others."""
    return _JUNK.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def root_name(source: str) -> str:
    """Return the name of a chosen folder or archive, without suffix."""
    name = PurePath(source).name
    return name[:-4] if name.lower().endswith(".zip") else name


def suffix_of(name: str) -> str:
    """Return a file's suffix in lower case: ``.png``, ``.geojson.gz``."""
    lower = name.lower()
    if lower.endswith(".gz"):
        return lower[lower[:-3].rfind(".") :] if "." in lower[:-3] else ".gz"
    return lower[lower.rfind(".") :] if "." in lower[1:] else ""


def suffix_rank(name: str, kind: Kind) -> int:
    """Return the place of a file among others of its name, the one that is taken first."""
    order, suffix = MASK_ORDER if kind == "mask" else IMAGE_ORDER, suffix_of(name)
    return order.index(suffix) if suffix in order else len(order)


def composed(text: str) -> str:
    """Return text in Unicode's composed form: macOS takes letters with accents apart in names."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def named(root: str, folders: tuple[str, ...], name: str) -> Named | None:
    """Tell from names what a file is; None in an ignored folder, such as overlays.

    `root` is the chosen folder or archive, without suffix; empty if its name does not count.
    """
    place = place_of(composed(root), tuple(map(composed, folders)))
    if place.ignored:
        return None
    return Named(_kind(place, name), Key(place.rest, place.marks, _tile(name)), place)


def _kind(place: Place, name: str) -> Kind:
    if is_mask_name(name):
        return "mask"
    suffix = suffix_of(name)
    if place.role == "mask":
        return "mask" if suffix in LABEL_SUFFIXES else "other"
    return "image" if suffix in IMAGE_SUFFIXES else "other"


def _tile(name: str) -> str:
    """Return the tile's name from a file's; with no path object, since there may be 20,000."""
    name = composed(name)
    suffix = suffix_of(name)
    stem = name[: len(name) - len(suffix)] or name
    return _without_suffix(stem.removesuffix(".ome").removesuffix(LABELLED))


def _without_suffix(stem: str) -> str:
    """Return ``a`` for ``a.png``, after which QuPath and others call ``a.png.geojson``."""
    suffix = suffix_of(stem)
    return (stem[: -len(suffix)] if suffix in _NAMED_AFTER else stem).removesuffix(".ome")


_NAMED_AFTER = IMAGE_SUFFIXES | {".svs", ".ndpi", ".mrxs", ".scn", ".czi", ".vsi", ".zarr"}


def valid_file_name(text: str) -> str:
    """Replace what not every system takes in the name of a file."""
    return "".join("_" if letter in '<>:"/\\|?*' else letter for letter in text)
