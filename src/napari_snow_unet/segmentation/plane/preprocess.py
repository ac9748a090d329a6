"""From a stored image to the input of a network: channel, unit range, axes."""

from __future__ import annotations

from typing import Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import (
    CHANNELS,
    Channel,
    hematoxylin_transmission,
    network_input,
)
from napari_snow_unet.data.pixels.value_range import COLOURS, ValueRange, is_rgb, value_range
from napari_snow_unet.segmentation import messages

__all__ = [
    "CHANNELS",
    "COLOURS",
    "Axes",
    "Channel",
    "ValueRange",
    "hematoxylin_transmission",
    "is_rgb",
    "network_input",
    "plane_axes",
    "value_range",
]


Axes = Literal["plane", "stack"]


def plane_axes(shape: tuple[int, ...], *, rgb: bool) -> Axes:
    """Return whether an image is a plane or a stack; raise `InputError` if it is neither."""
    spatial = shape[:-1] if rgb else shape
    if len(spatial) < 2 or 0 in spatial:
        raise InputError(messages.no_pixels(shape))
    return "plane" if len(spatial) == 2 else "stack"
