"""The numbers that every label image must hold, whatever file it comes from."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks import messages

LARGEST_ID = np.iinfo(np.int32).max


def as_labels(
    values: npt.NDArray[Any],
    *,
    path: str | os.PathLike[str] | None,
    what: str = "image",
    stack: bool = False,
) -> npt.NDArray[np.int32]:
    """Return ids (Y, X) as int32, rows first; InputError if not whole from 0 to 2,147,483,647.

    `stack` lets (N, Y, X) be labels too; `what` is the subject of the error.
    """
    if values.ndim not in ((2, 3) if stack else (2,)) or values.size == 0:
        raise InputError(messages.wrong_shape(what, values.shape), path=path)
    if values.dtype.kind not in "biuf":
        raise InputError(messages.wrong_type(what, str(values.dtype)), path=path)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= LARGEST_ID):  # so that NaN is refused too
        raise InputError(messages.wrong_values(what, str(low), str(high)), path=path)
    labels = np.ascontiguousarray(values, np.int32)
    if values.dtype.kind == "f" and not np.array_equal(labels, values):
        raise InputError(messages.has_fractions(what), path=path)
    return labels
