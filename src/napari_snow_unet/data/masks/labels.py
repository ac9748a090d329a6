"""What every label image must be, whatever file it comes from."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError

LARGEST_ID = np.iinfo(np.int32).max


def as_labels(
    values: npt.NDArray[Any],
    *,
    path: str | os.PathLike[str] | None,
    what: str = "the image",
    expected: str = "a label image: whole numbers from 0, one per pixel",
    stack: bool = False,
) -> npt.NDArray[np.int32]:
    """Return ids (Y, X) as int32, rows first; InputError if not whole from 0 to 2,147,483,647.

    `stack` lets (N, Y, X) be labels too; `what` and `expected` are the words of the error.
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
