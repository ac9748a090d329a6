"""What every label image must be, whatever file it comes from."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.files import InputError

LARGEST_ID = np.iinfo(np.int32).max
MIDDLE = 1024  # pixels of an image that are looked at, in each direction


def as_labels(
    values: npt.NDArray[Any],
    *,
    path: str | os.PathLike[str] | None,
    what: str = "the image",
    expected: str = "a label image: whole numbers from 0, one per pixel",
    stack: bool = False,
) -> npt.NDArray[np.int32]:
    """Check that `values` is a label image and return it as int32, rows first in memory.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        Ids of any number type; 0 is background.
    path : path-like or None
        The file they come from or go to, for the error.
    what, expected : str
        The words of the error for what was received and what was expected.
    stack : bool, default: False
        Let several planes of labels be some too.

    Returns
    -------
    ndarray of int32, shape (Y, X), or (N, Y, X) of a stack
        The same ids.

    Raises
    ------
    InputError
        If `values` has other axes, is empty, or holds anything but whole numbers from 0
        to 2,147,483,647.
    """

    def refusal(problem: str) -> InputError:
        remedy = "Check how the file was written."
        return InputError(f"{what} {problem}", expected=expected, remedy=remedy, path=path)

    if values.ndim not in ((2, 3) if stack else (2,)) or values.size == 0:
        raise refusal(f"has the shape {' x '.join(map(str, values.shape)) or '()'}")
    if values.dtype.kind not in "biuf":
        raise refusal(f"has the type {values.dtype}")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= LARGEST_ID):  # so that NaN is refused too
        raise refusal(f"holds values from {low} to {high}")
    labels = np.ascontiguousarray(values, np.int32)
    if values.dtype.kind == "f" and not np.array_equal(labels, values):
        raise refusal("holds fractions")
    return labels


def looks_like_labels(values: npt.NDArray[Any], *, classes: bool = False) -> bool:
    """Tell whether an image that nobody calls labels holds labels or a mask nevertheless.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        Pixels of any number type.
    classes : bool, default: False
        Let class maps be some too.

    Returns
    -------
    bool
        Whether `mask_kinds.judge_mask` takes its whole numbers for labels or a mask. Never raises.
    """
    from napari_snow_unet.data.mask_kinds import judge_mask

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
    """Read the middle of the middle plane of an image of any size.

    Parameters
    ----------
    image : array-like, shape (..., Y, X) or (..., Y, X, C)
        NumPy array or a lazy one.
    rgb : bool, default: False
        Whether the last axis holds colours.

    Returns
    -------
    ndarray, shape (Y, X) or (Y, X, C)
        At most 1,024 pixels in each direction.
    """
    shape = image.shape[:-1] if rgb else image.shape
    plane = tuple(length // 2 for length in shape[:-2])
    starts = [max(0, (length - MIDDLE) // 2) for length in shape[-2:]]
    return np.asarray(image[(*plane, *(slice(start, start + MIDDLE) for start in starts))])


def is_picture_of_labels(image: Any, *, rgb: bool = False) -> bool:
    """Tell whether an image that shall be segmented holds labels or a mask, and no tissue.

    Parameters
    ----------
    image : array-like, shape (..., Y, X) or (..., Y, X, C)
        NumPy array or a lazy one, of which the middle is read. In colours every colour is a label
        and black is background.
    rgb : bool, default: False
        Whether the last axis holds colours.

    Returns
    -------
    bool
        Never raises.
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
