"""Divide a plane into overlapping windows whose cores add up to the result for the whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.options import refusal

GRID = 64  # window edges are multiples of this many pixels: few shapes for the network


@dataclass(frozen=True)
class PlannedWindow:
    """One window to compute, and the core of its result to keep."""

    window: tuple[slice, slice]  # the input of the network; mirrored beyond the plane
    core: tuple[slice, slice]  # of the plane; cores do not overlap
    inner: tuple[slice, slice]  # the core inside the window


def padded_length(length: int) -> int:
    """Round a length up to a multiple of 64 pixels."""
    return -(-length // GRID) * GRID


def smallest_window(halo: int) -> int:
    """Return the smallest window edge in pixels that leaves a core inside this halo."""
    return padded_length(2 * halo + GRID)


def check_window(window: int, halo: int) -> None:
    """Raise `InputError` unless a window edge is a multiple of 64 and leaves a core."""
    least = smallest_window(halo)
    if window < least or window % GRID:
        raise refusal(
            "tile",
            window,
            f"a multiple of {GRID}, and at least {least} for this model",
            f"Use {max(least, padded_length(window))}.",
        )


def plan_grid(shape: tuple[int, int], window: int, halo: int) -> list[PlannedWindow]:
    """Plan the windows of a plane in row-major order; their cores cover it without overlap.

    All windows have the same size (or that of a smaller plane) and lie inside the plane rounded up
    to multiples of 64 pixels. Outer edges of the plane are therefore edges of a window at any
    window size, and the halo at inner edges is discarded, so the result does not depend on
    `window`.

    The halo is a multiple of 16 and at least the radius of the network's receptive field.
    """
    check_window(window, halo)
    rows, columns = (_plan_axis(length, window, halo) for length in shape)
    return [
        PlannedWindow((y[0], x[0]), (y[1], x[1]), (y[2], x[2])) for y, x in product(rows, columns)
    ]


def smaller_window(window: int, fitting: int, halo: int) -> int:
    """Return the window edge to use if memory allows at most `fitting` pixels."""
    return min(window, max(fitting // GRID * GRID, smallest_window(halo)))


def cheapest_window(shape: tuple[int, int], halo: int, largest: int) -> int:
    """Return the window edge, from 3/4 of `largest`, that computes the fewest pixels twice."""
    least = max(smallest_window(halo), padded_length(largest * 3 // 4))

    def computed(window: int) -> int:
        lengths = [
            sum(part[0].stop - part[0].start for part in _plan_axis(length, window, halo))
            for length in shape
        ]
        return lengths[0] * lengths[1]

    return min(range(least, max(least, largest) + 1, GRID), key=computed)


def _plan_axis(length: int, window: int, halo: int) -> list[tuple[slice, slice, slice]]:
    padded = padded_length(length)
    if padded <= window:
        return [(slice(0, padded), slice(0, length), slice(0, length))]
    parts, start, origin = [], 0, 0
    while start < length:
        origin = min(origin, padded - window)
        stop = min(length, origin + window - halo if origin + window < padded else padded)
        core, inner = slice(start, stop), slice(start - origin, stop - origin)
        parts.append((slice(origin, origin + window), core, inner))
        start, origin = stop, origin + window - 2 * halo
    return parts


def within(window: tuple[slice, slice], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Clip a window to a plane of this shape."""
    rows, columns = (
        slice(part.start, min(part.stop, length))
        for part, length in zip(window, shape, strict=True)
    )
    return rows, columns


def mirrored(pixels: NDArray[Any], window: tuple[slice, slice]) -> NDArray[Any]:
    """Extend pixels by mirroring to a window that exceeds its plane."""
    missing = [
        (0, side.stop - side.start - length)
        for side, length in zip(window, pixels.shape[:2], strict=True)
    ]
    if not any(after for _, after in missing):
        return pixels
    return np.pad(pixels, missing + [(0, 0)] * (pixels.ndim - 2), mode="symmetric")
