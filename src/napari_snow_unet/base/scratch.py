"""Arrays for results of any size: in memory, or in a temporary file that is removed by itself."""

from __future__ import annotations

import math
import shutil
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_snow_unet.base import messages
from napari_snow_unet.base.errors import InputError

IN_MEMORY_BYTES = 1_000_000_000


def zeros(
    shape: tuple[int, ...], dtype: DTypeLike, *, in_memory: int | None = None
) -> NDArray[Any]:
    """Return writable zeros; arrays of more than `in_memory` bytes (1 GB) are temporary files."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= (IN_MEMORY_BYTES if in_memory is None else in_memory):
        return np.zeros(shape, dtype)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise InputError(messages.result_too_large(size / 1e9, free / 1e9), path=folder)
    # Most file systems store no blocks that were never written.
    with tempfile.TemporaryFile(prefix="napari-snow-unet-") as file:
        return np.memmap(file, dtype=np.dtype(dtype), mode="w+", shape=shape)


def moved_to_disk(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array, or a copy on disk if it is larger than 1 GB."""
    if array.nbytes <= IN_MEMORY_BYTES:
        return array
    copy = zeros(array.shape, array.dtype)
    copy[...] = array
    return copy
