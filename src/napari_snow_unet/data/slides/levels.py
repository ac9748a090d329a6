"""The levels of a slide as dask arrays."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import shape_in_words
from napari_snow_unet.data.pixels.messages import damaged
from napari_snow_unet.data.pixels.opening import path_errors
from napari_snow_unet.data.slides import messages

CHUNK = 1024  # pixels; smaller ones make a large slide slow to plan, larger ones slow to look at
LARGEST_OVERVIEW = 4096  # pixels a side
LARGEST_PIECE = 1 << 28  # bytes that must be unpacked together
LARGEST_SIDE = 1 << 19  # pixels: 13 cm at 0.25 um

Box = tuple[slice, ...]  # one slice, with start and stop, for every axis


class Level:
    """One level of a slide, sliced like an array; whatever goes wrong names the file."""

    def __init__(
        self, path: Path, shape: Sequence[int], dtype: Any, read: Callable[[Box], npt.NDArray[Any]]
    ) -> None:
        self.path, self.read = path, read
        self.shape = tuple(int(length) for length in shape)
        self.dtype = np.dtype(dtype)
        self.ndim = len(self.shape)

    def __getitem__(self, box: Box) -> npt.NDArray[Any]:
        with path_errors(self.path):
            return np.asarray(self.read(box))


def as_dask(level: Level, tile: Sequence[int], axes: str) -> Any:
    """Make a dask array, (Y, X) or (Y, X, colours), of a level; chunks are multiples of `tile`.

    `axes` are Y, X, and S or C for colours; others must have the length 1.
    """
    import dask.array as da

    check_level(level, tile, axes)
    chunks = [
        min(length, -(-CHUNK // stored) * stored) if axis in "YX" else length
        for axis, length, stored in zip(axes, level.shape, tile, strict=True)
    ]
    name = f"slide-{uuid.uuid4().hex}"  # a given name saves dask hashing what it cannot
    pixels = da.from_array(level, chunks=tuple(chunks), name=name, asarray=False)
    for number in reversed(range(level.ndim)):
        if axes[number] not in "YXSC" or (axes[number] in "SC" and level.shape[number] == 1):
            pixels = pixels[(slice(None),) * number + (0,)]
            axes = axes[:number] + axes[number + 1 :]
    order = [axes.index(axis) for axis in "YX"]
    order += [number for number in range(len(axes)) if number not in order]
    return pixels.transpose(order)


def check_level(level: Level, tile: Sequence[int], axes: str) -> None:
    """Refuse anything but one plane in grey or colours that can be read tile by tile."""
    lengths = dict(zip(axes, level.shape, strict=True))
    colours = lengths.get("S", 1) * lengths.get("C", 1)
    others = max((length for axis, length in lengths.items() if axis not in "YXSC"), default=1)
    if not {"Y", "X"} <= set(axes) or others > 1 or colours not in (1, 3, 4):
        raise InputError(messages.not_one_plane(axes, level.shape))
    check_tile(level, tile)


def check_tile(level: Level, tile: Sequence[int]) -> None:
    """Refuse a level that cannot be read tile by tile."""
    if min(level.shape) < 1 or max(level.shape) > LARGEST_SIDE:
        raise InputError(damaged(f"it claims a size of {shape_in_words(level.shape)}"))
    together = int(np.prod([int(length) for length in tile], dtype=object))
    if together * level.dtype.itemsize > LARGEST_PIECE:
        raise InputError(messages.NOT_TILED)


def with_overview(levels: Sequence[Any]) -> tuple[Any, ...]:
    """Leave out levels that are no smaller than the one before, and add coarse ones if needed."""
    kept = [levels[0]]
    for level in levels[1:]:
        if max(level.shape[:2]) < max(kept[-1].shape[:2]) and level.ndim == kept[0].ndim:
            kept.append(level)
    while max(kept[-1].shape[:2]) > LARGEST_OVERVIEW:
        kept.append(kept[-1][::2, ::2].rechunk({0: CHUNK, 1: CHUNK}))
    return tuple(kept)
