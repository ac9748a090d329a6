"""The paper's baseline without a network: the red channel, smoothed and inverted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.model import Model

NAME = "classical"
BLUR_PX = 1.5


def darkness(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 minus the red channel after a Gaussian blur of 1.5 pixels: 1 is black."""
    import cv2

    edge = cv2.BORDER_REFLECT
    try:
        blurred = cv2.GaussianBlur(pixels[0, ..., 0], (0, 0), BLUR_PX, borderType=edge)
    except cv2.error as error:
        if error.code != cv2.Error.StsNoMem:
            raise
        raise MemoryError("not enough memory to blur a window") from error
    return (1 - np.asarray(blurred, dtype=np.float32))[None]


def model() -> Model:
    """Return the classical method as a model whose probability is the darkness in red."""
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
