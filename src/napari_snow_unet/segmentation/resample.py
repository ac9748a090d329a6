"""Bring a plane to the pixel sizes a model knows, and results back."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = TypeVar("Pixels", bound=np.generic)


def scale_factor(pixel_size_um: float | None, known_um: tuple[float, float] | None) -> float:
    """Return the factor on the image's length in pixels that brings it into the model's range.

    Parameters
    ----------
    pixel_size_um : float or None
        Micrometres per pixel of the image, if known.
    known_um : tuple of float or None
        Smallest and largest pixel size the model knows, if it cares.

    Returns
    -------
    float
        1 inside the range and where either is unknown; below 1 for finer pixels, above 1 for
        coarser ones.
    """
    if pixel_size_um is None or known_um is None:
        return 1.0
    nearest = min(max(pixel_size_um, known_um[0]), known_um[1])
    return 1.0 if nearest == pixel_size_um else pixel_size_um / nearest


def resample(plane: NDArray[Pixels], shape: tuple[int, int]) -> NDArray[Pixels]:
    """Resample a plane: area averages when shrinking, linear interpolation when enlarging.

    Parameters
    ----------
    plane : ndarray of uint8 or float32, shape (Y, X) or (Y, X, C)
        What to resample.
    shape : tuple of int
        Rows and columns wanted.

    Returns
    -------
    ndarray
        Same data type, shape `shape` with the same channels.
    """
    import cv2

    rows, columns = max(1, shape[0]), max(1, shape[1])
    shrinking = rows * columns < plane.shape[0] * plane.shape[1]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    result: Any = cv2.resize(plane, (columns, rows), interpolation=method)
    resampled: NDArray[Pixels] = result.reshape(rows, columns, *plane.shape[2:])
    return resampled
