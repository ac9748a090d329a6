"""Nuclei without a network, as the paper compares them: the red channel smoothed and inverted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.model import Model

NAME = "classical"
BLUR_PX = 1.5


def darkness(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how dark each pixel is, 1 for black, after a Gaussian blur of 1.5 pixels."""
    import cv2

    edge = cv2.BORDER_REFLECT
    try:
        blurred = cv2.GaussianBlur(pixels[0, ..., 0], (0, 0), BLUR_PX, borderType=edge)
    except cv2.error as error:
        if error.code != cv2.Error.StsNoMem:
            raise
        raise MemoryError("there is no memory to blur a window") from error
    return (1 - np.asarray(blurred, dtype=np.float32))[None]


def model() -> Model:
    """Return the classical method as a model whose probability is the darkness of red."""
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
