"""Where a slide shows empty glass, on a fixed grid, so that no choice of windows changes it."""

from __future__ import annotations

from collections.abc import Generator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.progress import Progress

CELL = 64  # pixels of the full resolution
BLOCK = 32 * CELL  # read together
DARKEST = 0.84  # of glass, in the darkest colour channel; tissue lets less light through
SMOOTHING = 5  # pixels a side: noise and single dark pixels are no tissue

Cells = NDArray[np.bool_]


def find_glass(image: Any, divisor: float) -> Generator[Progress, None, Cells]:
    """Find the cells of a fixed grid that show nothing but bright, empty glass.

    Parameters
    ----------
    image : array-like, shape (Y, X) or (Y, X, 3|4)
        Read block by block.
    divisor : float
        What brings its values to 0..1.

    Yields
    ------
    Progress
        After every block.

    Returns
    -------
    ndarray of bool, shape (ceil(Y / 64), ceil(X / 64))
        True where every pixel of the cell, averaged over 5 x 5 pixels, transmits at least 84 % of
        the light in every colour channel. A nucleus or stained tissue never does.
    """
    height, width = int(image.shape[0]), int(image.shape[1])
    cells = np.zeros((-(-height // CELL), -(-width // CELL)), np.bool_)
    corners = list(product(range(0, height, BLOCK), range(0, width, BLOCK)))
    for done, (y, x) in enumerate(corners, start=1):
        found = glass_of(np.asarray(image[y : y + BLOCK, x : x + BLOCK]), divisor)
        row, column = y // CELL, x // CELL
        cells[row : row + found.shape[0], column : column + found.shape[1]] = found
        yield Progress(done, len(corners), f"looking for glass, block {done} of {len(corners)}")
    return cells


def glass_of(block: NDArray[Any], divisor: float) -> Cells:
    """Tell which cells of a block are glass; cells cut by its end count as far as they go."""
    import cv2

    darkest = block
    if block.ndim == 3:  # pairwise: the least along a last axis of three takes thrice as long
        darkest = np.minimum(np.minimum(block[..., 0], block[..., 1]), block[..., 2])
    unit = darkest.astype(np.float32) / np.float32(divisor)
    smooth = cv2.blur(unit, (SMOOTHING, SMOOTHING), borderType=cv2.BORDER_REPLICATE)
    rows, columns = (range(0, length, CELL) for length in unit.shape)
    lowest = np.minimum.reduceat(np.minimum.reduceat(smooth, rows, axis=0), columns, axis=1)
    return np.asarray(lowest >= DARKEST)


def without_glass(
    probability: NDArray[np.uint8], cells: Cells, top: int, left: int
) -> NDArray[np.uint8]:
    """Return a piece of a probability map with 0 where there is glass.

    Parameters
    ----------
    probability : ndarray of uint8, shape (Y, X)
        The piece.
    cells : ndarray of bool
        From `find_glass`.
    top, left : int
        Where the piece begins in the image, in pixels.
    """
    rows = (np.arange(probability.shape[0]) + top) // CELL
    columns = (np.arange(probability.shape[1]) + left) // CELL
    return np.where(cells[np.ix_(rows, columns)], np.uint8(0), probability)


def all_glass(cells: Cells, core: tuple[slice, slice]) -> bool:
    """Tell whether a part of the image, in pixels, is glass everywhere."""
    rows, columns = (slice(part.start // CELL, -(-part.stop // CELL)) for part in core)
    return bool(cells[rows, columns].all())
