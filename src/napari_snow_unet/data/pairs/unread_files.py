"""What lies in a folder, by type, and why some of it cannot be used: for every refusal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from napari_snow_unet.base.errors import InputError
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

#: What a person wanted to have from a folder.
Wanted: TypeAlias = Literal["pairs", "labels", "images"]

_OF_IMAGES = re.compile(r"\b(?:no|its) mask\b")  # what `unmatched` says of an image
_FOLDERS_NAMED = 6
_TYPES_EXPLAINED = 3
_PANNUKE = (
    "images.npy with masks.npy (PanNuke) or labels.npy (CoNIC) hold thousands of tiles each. Save "
    "every tile as images/N.png and its labels, an ID for each nucleus, as masks/N.png"
)
_JPEG = "JPEG compression changes pixel values, so a .jpg file cannot be a mask. Save masks as PNG"
_NUMPY = "NumPy files are not read. Save images and label images as PNG or TIFF"
_SLIDE = "slide files do not pair with masks. Export tiles of them, or segment the slide itself"
_ROI = "ImageJ's ROI files are not read. Save them as a label image or as GeoJSON"
_REASONS = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".gif": "GIF files are not read. Save them as PNG",
    ".webp": "WebP files are not read. Save them as PNG",
    ".npy": _NUMPY,
    ".npz": _NUMPY,
    ".json": "outlines in .json files of this kind are not read. Export them as GeoJSON",
    ".xml": "outlines in .xml files need an image of their name",
    ".roi": _ROI,
    ".h5": "HDF5 files are not read. Save images and labels as PNG or TIFF",
    ".hdf5": "HDF5 files are not read. Save images and labels as PNG or TIFF",
    ".zip": "archives are opened only to prepare a dataset. Unpack them first",
    **dict.fromkeys(
        (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar"),
        "of archives only .zip files are opened. Unpack the others first",
    ),
    ".nii": "NIfTI files are not read. Save them as TIFF",
    ".nii.gz": "NIfTI files are not read. Save them as TIFF",
    ".jp2": "JPEG 2000 files are not read. Save them as PNG or TIFF",
    **dict.fromkeys((".svs", ".ndpi", ".mrxs", ".scn", ".vsi", ".czi", ".dcm", ".bif"), _SLIDE),
}
_NEEDS = {
    "pairs": (
        "images and masks of equal names, in one folder (a.png, a_mask.png) or in two",
        "Choose the folder that holds both, and give them equal names.",
    ),
    "labels": (
        "files ending in " + ", ".join(sorted(LABEL_SUFFIXES)),
        "Name the folder in which the files themselves lie.",
    ),
    "images": (
        "files ending in " + ", ".join(sorted(IMAGE_SUFFIXES)) + " or a slide",
        "Name the images, or the folder they lie in.",
    ),
}

NO_PAIR = "no image has a mask of its name"


def nothing_to_use(
    what: str,
    files: Iterable[str],
    wanted: Wanted,
    path: object,
    left: Iterable[tuple[str, str]] = (),
) -> InputError:
    """Return the refusal of a folder: what lies in it by type, and what to do about it.

    `what` is the subject of the sentence, `files` are relative to `path`, with forward slashes; of
    `left`, the unused files, the first reason that is more than "no mask" is told.
    """
    files = [file for file in files if not is_junk(PurePosixPath(file).name)]
    expected, remedy = _NEEDS[wanted]
    reasons = _reasons(files, wanted)
    if passed := _passed_over(files):
        reasons.append(f"the folder {passed}/ is passed over: choose it by itself, or rename it")
    said = _telling(left, reasons)
    said += [f"{reason[0].upper()}{reason[1:]}." for reason in reasons]
    if said:
        remedy = " ".join(said)
    return InputError(f"{what}: {_census(files)}", expected=expected, remedy=remedy, path=str(path))


def why_not_read(file: str) -> str:
    """Return why a file can be neither image nor mask, and the remedy; '' for a table and such."""
    suffix = suffix_of(file)
    if PurePosixPath(file).name.lower() in ("images.npy", "masks.npy", "labels.npy"):
        return _PANNUKE
    if suffix == ".npy" and file.lower().endswith("_seg.npy"):
        return "Cellpose's _seg.npy files are not read. Save its masks as PNG or TIFF"
    if suffix == ".txt" and {"mask", "masks", "label", "labels"} & set(words_of(file)):
        return "masks as text are not read. Save them as PNG or TIFF"
    if suffix == ".zip" and ".zip/" in file.lower():
        return "an archive in another one is not opened. Unpack the outer one first"
    if suffix.endswith(".gz") and suffix not in _REASONS and suffix not in MASK_SUFFIXES:
        return "packed files are not read. Unpack them first"
    return _REASONS.get(suffix, "")


def passed_over(files: Iterable[str]) -> list[str]:
    """Return a sentence for each type of file that a person may have meant as image or mask."""
    counted: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if suffix_of(file) not in (".json", ".xml") and why_not_read(file):
            counted[why_not_read(file)].append(file)
    return [
        f"{_count(of_type)} passed over, such as {of_type[0]}: {reason}."
        for reason, of_type in counted.items()
    ]


def _telling(left: Iterable[tuple[str, str]], said: Sequence[str]) -> list[str]:
    """Return a sentence that says more than `said`, and than that a file is alone; images first."""
    for file, why in sorted(left, key=lambda one: not _OF_IMAGES.search(one[1])):
        if not why.endswith("of its name.") and not any(reason in why for reason in said):
            return [f"{file}: {why}"]
    return []


def _census(files: list[str]) -> str:
    """Say which files lie in which folder: ``images/ holds 2 .png files (a.png, ...)``."""
    there: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(files, key=natural_key):
        path = PurePosixPath(file)
        there[path.parent.as_posix()][suffix_of(file)].append(path.name)
    if not there:
        return "it holds no files"
    said = []
    for folder, types in list(there.items())[:_FOLDERS_NAMED]:
        kinds = " and ".join(f"{_count(names)} ({_some(names)})" for names in types.values())
        said.append(f"{'it' if folder == '.' else folder + '/'} holds {kinds}")
    more = len(there) - len(said)
    return ", ".join(said) + (f", and {more} more folders hold others" if more else "")


def _passed_over(files: list[str]) -> str:
    """Return a folder that was not looked into because of its name; empty if there is none."""
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
    return ", ".join(names[:2]) + (", …" if len(names) > 2 else "")


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
