"""Provenance of a result, and the notes on its image."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from napari_snow_unet.data.masks.label_pictures import is_picture_of_labels
from napari_snow_unet.data.pixels.messages import NEARLY_BLACK
from napari_snow_unet.data.pixels.pixel_size import doubt_pixel_size
from napari_snow_unet.data.pixels.value_range import ValueRange, is_nearly_black
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options

VERSIONED = (
    "napari-snow-unet",
    "tensorflow",
    "keras",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
)


def label_messages(image: Any, *, rgb: bool) -> tuple[str, ...]:
    """Return the note on an image that looks like labels; only its middle is read."""
    return (messages.LOOKS_LIKE_LABELS,) if is_picture_of_labels(image, rgb=rgb) else ()


def range_messages(image: Any, values: ValueRange) -> tuple[str, ...]:
    """Return the notes on an assumed white value and on an image that is nearly black."""
    assumed = (values.note,) if values.note else ()
    return (*assumed, NEARLY_BLACK) if is_nearly_black(image, values) else assumed


def white_of(dtype: Any, values: ValueRange) -> dict[str, float]:
    """Return the white value for the provenance; nothing for 8-bit images."""
    return {} if np.dtype(dtype) == np.uint8 else {"white": values.white}


def scale_messages(
    trained_um: tuple[float, float] | None, pixel_size_um: float | None, resampled_um: float | None
) -> tuple[str, ...]:
    """Return the notes on the pixel size: unknown, implausible, or resampled."""
    doubt = doubt_pixel_size(pixel_size_um)
    doubts = (doubt,) if doubt else ()
    if trained_um is None:
        return doubts
    if pixel_size_um is None:
        return (messages.unknown_pixel_size(*trained_um),)
    if resampled_um is None:
        return doubts
    return (messages.resampled(pixel_size_um, resampled_um, *trained_um), *doubts)


def provenance(
    model: Model,
    options: Options,
    threshold: float,
    pixel_size_um: float | None,
    resampled_um: float | None,
) -> dict[str, Any]:
    """Return the provenance of a result, as plain values for JSON."""
    return {
        "model": model.name,
        "model_checksum": model.checksum,
        "precision": model.precision,
        "device": model.device,
        "channel": options.channel or model.channel,
        "threshold": threshold,
        "pixel_size_um": pixel_size_um,
        "network_pixel_size_um": resampled_um or pixel_size_um,
        "options": asdict(options),
        "versions": installed_versions(),
    }


@cache
def installed_versions() -> dict[str, str]:
    """Return the versions of the packages a result depends on, without importing them.

    All results share the dict, which is not to be changed: looking it up takes a millisecond.
    """
    versions = {}
    for name in VERSIONED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
