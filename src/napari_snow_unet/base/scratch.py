"""Arrays for results of any size: small ones in memory, large ones in a file that cleans up."""

from __future__ import annotations

import math
import shutil
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_snow_unet.base.errors import InputError

IN_MEMORY_BYTES = 1_000_000_000


def zeros(
    shape: tuple[int, ...], dtype: DTypeLike, *, in_memory: int | None = None
) -> NDArray[Any]:
    """Return writable zeros; more bytes than `in_memory` (1 GB) lie in a file that they remove."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= (IN_MEMORY_BYTES if in_memory is None else in_memory):
        return np.zeros(shape, dtype)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise InputError(
            f"a result of {size / 1e9:,.1f} GB",
            expected=f"at most the {free / 1e9:,.1f} GB that are free in {folder}",
            remedy="Make room there, or set the environment variable TMPDIR to another folder.",
        )
    # Blocks that are never written take no room on most file systems.
    with tempfile.TemporaryFile(prefix="napari-snow-unet-") as file:
        return np.memmap(file, dtype=np.dtype(dtype), mode="w+", shape=shape)


def moved_to_disk(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array as it is, or its copy on disk when it is larger than 1 GB."""
    if array.nbytes <= IN_MEMORY_BYTES:
        return array
    copy = zeros(array.shape, array.dtype)
    copy[...] = array
    return copy
