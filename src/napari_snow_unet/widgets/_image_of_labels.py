"""Labels that napari has opened as an image: telling them, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_snow_unet.data.labels import is_picture_of_labels, looks_like_labels, middle_of
from napari_snow_unet.widgets._layers import pixels_of

if TYPE_CHECKING:
    from napari.layers import Image

CONVERT = "Press Open as Labels."
CONVERT_BY_HAND = "Right-click it in the layer list and choose Convert to Labels."
NO_TISSUE = (
    "'{}' looks like labels or a mask, not like tissue. To use it as a truth: {} To segment, "
    "choose the image that it was made from."
)

_KNOWN: WeakKeyDictionary[Image, tuple[Any, bool]] = WeakKeyDictionary()
_PICTURES: WeakKeyDictionary[Image, tuple[Any, bool]] = WeakKeyDictionary()


def holds_labels(layer: Image) -> bool:
    """Tell whether an image holds labels of several nuclei.

    A mask of two values is none of these: it serves as a prediction as it is. Only the middle of
    the middle plane is looked at, and only once for the same data.

    Parameters
    ----------
    layer : napari.layers.Image
        An image without colours.
    """
    data = pixels_of(layer)
    known = _KNOWN.get(layer)
    if known is None or known[0] is not data:
        known = _KNOWN[layer] = (data, _are_labels(middle_of(data)))
    return known[1]


def doubt_about_image(layer: Image) -> str:
    """Say that an image which shall be segmented looks like labels; empty without doubt.

    Of a lazy image, which may take long to read, only its result tells.
    """
    data = pixels_of(layer)
    if not isinstance(data, np.ndarray):
        return ""
    known = _PICTURES.get(layer)
    if known is None or known[0] is not data:
        known = _PICTURES[layer] = (data, is_picture_of_labels(data, rgb=layer.rgb))
    return NO_TISSUE.format(layer.name, CONVERT_BY_HAND) if known[1] else ""


def why_no_map(layer: Image) -> str:
    """Say that an image holds labels, and how it becomes them."""
    return f"'{layer.name}' is an image, but holds labels. {CONVERT}"


def how_to_convert(layers: Sequence[Image]) -> str:
    """Say how those of some images that hold labels become Labels; empty if there are none."""
    names = [f"'{layer.name}'" for layer in layers if holds_labels(layer)]
    if not names:
        return ""
    return f"Labels that were opened as an image ({', '.join(names)}) become Labels: {CONVERT}"


def _are_labels(values: np.ndarray) -> bool:
    return values.dtype != np.bool_ and np.unique(values).size > 2 and looks_like_labels(values)
