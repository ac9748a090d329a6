"""Axes of length 1, which programs leave behind, and where the plane is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Index = tuple[int, ...]  # of a plane in a stack; () where there is one plane only
#: Gives the pixels of a plane that count; in some planes that is none.
Region = Callable[[Index], NDArray[np.bool_]]


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop axes of length 1 from a shape, without colours; of a row of pixels keep the last two."""
    return tuple(shape[axis] for axis in kept_axes(shape))


def kept_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return which axes of a shape, without colours, `without_ones` keeps, in order."""
    kept = tuple(axis for axis, length in enumerate(shape) if length != 1)
    return kept if len(kept) >= 2 else tuple(range(len(shape)))[-2:]


def plane_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop axes of length 1 where one is in the place of the plane: (Y, X, 1), (Y, 1, X)."""
    return without_ones(shape) if len(shape) > 2 and 1 in shape[-2:] else shape


def as_in_file(
    shape: tuple[int, ...], planes: Iterable[tuple[int, ...]]
) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """Return a shape, without colours, and indices of planes as they are once read from a file."""
    leading = plane_last(shape)[:-2]
    kept = [axis for axis, length in enumerate(leading) if length != 1]
    plane = plane_last(shape)[-2:]
    indices = sorted({tuple(index[axis] for axis in kept) for index in planes})
    return (*(leading[axis] for axis in kept), *plane), indices
