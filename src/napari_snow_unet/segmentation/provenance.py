"""How a result came about, for people and for files."""

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
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options

LABELS = (
    "This looks like labels or a mask, not like tissue, and its numbers were taken for brightness. "
    "Segment the image that it was made from; to score labels, measure them against a truth."
)
UNKNOWN_SIZE = (
    "The pixel size is unknown: taken as {}, as the model expects. If it is another one, nuclei "
    "are missed: give the pixel size, 0.25 for a 40x scan and 0.5 for 20x."
)
VERSIONED = (
    "napari-snow-unet",
    "tensorflow",
    "keras",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
)


def label_messages(image: Any, *, rgb: bool) -> tuple[str, ...]:
    """Say so if what is segmented looks like labels; its middle is read."""
    return (LABELS,) if is_picture_of_labels(image, rgb=rgb) else ()


def range_messages(image: Any, values: ValueRange) -> tuple[str, ...]:
    """Say which value was taken for white where that was assumed, and if all is nearly black."""
    said = (values.note,) if values.note else ()
    return (*said, NEARLY_BLACK) if is_nearly_black(image, values) else said


def white_of(dtype: Any, values: ValueRange) -> dict[str, float]:
    """Return what was taken for white, for the provenance; of 8 bits there is nothing to say."""
    return {} if np.dtype(dtype) == np.uint8 else {"white": values.white}


def scale_messages(
    model: Model, pixel_size_um: float | None, resampled_um: float | None
) -> tuple[str, ...]:
    """Say in a line what was done about the pixel size, where there is something to say."""
    doubt = doubt_pixel_size(pixel_size_um)
    doubts = (doubt,) if doubt else ()
    if model.pixel_size_um is None:
        return doubts
    known = "{:.2g} to {:.2g} µm".format(*model.pixel_size_um)
    if pixel_size_um is None:
        return (UNKNOWN_SIZE.format(known),)
    if resampled_um is None:
        return doubts
    sizes = f"from {pixel_size_um:g} to {resampled_um:.3g} µm per pixel"
    return (f"Resampled {sizes} for the model, which knows {known}.", *doubts)


def provenance(
    model: Model,
    options: Options,
    threshold: float,
    pixel_size_um: float | None,
    resampled_um: float | None,
) -> dict[str, Any]:
    """Return how a result came about, in plain values that JSON can hold."""
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

    Every result holds the same dict, and nobody changes it: looking them up takes a millisecond.
    """
    found = {}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
