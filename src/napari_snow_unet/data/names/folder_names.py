"""What the name of a folder says: images or masks in it, of which kind, and of which subset."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

Role: TypeAlias = Literal["image", "mask"]

_IMAGES = frozenset({"image", "images", "img", "imgs", "tile", "tiles"})
_MASKS = frozenset({"mask", "masks", "label", "labels", "mat", "mats"})
#: Count only where no folder of the path has one of the words above.
_WEAK_IMAGES = frozenset({"slide", "slides", "patch", "patches", "picture", "pictures"})
_WEAK_MASKS = frozenset(
    {"gt", "groundtruth", "truth", "annotation", "annotations", "annot", "annots", "instances"}
    | {"json"}
)
_ADJECTIVE = re.compile(
    r"\b(mask|label) images?\b|\b(image|img|tiles?|slides?|patch|patches) (masks?|labels?)\b"
)
_COMPOUND = re.compile(r"\b([a-z]{2,})(?=(?:images?|masks?|labels?)\b)")  # rawimages, graymask4

#: Say how a file came about, not whose it is: two folders may differ in them.
_NEUTRAL = {"tissue", "original", "originals", "orig", "raw", "rgb", "he", "h", "e", "png", "tif"}
_NEUTRAL |= {"tiff", "bmp", "jpg", "jpeg", "xml", "geojson", "binary", "bin", "modify", "modified"}
_NEUTRAL |= {"ground", "manual", "final", "all", "data", "dataset", "set", "files", "nuclei"}
_NEUTRAL |= {"nucleus", "nuclear", "cell", "cells", "instance", "inst", "and", "the", "of", "with"}

SUBSETS = {"train": "train", "training": "train", "tr": "train", "val": "val", "valid": "val"}
SUBSETS |= {"validation": "val", "test": "test", "testing": "test", "ts": "test"}

AUTOMATIC = "automatic_labels"  # of Save as: those from before they were edited
_IGNORED = {"overlay", "overlays", "distance", "weighted", "vague", "erode", "eroded", "heatmap"}
_IGNORED |= {"visualization", "visualizations", "visualisation", "visualisations", "visualized"}
_IGNORED |= {
    "visualised",
    "heatmaps",
    "imagj",
    "stacked",
    "boundary",
    "boundaries",
    "bound",
    "bounds",
}
_IGNORED_NAME = re.compile(r"\..*|__macosx|regions|.*without border.*", re.IGNORECASE)
#: Of several folders of masks for the same images the first kind is taken.
_PREFERENCE = ({"modify", "modified"}, {"label", "labels", "instance", "instances", "inst"})
_LEAST = {"binary", "bin", "semantic", "class", "classes", "type", "types", "json"}


class Place(NamedTuple):
    """A folder below the chosen one, as its path describes it."""

    role: Role | None  # what lies in it
    rest: tuple[str, ...]  # the folders that name neither images nor masks
    marks: tuple[str, ...]  # what the names of the others say besides: ``01`` of ``GT_01``
    rank: int  # among several folders of masks for the same images
    ignored: bool  # neither images nor masks lie in it


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words and numbers of a name: ``images``, ``1`` for ``Images1``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).lower()
    words = re.findall(r"[^\W\d_]+|\d+", spaced)
    return tuple(_COMPOUND.sub(r"\1 ", " ".join(words)).split())


def folder_role(name: str) -> Role | None:
    """Return 'mask' or 'image' if a folder's name says what lies in it."""
    return _role(name, _IMAGES, _MASKS)


def is_ignored_folder(name: str, beside: Iterable[str] = ()) -> bool:
    """Tell a folder without images and masks: hidden, ``overlay``, ``json`` beside ``mat``."""
    if name.lower() == "json" and any(other.lower() == "mat" for other in beside):
        return True
    if name == AUTOMATIC or _IGNORED_NAME.fullmatch(name) is not None:
        return True
    return bool(_IGNORED & set(words_of(name)))


