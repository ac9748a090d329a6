"""Masks that come in a file for each nucleus, as in the 2018 Data Science Bowl: one label image."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import counted, shape_in_words
from napari_snow_unet.data.names.file_names import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    is_junk,
    natural_key,
    suffix_of,
)

_MOST_PARTS = 3  # large pieces of one nucleus that a careless annotator leaves
_LARGE = 0.25  # of the largest piece
_EXPECTED = "a mask of one nucleus in each file of the folder"


@dataclass(frozen=True)
class Merged:
    """One label image of many files."""

    labels: npt.NDArray[np.int32]  # ids in the order of the files
    notes: list[str]  # how many files there were, and what happened where they overlap


def nucleus_files(folder: Path) -> list[Path]:
    """List the masks in a folder of them, in natural order of their names."""
    suffixes = IMAGE_SUFFIXES & LABEL_SUFFIXES
    files = (path for path in folder.iterdir() if suffix_of(path.name) in suffixes)
    return sorted((path for path in files if not is_junk(path.name)), key=natural_key)


def merge_nuclei(
    masks: Iterable[tuple[str, npt.NDArray[np.integer[Any]]]], folder: str | os.PathLike[str]
) -> Merged:
    """Make one label image of masks, each with its file's name, in which all but 0 is one nucleus.

    A pixel of several nuclei goes to the smallest of them, which else could vanish in a larger
    one; of two of one size to the later one.
    """
    pieces: list[tuple[int, int, npt.NDArray[np.intp]]] = []  # area, id, flat pixels
    shape: tuple[int, ...] = ()
    empty = count = 0
    for name, values in masks:
        count += 1
        if shape and values.shape != shape:
            sizes = f"{shape_in_words(values.shape)} pixels, others {shape_in_words(shape)}"
            raise _refused(f"{name} has {sizes}", folder)
        shape = values.shape
        if several := _several(values):
            raise _refused(f"{name} has {several}", folder)
        pixels = np.flatnonzero(values)
        if len(pixels):
            pieces.append((len(pixels), len(pieces) + 1, pixels))
        else:
            empty += 1
    if not count:
        raise _refused("there is no mask in it", folder)
    labels = np.zeros(shape, np.int32)
    for _, number, pixels in sorted(pieces, key=lambda piece: (-piece[0], piece[1])):
        labels.flat[pixels] = number
    overlapping = sum(area for area, _, _ in pieces) - int(np.count_nonzero(labels))
    notes = [f"{counted(count, 'file')} of one nucleus each merged"]
    if overlapping:
        notes.append(f"{counted(overlapping, 'overlapping pixel')} given to the smaller nucleus")
    if empty:
        notes.append(f"{counted(empty, 'file')} without a nucleus")
    return Merged(labels, notes)


def _several(values: npt.NDArray[np.integer[Any]]) -> str:
    """Say what shows that a mask is not of one nucleus but of many, or of a class; else ''."""
    import cv2

    if not ((values == 0) | (values == values.max(initial=0))).all():
        return "several values besides 0"
    _, _, stats, _ = cv2.connectedComponentsWithStats((values > 0).astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = int(np.count_nonzero(areas >= _LARGE * areas.max(initial=0)))
    return f"{large} separate parts" if large > _MOST_PARTS else ""


def _refused(received: str, folder: str | os.PathLike[str]) -> InputError:
    return InputError(
        received,
        expected=_EXPECTED,
        remedy="Give a mask of all nuclei the name of its image, or remove the file.",
        path=folder,
    )
