"""Whether a file still holds the pixels that somebody has in memory."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from napari_snow_unet.data.any_image import read_any_image


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
    stored = read_any_image(path).array
    if stored.shape != tuple(pixels.shape) or stored.dtype != pixels.dtype:
        found = f"{' x '.join(map(str, pixels.shape))} of {pixels.dtype}"
        wanted = f"{' x '.join(map(str, stored.shape))} of {stored.dtype}"
        return f"The layer has {found}, the file {wanted}."
    if not np.array_equal(stored, np.asarray(pixels)):
        return "The layer has other pixels than the file."
    return ""
