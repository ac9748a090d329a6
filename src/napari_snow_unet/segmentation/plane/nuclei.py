"""From a binary mask to nuclei: holes, components, separation, size, border."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.plane.touching import Labels, separate_touching

REFERENCE_PIXEL_UM = 0.25  # pixel size for lengths in pixels, and if the size is unknown
LARGEST_HOLE_UM2 = 12.5  # nucleoli and pale chromatin; larger holes are gaps between nuclei
SMALLEST_NUCLEUS_UM2 = 5.0


def fill_small_holes(mask: NDArray[np.uint8], largest: float) -> NDArray[np.uint8]:
    """Fill 4-connected holes of up to `largest` pixels, except at the image border."""
    import cv2

    background = (mask == 0).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(background, connectivity=4)
    fill = statistics[:, cv2.CC_STAT_AREA] <= largest
    fill[_on_border(statistics, mask.shape)] = False
    fill[0] = False  # the foreground of `mask`
    if count > 1 and fill.any():
        background[fill.take(labels)] = 0
    return 1 - background


def label_nuclei(
    mask: NDArray[np.uint8] | NDArray[np.bool_],
    *,
    separate: bool = True,
    min_area: float = 0.0,
    fill_holes: bool = True,
    clear_border: bool = False,
    pixel_size_um: float | None = None,
) -> Labels:
    """Label the nuclei of a mask from 1 to N, in row-major order of their first pixels.

    `min_area` is in pixels. Holes of up to 12.5 square micrometres are filled (200 pixels of 0.25
    um, which is assumed if the size is unknown). Without `separate`, nuclei are the 8-connected
    components.
    """
    pixel = pixel_size_um or REFERENCE_PIXEL_UM
    labels, statistics = find_components(mask, fill_holes=fill_holes, pixel_size_um=pixel_size_um)
    if separate:
        labels = separate_touching(labels, statistics, scale=REFERENCE_PIXEL_UM / pixel)
    drop = _areas(labels) < min_area
    drop[0] = False
    if clear_border:
        edges = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
        drop[np.unique(np.concatenate(edges))] = True
        drop[0] = False
    return renumber(labels, drop)


def find_components(
    mask: NDArray[np.uint8] | NDArray[np.bool_],
    *,
    fill_holes: bool = True,
    pixel_size_um: float | None = None,
) -> tuple[Labels, NDArray[np.int32]]:
    """Return the labels of the 8-connected components and their OpenCV statistics.

    Holes of up to 12.5 square micrometres are filled first. The statistics are int32 (N + 1, 5):
    left, top, width, height, area.
    """
    import cv2

    binary = (np.asarray(mask) != 0).astype(np.uint8)
    if fill_holes:
        pixel = pixel_size_um or REFERENCE_PIXEL_UM
        binary = fill_small_holes(binary, LARGEST_HOLE_UM2 / pixel**2)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    return labels.astype(np.int32, copy=False), statistics


def first_pixels(labels: Labels, size: int | None = None) -> NDArray[np.int64]:
    """Return the flat index of the first pixel of each label, in row-major order.

    Labels run up to the largest or `size` - 1. The index is the number of pixels for 0 and for
    labels that do not occur.
    """
    flat = labels.ravel()
    first = np.full(int(flat.max(initial=0)) + 1 if size is None else size, flat.size, np.int64)
    # The first pixel of a label begins a run. Assigned backwards, the first run is kept.
    starts = _run_starts(flat)[::-1]
    first[flat[starts]] = starts
    first[0] = flat.size
    return first


def renumber(labels: Labels, drop: NDArray[np.bool_]) -> Labels:
    """Drop labels and renumber the others from 1 in row-major order of their first pixels."""
    first = first_pixels(labels, drop.size)
    first[drop] = labels.size
    kept = np.flatnonzero(first < labels.size)
    table = np.zeros(drop.size, dtype=np.int32)
    table[kept[np.argsort(first[kept])]] = np.arange(1, kept.size + 1, dtype=np.int32)
    return table.take(labels)


def _areas(labels: Labels) -> NDArray[Any]:
    """Count the pixels of each label by runs, which is faster than by pixels."""
    flat = labels.ravel()
    starts = _run_starts(flat)
    lengths = np.diff(starts, append=flat.size).astype(np.float64)
    return np.bincount(flat[starts], lengths, minlength=1)


def _run_starts(flat: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the start indices of runs of equal values."""
    return np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)[: flat.size]


def _on_border(statistics: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    x, y, width, height = statistics[:, :4].T
    return (x == 0) | (y == 0) | (x + width == shape[1]) | (y + height == shape[0])
