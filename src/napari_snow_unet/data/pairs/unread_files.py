"""The files of a folder by type, and why some cannot be used: for every refusal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.names.file_names import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    MASK_SUFFIXES,
    is_junk,
    natural_key,
    suffix_of,
)
from napari_snow_unet.data.names.folder_names import is_ignored_folder, words_of
from napari_snow_unet.data.pairs import messages

#: What the user needs from a folder.
Wanted: TypeAlias = Literal["pairs", "labels", "images"]

_WITHOUT = {messages.without_partner(wanted) for wanted in ("mask", "image")}
_OF_IMAGES = re.compile(r"\b(?:No|its) mask\b")  # in what `unmatched` says of an image
_FOLDERS_NAMED = 6
_TYPES_EXPLAINED = 3
_REASONS = {
    **dict.fromkeys((".jpg", ".jpeg"), messages.JPEG_MASK),
    ".gif": messages.GIF,
    ".webp": messages.WEBP,
    **dict.fromkeys((".npy", ".npz"), messages.NUMPY),
    ".json": messages.OTHER_JSON,
    ".xml": messages.XML_ALONE,
    ".roi": messages.ROI,
    **dict.fromkeys((".h5", ".hdf5"), messages.HDF5),
    ".zip": messages.ZIP,
    **dict.fromkeys(
        (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar"), messages.OTHER_ARCHIVE
    ),
    **dict.fromkeys((".nii", ".nii.gz"), messages.NIFTI),
    ".jp2": messages.JPEG_2000,
    **dict.fromkeys(
        (".svs", ".ndpi", ".mrxs", ".scn", ".vsi", ".czi", ".dcm", ".bif"), messages.SLIDE
    ),
}
_NEEDS = {
    "pairs": messages.PAIRS_NEEDED,
    "labels": messages.labels_needed(tuple(sorted(LABEL_SUFFIXES))),
    "images": messages.images_needed(tuple(sorted(IMAGE_SUFFIXES))),
}

NO_PAIR = messages.NO_PAIR


def nothing_to_use(
    problem: str,
    files: Iterable[str],
    wanted: Wanted,
    path: object,
    left: Iterable[tuple[str, str]] = (),
) -> InputError:
    """Return the refusal of a folder: a problem, its contents by type, and what to do about it.

    `files` are relative to `path`, with forward slashes. Of `left`, the unused files, the first
    reason that is more than a missing partner is named.
    """
    files = [file for file in files if not is_junk(PurePosixPath(file).name)]
    reasons = _reasons(files, wanted)
    if passed := _passed_over(files):
        reasons.append(messages.folder_ignored(passed))
    remedy = " ".join([*_telling(left, reasons), *reasons]) or _NEEDS[wanted]
    problem = f"{problem[0].upper()}{problem[1:].rstrip('.')}."
    return InputError(Message(f"{problem} {_census(files)}", remedy), path=str(path))


def why_not_read(file: str) -> str:
    """Return why a file can be neither image nor mask, with the remedy; '' for others."""
    suffix = suffix_of(file)
    if PurePosixPath(file).name.lower() in ("images.npy", "masks.npy", "labels.npy"):
        return messages.ARRAYS_OF_TILES
    if suffix == ".npy" and file.lower().endswith("_seg.npy"):
        return messages.CELLPOSE
    if suffix == ".txt" and {"mask", "masks", "label", "labels"} & set(words_of(file)):
        return messages.TEXT
    if suffix == ".zip" and ".zip/" in file.lower():
        return messages.ZIP_IN_ZIP
    if suffix.endswith(".gz") and suffix not in _REASONS and suffix not in MASK_SUFFIXES:
        return messages.PACKED
    return _REASONS.get(suffix, "")


def passed_over(files: Iterable[str]) -> list[str]:
    """Return a sentence for each type of file that may have been meant as image or mask."""
    counted: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if suffix_of(file) not in (".json", ".xml") and why_not_read(file):
            counted[why_not_read(file)].append(file)
    return [
        messages.files_ignored(reason, _count(of_type), of_type[0])
        for reason, of_type in counted.items()
    ]


def _telling(left: Iterable[tuple[str, str]], others: Sequence[str]) -> list[str]:
    """Return one reason beyond `others` and a missing partner; those of images come first."""
    for file, why in sorted(left, key=lambda one: not _OF_IMAGES.search(one[1])):
        if why not in _WITHOUT and not any(reason in why for reason in others):
            return [f"{file}: {why}"]
    return []


def _census(files: list[str]) -> str:
    """Return which files each folder contains: ``images/ with 2 .png files (a.png, ...)``."""
    there: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(files, key=natural_key):
        path = PurePosixPath(file)
        there[path.parent.as_posix()][suffix_of(file)].append(path.name)
    if not there:
        return messages.NO_FILES
    parts = []
    for folder, types in list(there.items())[:_FOLDERS_NAMED]:
        kinds = " and ".join(f"{_count(names)} ({_some(names)})" for names in types.values())
        parts.append(kinds if folder == "." else f"{folder}/ with {kinds}")
    return messages.contents(tuple(parts), len(there) - len(parts))


def _passed_over(files: list[str]) -> str:
    """Return a folder that was not searched because of its name; empty if there is none."""
    for file in files:
        folders = file.split("/")[:-1]
        for depth, name in enumerate(folders, start=1):
            if is_ignored_folder(name):
                return "/".join(folders[:depth])
    return ""


def _count(files: list[str]) -> str:
    suffix = suffix_of(files[0])
    number = counted(len(files), f"{suffix} file".strip())
    return number if suffix else f"{number} without a suffix"


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")


def _reasons(files: list[str], wanted: Wanted) -> list[str]:
    """Return why files that may have been meant cannot be taken, the most frequent type first."""
    counted: dict[str, int] = defaultdict(int)
    for file in files:
        reason = why_not_read(file)
        usable = suffix_of(file) in _usable(file, wanted)
        if reason and not usable:
            counted[reason] += 1
    return sorted(counted, key=lambda reason: -counted[reason])[:_TYPES_EXPLAINED]


def _usable(file: str, wanted: Wanted) -> frozenset[str]:
    if wanted == "images":
        return IMAGE_SUFFIXES
    in_masks = any(word.startswith(("mask", "label")) for word in words_of(file))
    if wanted == "labels" or in_masks:
        return LABEL_SUFFIXES | set(MASK_SUFFIXES)
    return IMAGE_SUFFIXES | LABEL_SUFFIXES | set(MASK_SUFFIXES)
