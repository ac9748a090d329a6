"""Where the pixels of an array lie in the world, in which unit, and where on those of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

RIGHT_ANGLE = 0.01  # largest cosine between axes that still count as perpendicular
AROUND = 6.0  # diameters of an object that are shown of its surroundings
LEAST_PIXELS = 48.0  # and at least so many pixels


@dataclass(frozen=True, eq=False)
class Placement:
    """An affine transform from pixels to the world: ``world = linear @ pixel + origin``."""

    # (D, D): in columns, the step in the world of one pixel along each axis
    linear: NDArray[np.float64]
    origin: NDArray[np.float64]  # (D,): where pixel 0 lies
    units: tuple[Any, ...]  # of the world's D axes, with pint's methods

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.origin)

    def of_axes(self, axes: Sequence[int]) -> Placement:
        """Return the placement of an array that has only some of the axes."""
        kept = list(axes)
        units = tuple(self.units[axis] for axis in kept)
        return Placement(self.linear[np.ix_(kept, kept)], self.origin[kept], units)

    def to_world(self, pixels: ArrayLike, units: Sequence[Any] | None = None) -> NDArray[Any]:
        """Return where pixels, (N, D), lie in the world, or in one of other `units`.

        Axes are aligned at the last; along those that this world lacks, positions are 0.
        """
        world = np.asarray(pixels, float) @ self.linear.T + self.origin
        if units is None:
            return world
        factors = np.array(in_units([1.0] * self.ndim, self.units, units))
        both = min(self.ndim, len(units))
        result = np.zeros((len(world), len(units)))
        result[:, -both:] = world[:, -both:] * factors[-both:]
        return result

    def to_pixels(self, pixels: ArrayLike, of: Placement) -> NDArray[Any]:
        """Return where pixels, (N, E), of another array lie on this one; last axes are aligned."""
        world = of.to_world(pixels, self.units)
        return np.linalg.solve(self.linear, (world - self.origin).T).T


def largest_shift(shape: Sequence[int], one: Placement, other: Placement) -> float:
    """Return how far two arrays of one shape lie apart at most, in pixels of `other`."""
    corners = np.array(list(product(*[(0, length - 1) for length in shape])), float)
    # `other` may have further axes in front
    there = other.to_pixels(corners, one)[:, -len(shape) :]
    return float(np.linalg.norm(there - corners, axis=1).max())


def spacing_um(placement: Placement) -> tuple[float, float] | None:
    """Return height and width of a pixel in um; None if axes have no length or right angle."""
    factors = [layer_unit_um(unit) for unit in placement.units[-2:]]
    if None in factors:
        return None
    plane = placement.linear[-2:, -2:] * np.array(factors, float)[:, None]
    height, width = np.linalg.norm(plane, axis=0)
    if not (np.isfinite([height, width]).all() and height > 0 and width > 0):
        return None
    if abs(plane[:, 0] @ plane[:, 1]) > RIGHT_ANGLE * height * width:
        return None
    return float(f"{height:.6g}"), float(f"{width:.6g}")


def view_of(
    placement: Placement, centre: ArrayLike, area: float, units: Sequence[Any]
) -> tuple[NDArray[np.float64], float]:
    """Return the centre and side, in the world, of a square around an object of `area` pixels."""
    middle = np.asarray(centre, float)
    side = max(AROUND * 2 * np.sqrt(area / np.pi), LEAST_PIXELS)
    ends = np.stack([middle, middle, middle])
    ends[1, -2] += side
    ends[2, -1] += side
    world = placement.to_world(ends, units)
    return world[0], float(np.linalg.norm(world[1:] - world[0], axis=1).max())


SQUARE = 0.01  # sides of a pixel may differ by this part and it still counts as square


def layer_unit_um(unit: Any) -> float | None:
    """Return how many micrometres a unit has; None for pixels and other units than lengths."""
    quantity = 1.0 * unit
    return float(quantity.m_as("micrometer")) if quantity.check("[length]") else None


def pixel_size_um(linear: ArrayLike, units: Sequence[Any]) -> float | None:
    """Return um per pixel; None where axes are no lengths or pixels not square to 1 %."""
    factors = [layer_unit_um(unit) for unit in units[-2:]]
    if None in factors:
        return None
    plane = np.asarray(linear, dtype=float)[-2:, -2:] * np.array(factors, dtype=float)[:, None]
    height, width = np.linalg.norm(plane, axis=0)
    if not (np.isfinite(height) and width > 0 and abs(height / width - 1) <= SQUARE):
        return None
    return float(f"{np.sqrt(height * width):.6g}")


def linear_of_layer(layer: Any) -> NDArray[np.float64]:
    """Return the linear part of the transform from a napari layer's data to the world."""
    origin = np.array(layer.data_to_world([0] * layer.ndim))
    steps = np.eye(layer.ndim)
    return np.stack([np.array(layer.data_to_world(step)) - origin for step in steps], axis=1)


def in_units(
    position: Sequence[float], stated: Sequence[Any] | None, wanted: Sequence[Any]
) -> list[float]:
    """Convert a point to units of its last axes, zeros in front; what does not convert stays."""
    number = len(wanted)
    point = [0.0] * (number - len(position)) + [float(value) for value in position[-number:]]
    units = [None] * number if stated is None else list(stated)[-number:]
    units = [None] * (number - len(units)) + units
    for axis, (old, new) in enumerate(zip(units, wanted, strict=True)):
        if old is not None and old != new and old.is_compatible_with(new):
            point[axis] *= float((1.0 * old).m_as(new))
    return point
