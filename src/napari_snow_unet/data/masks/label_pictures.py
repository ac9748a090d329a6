"""Recognise labels that were opened as an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.masks.labels import LARGEST_ID

MIDDLE = 1024  # pixels of an image that are looked at, in each direction


def looks_like_labels(values: npt.NDArray[Any], *, classes: bool = False) -> bool:
    """Tell whether an image (Y, X) is labels or a mask, though not declared so; never raises."""
    from napari_snow_unet.data.masks.mask_kinds import judge_mask

    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "biuf":
        return False
    low, high = values.min(), values.max()
    if not (low == 0 and 0 < high <= LARGEST_ID):  # so that NaN is none either
        return False
    if values.dtype.kind == "f" and (np.rint(values) != values).any():
        return False
    kind = judge_mask(values.astype(np.int32)).kind
    return kind in ("binary", "labels") or (classes and kind == "classes")


def middle_of(image: Any, *, rgb: bool = False) -> npt.NDArray[Any]:
    """Read the middle of the middle plane, lazy or not: at most 1,024 pixels each way."""
    shape = image.shape[:-1] if rgb else image.shape
    plane = tuple(length // 2 for length in shape[:-2])
    starts = [max(0, (length - MIDDLE) // 2) for length in shape[-2:]]
    return np.asarray(image[(*plane, *(slice(start, start + MIDDLE) for start in starts))])


def is_picture_of_labels(image: Any, *, rgb: bool = False) -> bool:
    """Tell whether an image, lazy or not, holds labels instead of tissue; never raises.

    In colours every colour is a label and black is background.
    """
    if 0 in image.shape:
        return False
    values = middle_of(image, rgb=rgb)
    if values.min() > 0:  # the background of labels is 0; tissue is hardly ever black
        return False
    if rgb and values.dtype == np.uint8:
        values = values[..., :3].astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    elif rgb:
        values = values[..., 0]
    return looks_like_labels(values, classes=True) and _is_flat(values.astype(np.int32))


def _is_flat(labels: npt.NDArray[np.int32]) -> bool:
    """Tell whether pixels have the value of their neighbour, as in labels but not in a fine map."""
    right = labels[:, 1:]
    return bool(np.count_nonzero(right[right == labels[:, :-1]]) * 2 >= np.count_nonzero(right))
