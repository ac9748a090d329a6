"""From an image as stored to what a network reads: one channel, unit range, known axes."""

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
    """Tell whether an image is one plane or a stack of planes, and refuse what is neither."""
    spatial = shape[:-1] if rgb else shape
    if len(spatial) < 2 or 0 in spatial:
        raise InputError(
            f"an image of shape {shape}",
            expected="at least one plane with pixels",
            remedy="Choose another image.",
        )
    return "plane" if len(spatial) == 2 else "stack"
