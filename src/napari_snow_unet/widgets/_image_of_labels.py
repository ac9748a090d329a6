"""Labels that napari has opened as an image: telling them, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_snow_unet.data.labels import looks_like_labels
from napari_snow_unet.widgets._layers import pixels_of

if TYPE_CHECKING:
    from napari.layers import Image

SIDE = 1024  # pixels of a plane that are looked at, in each direction
CONVERT = "Press Open as Labels."

_KNOWN: WeakKeyDictionary[Image, tuple[Any, bool]] = WeakKeyDictionary()


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
        known = _KNOWN[layer] = (data, _are_labels(_middle(data)))
    return known[1]


def why_no_map(layer: Image) -> str:
    """Say that an image holds labels, and how it becomes them."""
    return f"'{layer.name}' is an image, but holds labels. {CONVERT}"


def how_to_convert(layers: Sequence[Image]) -> str:
    """Say how those of some images that hold labels become Labels; empty if there are none."""
    names = [f"'{layer.name}'" for layer in layers if holds_labels(layer)]
    if not names:
        return ""
    return f"Labels that were opened as an image ({', '.join(names)}) become Labels: {CONVERT}"


def _middle(data: Any) -> np.ndarray:
    plane = tuple(length // 2 for length in data.shape[:-2])
    starts = [max(0, (length - SIDE) // 2) for length in data.shape[-2:]]
    return np.asarray(data[(*plane, *(slice(start, start + SIDE) for start in starts))])


def _are_labels(values: np.ndarray) -> bool:
    return values.dtype != np.bool_ and np.unique(values).size > 2 and looks_like_labels(values)
