"""Where a slide shows empty glass, on a fixed grid, so that no choice of windows changes it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.tiling import Tile, read_window

CELL = 64  # pixels of the full resolution
DARKEST = 0.84  # of glass, in the darkest colour channel; tissue lets less light through
SMOOTHING = 5  # pixels a side: noise and single dark pixels are no tissue

Cells = NDArray[np.bool_]


def glass_of(block: NDArray[Any], divisor: float) -> Cells:
    """Tell which cells of a block show nothing but bright, empty glass.

    Parameters
    ----------
    block : ndarray, shape (Y, X) or (Y, X, 3|4)
        Begins at the corner of a cell; those at its end count as far as they go.
    divisor : float
        What brings its values to 0..1.

    Returns
    -------
    ndarray of bool, shape (ceil(Y / 64), ceil(X / 64))
        True where the cell, averaged over 5 x 5 of its own pixels, transmits at least 84 % of the
        light in every colour channel. A nucleus or stained tissue never does.
    """
    import cv2

    darkest = block
    if block.ndim == 3:  # pairwise: the least along a last axis of three takes thrice as long
        darkest = np.minimum(np.minimum(block[..., 0], block[..., 1]), block[..., 2])
    unit = darkest.astype(np.float32) / np.float32(divisor)
    smooth = cv2.blur(unit, (SMOOTHING, SMOOTHING))
    # What lies nearer to the edge of its cell is averaged with pixels of another.
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


def read_with_glass(image: Any, tile: Tile, divisor: float) -> tuple[NDArray[Any], Cells]:
    """Read a window once, for the network and for the glass in its core.

    Parameters
    ----------
    image : array-like, shape (Y, X) or (Y, X, C)
        The image.
    tile : Tile
        The window.
    divisor : float
        What brings the values to 0..1.

    Returns
    -------
    pixels : ndarray
        Those of the window.
    cells : ndarray of bool
        The cells that `cells_of` names.
    """
    spans = []
    for axis, (window, core) in enumerate(zip(tile.window, tile.core, strict=True)):
        cells = slice(
            core.start // CELL * CELL, min(-(-core.stop // CELL) * CELL, image.shape[axis])
        )
        spans.append((slice(min(window.start, cells.start), max(window.stop, cells.stop)), cells))
    (rows, cell_rows), (columns, cell_columns) = spans
    region = read_window(image, (rows, columns))

    def part(window_rows: slice, window_columns: slice) -> NDArray[Any]:
        y, x = window_rows.start - rows.start, window_columns.start - columns.start
        height = window_rows.stop - window_rows.start
        return region[y : y + height, x : x + window_columns.stop - window_columns.start]

    return part(*tile.window), glass_of(part(cell_rows, cell_columns), divisor)


def cells_of(core: tuple[slice, slice]) -> tuple[slice, slice]:
    """Return the rows and columns of the cells that a part of the image, in pixels, touches."""
    rows, columns = (slice(part.start // CELL, -(-part.stop // CELL)) for part in core)
    return rows, columns


def without_glass(
    probability: NDArray[np.uint8], cells: Cells, top: int, left: int
) -> NDArray[np.uint8]:
    """Return a piece of a probability map with 0 where there is glass.

    Parameters
    ----------
    probability : ndarray of uint8, shape (Y, X)
        The piece.
    cells : ndarray of bool
        Those that the piece touches.
    top, left : int
        Where the piece begins in the image, in pixels.
    """
    rows = (np.arange(probability.shape[0]) + top % CELL) // CELL
    columns = (np.arange(probability.shape[1]) + left % CELL) // CELL
    return np.where(cells[np.ix_(rows, columns)], np.uint8(0), probability)
