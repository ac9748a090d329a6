"""Nuclei without a network: the red channel, smoothed and inverted, for Otsu's threshold.

The comparison that the paper makes, and what still works where no network can be loaded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.model import Model

NAME = "classical"
BLUR_PX = 1.5


def darkness(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how dark each pixel is after a Gaussian blur of 1.5 pixels.

    Parameters
    ----------
    pixels : ndarray of float32, shape (1, Y, X, 1)
        Unit range.

    Returns
    -------
    ndarray of float32, shape (1, Y, X)
        1 for black, 0 for white.
    """
    import cv2

    blurred = cv2.GaussianBlur(pixels[0, ..., 0], (0, 0), BLUR_PX, borderType=cv2.BORDER_REFLECT)
    return (1 - np.asarray(blurred, dtype=np.float32))[None]


def model() -> Model:
    """Return the classical method in the form of a model.

    Returns
    -------
    Model
        Its "probability" is the darkness of the red channel.
    """
    return Model(
        predict=darkness,
        name=NAME,
        checksum="",
        channel="red",
        halo=16,
        pixel_size_um=None,
        threshold_floor=0.2,
        calls_at_once=2,
    )
