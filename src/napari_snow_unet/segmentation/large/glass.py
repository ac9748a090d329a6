"""Empty glass of a slide, found on a fixed grid that does not depend on the windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.channels import on_white
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.segmentation.plane.resample import Resampling
from napari_snow_unet.segmentation.plane.tiling import PlannedWindow, within

CELL = 64  # pixels of the full resolution
DARKEST = 0.84  # transmission of glass in the darkest colour channel; tissue transmits less
SMOOTHING = 5  # pixels a side; suppresses noise and single dark pixels

Cells = NDArray[np.bool_]


def glass_of(block: NDArray[Any], values: ValueRange) -> Cells:
    """Return which cells of a block are empty glass; the block starts at the corner of a cell.

    A cell is glass if the mean over every 5 x 5 of its pixels transmits at least 84 % of the light
    in every colour channel. Nuclei and stained tissue transmit less.
    """
    import cv2

    darkest = block = on_white(block, values)
    if block.ndim == 3:  # pairwise minima are three times as fast as along an axis of length 3
        darkest = np.minimum(np.minimum(block[..., 0], block[..., 1]), block[..., 2])
    unit = darkest.astype(np.float32) / np.float32(values.white)
    smooth = cv2.blur(unit, (SMOOTHING, SMOOTHING))
    # Near the edge of a cell the mean includes pixels of another cell.
    smooth[_near_edges(unit.shape[0])] = np.inf
    smooth[:, _near_edges(unit.shape[1])] = np.inf
    lowest = _lowest(smooth)
    narrow = np.isinf(lowest)
    if narrow.any():
        lowest[narrow] = _lowest(unit)[narrow]
    return np.asarray(lowest >= DARKEST)


def _near_edges(length: int) -> NDArray[np.bool_]:
    place = np.arange(length)
    within = place % CELL
    end = np.minimum(place - within + CELL, length) - place
    return np.asarray((within < SMOOTHING // 2) | (end <= SMOOTHING // 2))


def _lowest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = (range(0, length, CELL) for length in values.shape)
    return np.minimum.reduceat(np.minimum.reduceat(values, rows, axis=0), columns, axis=1)


def read_with_glass(
    image: Any, planned: PlannedWindow, grid: Resampling, values: ValueRange
) -> tuple[NDArray[Any], Cells]:
    """Read a window once; return the pixels for the network and the glass of its core's cells."""
    needed = grid.needed(within(planned.window, grid.new))
    cells = tuple(
        slice(cell.start * CELL, min(cell.stop * CELL, length))
        for cell, length in zip(cells_of(planned.core, grid), grid.old, strict=True)
    )
    top, left = (min(a.start, b.start) for a, b in zip(needed, cells, strict=True))
    bottom, right = (max(a.stop, b.stop) for a, b in zip(needed, cells, strict=True))
    pixels = np.asarray(image[top:bottom, left:right])

    def part(rows: slice, columns: slice) -> NDArray[Any]:
        return pixels[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]

    return part(*needed), glass_of(part(*cells), values)


def cells_of(window: tuple[slice, slice], grid: Resampling) -> tuple[slice, slice]:
    """Return the rows and columns of the cells that a window of the new grid touches."""
    rows, columns = (slice(part.start // CELL, -(-part.stop // CELL)) for part in grid.span(window))
    return rows, columns


def glass_cleared(
    probability: NDArray[np.uint8], cells: Cells, window: tuple[slice, slice], grid: Resampling
) -> NDArray[np.uint8]:
    """Return the probabilities of a window, 0 where the centre of a pixel is on glass.

    `cells` are the cells that `cells_of` returns for the window.
    """
    rows, columns = (
        (centres // CELL).astype(np.intp) - first.start
        for centres, first in zip(grid.centres(window), cells_of(window, grid), strict=True)
    )
    return np.where(cells[np.ix_(rows, columns)], np.uint8(0), probability)
