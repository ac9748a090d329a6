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
from napari_snow_unet.data.names.file_names import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    is_junk,
    natural_key,
    suffix_of,
)
from napari_snow_unet.data.pairs import messages

_MOST_PARTS = 3  # large parts of one nucleus that a careless annotator leaves
_LARGE = 0.25  # of the largest part


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
    nuclei: list[tuple[int, int, npt.NDArray[np.intp]]] = []  # area, id, flat pixels
    shape: tuple[int, ...] = ()
    empty = count = 0
    for name, values in masks:
        count += 1
        if shape and values.shape != shape:
            raise InputError(messages.other_size(name, values.shape, shape), path=folder)
        shape = values.shape
        if (parts := _parts(values)) is not None:
            raise InputError(messages.several_nuclei(name, parts), path=folder)
        pixels = np.flatnonzero(values)
        if len(pixels):
            nuclei.append((len(pixels), len(nuclei) + 1, pixels))
        else:
            empty += 1
    if not count:
        raise InputError(messages.NO_MASK_IN_FOLDER, path=folder)
    labels = np.zeros(shape, np.int32)
    for _, number, pixels in sorted(nuclei, key=lambda nucleus: (-nucleus[0], nucleus[1])):
        labels.flat[pixels] = number
    overlapping = sum(area for area, _, _ in nuclei) - int(np.count_nonzero(labels))
    notes = [messages.files_merged(count)]
    if overlapping:
        notes.append(messages.overlaps(overlapping))
    if empty:
        notes.append(messages.files_empty(empty))
    return Merged(labels, notes)


def _parts(values: npt.NDArray[np.integer[Any]]) -> int | None:
    """Count the parts of a mask that is not of one nucleus, 0 for several values; else None."""
    import cv2

    if not ((values == 0) | (values == values.max(initial=0))).all():
        return 0
    _, _, stats, _ = cv2.connectedComponentsWithStats((values > 0).astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = int(np.count_nonzero(areas >= _LARGE * areas.max(initial=0)))
    return large if large > _MOST_PARTS else None