@lru_cache(maxsize=65536)
def place_of(root: str, folders: tuple[str, ...]) -> Place:
    """Describe a folder by its path below `root`, which is empty if its name does not count."""
    path = (root, *folders)
    strong = [folder_role(name) for name in path]
    weak = [_weak_role(name) for name in path]
    role = next((role for roles in (strong, weak) for role in reversed(roles) if role), None)
    named = [bool(one or other) for one, other in zip(strong[1:], weak[1:], strict=True)]
    marks = (marks_of(name) for name, has_role in zip(folders, named, strict=True) if has_role)
    return Place(
        role,
        tuple(name for name, has_role in zip(folders, named, strict=True) if not has_role),
        tuple(dict.fromkeys(filter(None, marks))),
        _rank(folders),
        any(map(is_ignored_folder, folders)),
    )


@lru_cache(maxsize=4096)
def marks_of(name: str) -> str:
    """Return what a name says besides images and masks, such as ``01`` of ``GT_01``."""
    return " ".join(word for word in words_of(name) if word not in _SAYING_NOTHING)


def any_role(name: str) -> Role | None:
    """Return 'mask' or 'image' if a folder's name hints at it, as ``GT_01`` does."""
    return folder_role(name) or _weak_role(name)


def subset_of(folders: Iterable[str]) -> str:
    """Return the subset that folders name, the outermost first: train, val, test or ''."""
    for name in folders:
        words = [word for word in words_of(name) if word not in _SAYING_NOTHING]
        if len(words) == 1 and words[0] in SUBSETS:
            return SUBSETS[words[0]]
    return ""


def subset_of_file(path: str) -> str:
    """Return the subset that a path with forward slashes names; its first folder counts last."""
    root, *folders = path.split("/")[:-1] or [""]
    return subset_of_folders(root.removesuffix(".zip"), tuple(folders))


@lru_cache(maxsize=4096)
def subset_of_folders(root: str, folders: tuple[str, ...]) -> str:
    """Return the subset that folders name, or else the chosen one above them."""
    return subset_of(folders) or subset_of((root,))


def may_be_patients(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell marks that differ as patients' do: ``01`` and ``02``, ``anna`` and ``berta``."""
    if not one or not other or one == other:
        return False
    names, others = _words_but_numbers(one), _words_but_numbers(other)
    return are_numbered(one, other) or bool(names and others and names != others)


def are_numbered(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell marks that are equal but for numbers, single letters and subsets."""
    return _pattern(one) == _pattern(other)


def _words_but_numbers(marks: tuple[str, ...]) -> set[str]:
    return {word for word in " ".join(marks).split() if not _NUMBERING.fullmatch(word)}


def _pattern(marks: tuple[str, ...]) -> tuple[str, ...]:
    words = " ".join(marks).split()
    return tuple(dict.fromkeys("#" if _NUMBERING.fullmatch(word) else word for word in words))


_NUMBERING = re.compile(r"\d+|\w|" + "|".join(SUBSETS))
_SAYING_NOTHING = _IMAGES | _MASKS | _WEAK_IMAGES | _WEAK_MASKS | _NEUTRAL


def _weak_role(name: str) -> Role | None:
    return "mask" if set(words_of(name)) & _WEAK_MASKS else _role(name, _WEAK_IMAGES, _WEAK_MASKS)


@lru_cache(maxsize=4096)
def _role(name: str, images: frozenset[str], masks: frozenset[str]) -> Role | None:
    words = set(words_of(name))
    is_image, is_mask = bool(words & images), bool(words & masks)
    if is_mask and _ADJECTIVE.search(" ".join(words_of(name))):
        return "mask"
    if is_mask == is_image:
        return None
    return "mask" if is_mask else "image"


def _rank(folders: tuple[str, ...]) -> int:
    words = {word for name in folders for word in words_of(name)}
    for rank, preferred in enumerate(_PREFERENCE):
        if words & preferred:
            return rank
    return len(_PREFERENCE) + bool(words & _LEAST)
