"""Axes of length 1, which programs leave behind, and where the plane is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Index = tuple[int, ...]  # of a plane in a stack; () where there is one plane only
#: Gives the pixels of a plane that count; in some planes that is none.
Region = Callable[[Index], NDArray[np.bool_]]


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape, without colours, that has no axis of length 1 but what makes a plane.

    Parameters
    ----------
    shape : tuple of int
        Such as (1, Y, X), (Y, X, 1) or (N, Y, X, 1).

    Returns
    -------
    tuple of int
        (Y, X) or (N, Y, X); of a row or column of pixels the last two axes.
    """
    return tuple(shape[axis] for axis in kept_axes(shape))


def kept_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return which axes of a shape, without colours, `without_ones` keeps, in order."""
    kept = tuple(axis for axis, length in enumerate(shape) if length != 1)
    return kept if len(kept) >= 2 else tuple(range(len(shape)))[-2:]


def plane_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape, without colours, whose last two axes are the plane.

    Parameters
    ----------
    shape : tuple of int
        That of an array or a layer.

    Returns
    -------
    tuple of int
        The same, unless an axis of length 1 stands in the place of the plane, as in (Y, X, 1) and
        (Y, 1, X): then without axes of length 1.
    """
    return without_ones(shape) if len(shape) > 2 and 1 in shape[-2:] else shape


def as_in_file(
    shape: tuple[int, ...], planes: Iterable[tuple[int, ...]]
) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """Return the shape, and the planes, that an array has when it is read from its file again.

    Parameters
    ----------
    shape : tuple of int
        Of the array, without colours.
    planes : iterable of tuple of int
        Indices into the axes before the plane.

    Returns
    -------
    shape : tuple of int
        Without axes of length 1.
    planes : list of tuple of int
        The same planes, in order.
    """
    leading = plane_last(shape)[:-2]
    kept = [axis for axis, length in enumerate(leading) if length != 1]
    plane = plane_last(shape)[-2:]
    indices = sorted({tuple(index[axis] for axis in kept) for index in planes})
    return (*(leading[axis] for axis in kept), *plane), indices
