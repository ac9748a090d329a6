"""Labels that napari has opened as an image: detecting them, and how to convert them."""

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
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common.layers import pixels_of

if TYPE_CHECKING:
    from napari.layers import Image

Answers = WeakKeyDictionary["Image", tuple[Any, bool]]
_LABELS: Answers = WeakKeyDictionary()
_PICTURES: Answers = WeakKeyDictionary()


def holds_labels(layer: Image) -> bool:
    """Tell whether a grey image holds labels of several nuclei, or a class map.

    A binary mask does not count: it can be compared as it is.
    """
    return _once(_LABELS, layer, lambda data: _are_labels(middle_of(data)))


def doubt_about_image(layer: Image) -> str:
    """Say that an image to be segmented looks like labels; empty if it does not.

    A lazy image may take long to read, so it is not checked.
    """
    if not isinstance(pixels_of(layer), np.ndarray):
        return ""
    doubtful = _once(_PICTURES, layer, lambda data: is_picture_of_labels(data, rgb=layer.rgb))
    return messages.looks_like_labels(layer.name) if doubtful else ""


def is_mask(layer: Image) -> bool:
    """Tell whether a grey image is labels or a mask instead of tissue."""
    return not layer.rgb and bool(doubt_about_image(layer))


def why_no_map(layer: Image) -> str:
    """Say that an image holds labels, and how to convert it."""
    return messages.labels_as_image(layer.name)


def how_to_convert(layers: Sequence[Image]) -> str:
    """Say how to convert the images that hold labels; empty if there are none."""
    names = [layer.name for layer in layers if holds_labels(layer)]
    return messages.labels_as_images(names) if names else ""


def _once(answers: Answers, layer: Image, answer: Callable[[Any], bool]) -> bool:
    """Answer a question about the pixels of a layer once, and anew after they were replaced."""
    data = pixels_of(layer)
    if layer not in answers or answers[layer][0] is not data:
        answers[layer] = data, answer(data)
    return answers[layer][1]


def _are_labels(values: np.ndarray) -> bool:
    several = values.dtype != np.bool_ and np.unique(values).size > 2
    return several and looks_like_labels(values, classes=True)
