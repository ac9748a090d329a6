"""From positions to whole pixels, the same on every computer.

A position that went through a transform is off by a last bit or two, and by others on another
processor. So positions are brought to a grid of 1/1,024 pixel before they are compared with the
edge or the centre of a pixel: what lies within `TOLERANCE` of either counts as lying on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_PARTS = 1024  # a power of two, so that halves of pixels are on the grid and exact
TOLERANCE = 0.5 / _PARTS  # pixels; the farthest that a position is moved


def settled(positions: ArrayLike) -> NDArray[np.float64]:
    """Bring positions or lengths in pixels to the nearest 1/1,024 pixel."""
    moved: NDArray[np.float64] = np.rint(np.asarray(positions, np.float64) * _PARTS) / _PARTS
    return moved


def nearest(positions: ArrayLike) -> NDArray[np.int64]:
    """Return the nearest whole numbers; of two that are as near, the even one, as napari does."""
    return np.rint(settled(positions)).astype(np.int64)


def covering(corners: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixel along each axis, and the one behind the last, that cover points."""
    edges = settled(corners) + 0.5
    first, stop = np.floor(edges.min(axis=0)), np.ceil(edges.max(axis=0))
    return first.astype(np.int64), stop.astype(np.int64)
