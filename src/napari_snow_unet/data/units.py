"""Pixel sizes and positions out of transforms and units, as image viewers state them.

A unit here is any object with pint's methods, such as those that napari's layers carry; nothing
is imported for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

SQUARE = 0.01  # sides of a pixel may differ by this part and it still counts as square


def unit_um(unit: Any) -> float | None:
    """Return how many micrometres a unit has; None for pixels and whatever is no length."""
    quantity = 1.0 * unit
    return float(quantity.m_as("micrometer")) if quantity.check("[length]") else None


def pixel_size_um(linear: ArrayLike, units: Sequence[Any]) -> float | None:
    """Return the pixel size that a transform with units states.

    Parameters
    ----------
    linear : array-like, shape (D, D)
        Linear part of the transform from pixels to the world; the plane is in the last two axes.
    units : sequence of units, length D
        Units of the world's axes.

    Returns
    -------
    float or None
        Micrometres per pixel. None where an axis of the plane has no unit of length, and where
        pixels are not square to 1 %.
    """
    factors = [unit_um(unit) for unit in units[-2:]]
    if None in factors:
        return None
    plane = np.asarray(linear, dtype=float)[-2:, -2:] * np.array(factors, dtype=float)[:, None]
    height, width = np.linalg.norm(plane, axis=0)
    if not (np.isfinite(height) and width > 0 and abs(height / width - 1) <= SQUARE):
        return None
    return float(f"{np.sqrt(height * width):.6g}")


def in_units(
    position: Sequence[float], stated: Sequence[Any] | None, wanted: Sequence[Any]
) -> list[float]:
    """Convert a position from the units it is stated in to others.

    Parameters
    ----------
    position : sequence of float, length N
        A point in the world.
    stated : sequence of units, length N, or None
        Its units; None when the world has none.
    wanted : sequence of units, length D
        Units of an object in the last D of these axes.

    Returns
    -------
    list of float, length D
        The point in the last D axes, zeros in front where N is less than D. Axes whose units do
        not convert are left as they are.
    """
    number = len(wanted)
    point = [0.0] * (number - len(position)) + [float(value) for value in position[-number:]]
    units = [None] * number if stated is None else list(stated)[-number:]
    units = [None] * (number - len(units)) + units
    for axis, (old, new) in enumerate(zip(units, wanted, strict=True)):
        if old is not None and old != new and old.is_compatible_with(new):
            point[axis] *= float((1.0 * old).m_as(new))
    return point
