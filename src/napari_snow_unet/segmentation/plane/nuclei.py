"""From a binary mask to nuclei: holes, components, touching nuclei, size, border."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.plane.touching import Labels, split_touching

REFERENCE_PIXEL_UM = 0.25  # the pixel size at which the lengths below are stated
LARGEST_HOLE_UM2 = 12.5  # larger holes are gaps between nuclei, not nucleoli or pale chromatin
SMALLEST_NUCLEUS_UM2 = 5.0


def fill_small_holes(mask: NDArray[np.uint8], largest: float) -> NDArray[np.uint8]:
    """Fill 4-connected holes of up to `largest` pixels; those open to the image's border stay."""
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
    """Label the nuclei of a mask from 1 to N, in reading order of their first pixel.

    `min_area` is in pixels. Holes of up to 12.5 square micrometres are filled (200 pixels of 0.25
    um, the size where none is known). Without `separate` nuclei are the 8-connected components.
    """
    pixel = pixel_size_um or REFERENCE_PIXEL_UM
    labels, statistics = find_components(mask, fill_holes=fill_holes, pixel_size_um=pixel_size_um)
    if separate:
        labels = split_touching(labels, statistics, scale=REFERENCE_PIXEL_UM / pixel)
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
    """Find the 8-connected components; return their labels and OpenCV's statistics of each.

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
    """Return where each label, up to the largest or `size`, has its first pixel in reading order.

    It is the number of pixels for 0 and for labels that do not occur.
    """
    flat = labels.ravel()
    first = np.full(int(flat.max(initial=0)) + 1 if size is None else size, flat.size, np.int64)
    # Only the first pixel of a run can be the first of its label. Assigned backwards, it stays.
    starts = _run_starts(flat)[::-1]
    first[flat[starts]] = starts
    first[0] = flat.size
    return first


def renumber(labels: Labels, drop: NDArray[np.bool_]) -> Labels:
    """Drop labels and number the others from 1 in reading order of their first pixel."""
    first = first_pixels(labels, drop.size)
    first[drop] = labels.size
    kept = np.flatnonzero(first < labels.size)
    table = np.zeros(drop.size, dtype=np.int32)
    table[kept[np.argsort(first[kept])]] = np.arange(1, kept.size + 1, dtype=np.int32)
    return table.take(labels)


def _areas(labels: Labels) -> NDArray[Any]:
    """Count the pixels of each label, run by run, which is faster than pixel by pixel."""
    flat = labels.ravel()
    starts = _run_starts(flat)
    lengths = np.diff(starts, append=flat.size).astype(np.float64)
    return np.bincount(flat[starts], lengths, minlength=1)


def _run_starts(flat: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return where the runs of equal values in a row of pixels begin."""
    return np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)[: flat.size]


def _on_border(statistics: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    x, y, width, height = statistics[:, :4].T
    return (x == 0) | (y == 0) | (x + width == shape[1]) | (y + height == shape[0])
