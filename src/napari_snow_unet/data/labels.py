"""What every label image must be, whatever file it comes from."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.files import InputError

LARGEST_ID = np.iinfo(np.int32).max
_REGIONS_PER_LABEL = 2  # a nucleus is one piece, or cut in two; a grey level lies in many places


def as_labels(
    values: npt.NDArray[Any],
    *,
    path: str | os.PathLike[str],
    what: str = "the image",
    expected: str = "a label image: whole numbers from 0, one per pixel",
    stack: bool = False,
) -> npt.NDArray[np.int32]:
    """Check that `values` is a label image and return it as int32, rows first in memory.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        Ids of any number type; 0 is background.
    path : path-like
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


def looks_like_labels(values: npt.NDArray[Any]) -> bool:
    """Tell whether an image that nobody calls labels holds labels nevertheless.

    Labels are whole numbers from 0, background 0, and either one single other value, or several
    that lie in hardly more places than there are values: at most two connected regions of equal
    value each on average, most of whose pixels have a neighbour of their value. The grey levels of
    a probability map, or of a photograph, lie in many more, or change from pixel to pixel.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        Pixels of any number type.

    Returns
    -------
    bool
        Never raises.
    """
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "biuf":
        return False
    low, high = values.min(), values.max()
    if not (low == 0 and 0 < high <= LARGEST_ID):  # so that NaN is none either
        return False
    labels = values.astype(np.int32)
    if values.dtype.kind == "f" and not np.array_equal(labels, values):
        return False
    distinct, regions = count_values(labels)
    return distinct == 1 or (regions <= _REGIONS_PER_LABEL * distinct and _is_flat(labels))


def _is_flat(labels: npt.NDArray[np.int32]) -> bool:
    """Tell whether pixels have the value of their neighbour, as in labels but not in a fine map."""
    right = labels[:, 1:]
    return bool(np.count_nonzero(right[right == labels[:, :-1]]) * 2 >= np.count_nonzero(right))


def count_values(labels: npt.NDArray[np.integer[Any]]) -> tuple[int, int]:
    """Count the values of an image, and the places in which they lie.

    Parameters
    ----------
    labels : ndarray of int, shape (Y, X)
        Values from 0.

    Returns
    -------
    tuple of int
        Distinct values but 0, and 8-connected regions of equal value but 0.
    """
    from skimage.measure import label

    distinct = np.unique(labels)
    regions = label(labels, background=0, return_num=True)[1]
    return int(np.count_nonzero(distinct)), int(regions)
