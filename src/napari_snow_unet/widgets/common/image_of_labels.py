"""Labels that napari has opened as an image: telling them, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_snow_unet.data.masks.label_pictures import (
    is_picture_of_labels,
    looks_like_labels,
    middle_of,
)
from napari_snow_unet.widgets.common.layers import pixels_of

if TYPE_CHECKING:
    from napari.layers import Image

CONVERT = "Press Open as Labels."
CONVERT_BY_HAND = "Right-click it in the layer list and choose Convert to Labels."
NO_TISSUE = (
    "'{}' looks like labels or a mask, not like tissue. To use it as a truth: {} To segment, "
    "choose the image that it was made from."
)

Known = WeakKeyDictionary["Image", tuple[Any, bool]]
_LABELS: Known = WeakKeyDictionary()
_PICTURES: Known = WeakKeyDictionary()


def holds_labels(layer: Image) -> bool:
    """Tell whether an image without colours holds labels of several nuclei, or a class map.

    A mask of two values is none of these: it serves as a prediction as it is.
    """
    return _once(_LABELS, layer, lambda data: _are_labels(middle_of(data)))


def doubt_about_image(layer: Image) -> str:
    """Say that an image to be segmented looks like labels; empty without doubt.

    A lazy image may take long to read, so it is not doubted.
    """
    if not isinstance(pixels_of(layer), np.ndarray):
        return ""
    doubtful = _once(_PICTURES, layer, lambda data: is_picture_of_labels(data, rgb=layer.rgb))
    return NO_TISSUE.format(layer.name, CONVERT_BY_HAND) if doubtful else ""


def is_mask(layer: Image) -> bool:
    """Tell whether an image without colours is labels or a mask, and no tissue."""
    return not layer.rgb and bool(doubt_about_image(layer))


def why_no_map(layer: Image) -> str:
    """Say that an image holds labels, and how it becomes them."""
    return f"'{layer.name}' is an image, but holds labels. {CONVERT}"


def how_to_convert(layers: Sequence[Image]) -> str:
    """Say how those of some images that hold labels become Labels; empty if there are none."""
    names = [f"'{layer.name}'" for layer in layers if holds_labels(layer)]
    if not names:
        return ""
    return f"Labels that were opened as an image ({', '.join(names)}) become Labels: {CONVERT}"


def _once(known: Known, layer: Image, answer: Callable[[Any], bool]) -> bool:
    """Ask about the pixels of a layer, and again only when they are others."""
    data = pixels_of(layer)
    if layer not in known or known[layer][0] is not data:
        known[layer] = data, answer(data)
    return known[layer][1]


def _are_labels(values: np.ndarray) -> bool:
    several = values.dtype != np.bool_ and np.unique(values).size > 2
    return several and looks_like_labels(values, classes=True)
