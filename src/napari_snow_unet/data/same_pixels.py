"""Whether a file still holds the pixels that somebody has in memory."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.any_image import read_any_image
from napari_snow_unet.data.axes import without_ones
from napari_snow_unet.data.orientation import UPRIGHT
from napari_snow_unet.data.value_range import is_rgb

AS_STORED = (
    "The file asks to be turned (orientation {}). A text would read it so, and the layer does not "
    "have the pixels as they are then: save the image upright, and open that."
)


def why_other_pixels(path: str | os.PathLike[str], pixels: Any) -> str:
    """Say how an image in memory differs from its file.

    Parameters
    ----------
    path : path-like
        The file.
    pixels : array-like
        The image, lazy or not.

    Returns
    -------
    str
        A sentence; empty if both are the same.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    file = read_any_image(path)
    stored, ones = file.array, pixels.shape
    if is_rgb(pixels.shape):
        ones = (*without_ones(pixels.shape[:-1]), pixels.shape[-1])
    elif pixels.ndim > 2:
        ones = without_ones(pixels.shape)
    pixels = pixels.reshape(ones)
    if file.orientation != UPRIGHT and not _are_same(stored, pixels):
        return AS_STORED.format(file.orientation)
    if stored.shape != tuple(pixels.shape) or stored.dtype != pixels.dtype:
        found = f"{' x '.join(map(str, pixels.shape))} of {pixels.dtype}"
        wanted = f"{' x '.join(map(str, stored.shape))} of {stored.dtype}"
        return f"The layer has {found}, the file {wanted}."
    return "" if _are_same(stored, pixels) else "The layer has other pixels than the file."


def _are_same(stored: NDArray[Any], pixels: Any) -> bool:
    return stored.shape == tuple(pixels.shape) and np.array_equal(stored, np.asarray(pixels))
