"""Outlines of nuclei drawn on their image, for eyes and reports."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTLINE_RGB = (255, 225, 0)  # stands out from pink and violet, for colour-blind eyes too


def to_rgb8(image: NDArray[Any], divisor: float) -> NDArray[np.uint8]:
    """Bring an image to 8-bit RGB for looking at.

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3) or (Y, X, 4)
        Grey or colour; alpha is ignored.
    divisor : float
        What brings its values to 0..1.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        The same picture.
    """
    rgb = np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image[..., :3]
    if rgb.dtype == np.uint8:
        return np.ascontiguousarray(rgb)
    return np.rint(np.clip(rgb / divisor, 0, 1) * 255).astype(np.uint8)


def draw_outlines(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.integer],
    colour: tuple[int, int, int] = OUTLINE_RGB,
) -> NDArray[np.uint8]:
    """Draw the inner outline of every label on an image.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (Y, X, 3)
        The image.
    labels : ndarray of int, shape (Y, X)
        0 is background.
    colour : tuple of int
        Red, green and blue in 0..255.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        A copy with outlines one pixel wide.
    """
    from skimage.segmentation import find_boundaries

    drawn = rgb.copy()
    drawn[find_boundaries(labels, mode="inner")] = colour
    return drawn
