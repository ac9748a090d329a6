"""Polygons with holes to pixels.

A pixel belongs to a polygon if its centre lies inside; a centre exactly on the outline counts on
the polygon's left and upper sides only. So polygons that touch share no pixel and leave none out,
and outlines traced along pixel edges give back exactly the pixels they were traced from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

#: Outer ring and holes, each (N, 2) x and y; the first point may be repeated at the end.
Polygon: TypeAlias = Sequence[npt.NDArray[np.float64]]


def fill_polygon(
    polygon: Polygon, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    """Find the pixels whose centres lie in a polygon: a window of the image, and which of it.

    Pixel (row, column) reaches from (column, row) to (column + 1, row + 1).
    """
    # The even-odd rule: each row of pixel centres crosses the edges, and from the first crossing
    # to the second, the third to the fourth and so on it is inside.
    rows, columns = _crossings(polygon, shape[0])
    columns = np.clip(np.ceil(columns - 0.5), 0, shape[1]).astype(np.intp)
    if not len(rows):
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), bool)
    top, left, right = rows.min(), columns.min(), columns.max()
    window = slice(top, rows.max() + 1), slice(left, right)
    steps = np.zeros((rows.max() + 1 - top, right - left + 1), np.int32)
    rows, columns = rows - top, columns - left
    np.add.at(steps, (rows[::2], columns[::2]), 1)
    np.add.at(steps, (rows[1::2], columns[1::2]), -1)
    return window, np.cumsum(steps, axis=1)[:, :-1] > 0


def effort(polygon: Polygon, shape: tuple[int, int]) -> tuple[int, int]:
    """Return about how many crossings with rows and pixels `fill_polygon` would go through."""
    crossings = 0.0
    for ring in polygon:
        y = np.clip(ring[:, 1], 0, shape[0])
        crossings += float(np.abs(np.diff(y, append=y[:1])).sum())
    corners = np.clip(np.concatenate(polygon), 0, (shape[1], shape[0]))
    width, height = np.ptp(corners, axis=0) if len(corners) else (0.0, 0.0)
    return int(crossings), int(width * height)


def area(polygon: Polygon) -> float:
    """Return the area of a polygon's outer ring less its holes, in square pixels."""
    outer, *holes = (abs(signed_area(ring)) for ring in polygon)
    return outer - sum(holes)


def signed_area(ring: npt.NDArray[np.float64]) -> float:
    """Return a ring's area by the shoelace formula, in square pixels."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    around = x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1]
    return float(around) / 2


def _crossings(
    polygon: Polygon, height: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return where edges cross the rows of pixel centres, by row and then from left to right."""
    start = np.concatenate(polygon)
    end = np.concatenate([part for ring in polygon for part in (ring[1:], ring[:1])])
    low, high = (pick(start[:, 1], end[:, 1]) for pick in (np.minimum, np.maximum))
    first, stop = (np.clip(np.ceil(y - 0.5), 0, height).astype(np.intp) for y in (low, high))
    counts = stop - first
    edge = np.repeat(np.arange(len(start)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    x = x0 + (row + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
    order = np.lexsort((x, row))
    return row[order], x[order]
