"""From an image as stored to what a network reads: one channel, unit range, known axes."""

from __future__ import annotations

from typing import Literal

from napari_snow_unet.data.channels import (
    CHANNELS,
    COLOURS,
    Channel,
    hematoxylin_transmission,
    network_input,
    unit_divisor,
)
from napari_snow_unet.data.files import InputError

__all__ = [
    "CHANNELS",
    "COLOURS",
    "Axes",
    "Channel",
    "hematoxylin_transmission",
    "is_rgb",
    "network_input",
    "plane_axes",
    "unit_divisor",
]


def is_rgb(shape: tuple[int, ...]) -> bool:
    """Tell whether an array of this shape holds colours in its last axis.

    Parameters
    ----------
    shape : tuple of int
        Shape of an image as files give it: (Y, X), (Y, X, 3 or 4), or either behind a stack axis.

    Returns
    -------
    bool
        True for three or four entries in the last of at least three axes.
    """
    return len(shape) >= 3 and shape[-1] in COLOURS


Axes = Literal["plane", "stack"]


def plane_axes(shape: tuple[int, ...], *, rgb: bool) -> Axes:
    """Tell whether an image is one plane or a stack of planes, and refuse what is neither.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image, colours in the last axis when `rgb`.
    rgb : bool
        Whether the last axis holds colours.

    Returns
    -------
    {"plane", "stack"}
        ``"stack"`` when time, depth or file axes stand before the plane.

    Raises
    ------
    InputError
        If the image has no plane, or no pixels.
    """
    spatial = shape[:-1] if rgb else shape
    if len(spatial) < 2 or 0 in spatial:
        raise InputError(
            f"an image of shape {shape}",
            expected="at least one plane with pixels",
            remedy="Choose another image.",
        )
    return "plane" if len(spatial) == 2 else "stack"
