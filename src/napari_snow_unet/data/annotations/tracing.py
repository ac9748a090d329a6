"""Label images to polygons with holes, traced along the edges of pixels: exact and valid.

`annotations.polygons.fill_polygon` gives back the pixels that a polygon was traced from.

References
----------
.. [1] Open Geospatial Consortium, "Simple Feature Access - Part 1", 06-103r4, 6.1.11.1: rings are
       simple, touch each other in points only, and the interior of a polygon is connected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.annotations.polygons import Polygon, signed_area

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TracedNucleus:
    """The outline of one label: a polygon for every part that is connected by edges.

    Rings are not closed: the first point is not repeated. Outer rings have a positive area by the
    shoelace formula, holes a negative one.
    """

    label: int
    polygons: tuple[Polygon, ...]


def trace_outlines(labels: npt.NDArray[np.integer[Any]]) -> list[TracedNucleus]:
    """Trace every label of an image along the edges of its pixels, in the order of the labels.

    Pixel (row, column) reaches from x, y = (column, row) to (column + 1, row + 1).

    Notes
    -----
    The edges around a part, with its pixels on their left, form closed walks that may meet
    themselves in corners where four pixels lie like a chessboard. Cut there, every walk falls into
    simple rings: one around the part, one for each hole. A part is connected by edges, so its
    interior is, and the polygon is valid in the sense of [1]_.
    """
    from skimage.measure import label

    framed = np.pad(label(labels, background=0, connectivity=1), 1)
    edges = _edges(framed)
    if not edges.size:
        return []
    order, starts = _walks(*_following(framed, edges))
    owner, points, starts = _corners(framed, edges, order, starts)
    return _assembled(np.asarray(labels), framed, owner, list(_simple_rings(points, starts)))


def _edges(parts: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Return all edges between parts, sorted: four times the pixel's flat index plus direction.

    Directions are right (along the pixel's upper side), down (right side), left (lower side) and
    up (left side), so that the pixel is always on the same hand.
    """
    flat, (beside, _) = parts.ravel(), _steps(parts.shape[1])
    inside = np.flatnonzero(flat)
    edges = [
        4 * inside[flat[inside] != flat[inside + step]] + direction
        for direction, step in enumerate(beside)
    ]
    return np.sort(np.concatenate(edges))


def _steps(width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return, by direction, the step to the pixel across the edge and to the one ahead."""
    return np.array([-width, 1, width, -1]), np.array([1, width, -1, -width])


def _following(
    parts: npt.NDArray[np.integer[Any]], edges: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the position of the edge that follows each, and whether it goes straight on."""
    flat, (beside, ahead) = parts.ravel(), _steps(parts.shape[1])
    pixel, direction = edges // 4, edges % 4
    left = pixel + ahead[direction]
    right = left + beside[direction]
    around = flat[left] != flat[pixel]  # round a corner of the pixel itself
    straight = ~around & (flat[right] != flat[pixel])
    codes = np.where(straight, 4 * left + direction, 4 * right + (direction - 1) % 4)
    codes = np.where(around, 4 * pixel + (direction + 1) % 4, codes)
    return np.searchsorted(edges, codes), straight


def _walks(
    following: npt.NDArray[np.int64], straight: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Follow the edges round: those that end in a corner, and where in them each walk begins."""
    after, seen = following.tolist(), bytearray(len(following))
    order: list[int] = []
    starts: list[int] = []
    for first in range(len(after)):
        if seen[first]:
            continue
        starts.append(len(order))
        edge = first
        while not seen[edge]:
            seen[edge] = 1
            order.append(edge)
            edge = after[edge]
    every = np.array(order)
    turns = ~straight[every]
    before = np.concatenate([[0], np.cumsum(turns)])
    return every[turns], before[np.array(starts)]


def _corners(
    parts: npt.NDArray[np.integer[Any]],
    edges: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], Points, npt.NDArray[np.int64]]:
    """Return whose walks they are, and their corners as x and y."""
    pixel, direction = edges[order] // 4, edges[order] % 4
    rows, columns = np.divmod(pixel, parts.shape[1])
    x = columns - 1 + np.isin(direction, (0, 1))
    y = rows - 1 + np.isin(direction, (1, 2))
    return pixel[starts], np.stack([x, y], axis=1).astype(np.float64), starts


def _simple_rings(points: Points, starts: npt.NDArray[np.int64]) -> Iterator[tuple[int, Points]]:
    """Yield the number of each walk with the rings that it falls into."""
    span = points[:, 0].max() + 1
    keys = points[:, 1] * span + points[:, 0]
    walk = np.repeat(np.arange(len(starts)), np.diff([*starts, len(points)]))
    order = np.lexsort((keys, walk))
    same = (np.diff(keys[order]) == 0) & (np.diff(walk[order]) == 0)
    meeting = set(walk[order][1:][same].tolist())
    for number, ring in enumerate(np.split(points, starts[1:])):
        if number in meeting:
            yield from ((number, part) for part in _cut(ring))
        else:
            yield number, ring


def _cut(walk: Points) -> Iterator[Points]:
    """Cut a walk where it meets itself."""
    path: list[tuple[float, float]] = []
    place: dict[tuple[float, float], int] = {}
    for x, y in walk.tolist():
        at = place.get((x, y))
        if at is not None:
            yield np.array(path[at:])
            for corner in path[at:]:
                del place[corner]
            del path[at:]
        place[x, y] = len(path)
        path.append((x, y))
    yield np.array(path)


def _assembled(
    labels: npt.NDArray[np.integer[Any]],
    parts: npt.NDArray[np.integer[Any]],
    owner: npt.NDArray[np.int64],
    rings: list[tuple[int, Points]],
) -> list[TracedNucleus]:
    """Put the rings of every part together, the outer one first, and the parts of every label."""
    outer: dict[int, list[Points]] = {}
    holes: dict[int, list[Points]] = {}
    part_of_walk = parts.ravel()[owner].tolist()
    rows, columns = np.divmod(owner, parts.shape[1])
    label_of_part = dict(zip(part_of_walk, labels[rows - 1, columns - 1].tolist(), strict=True))
    for number, ring in rings:
        kind = outer if signed_area(ring) > 0 else holes
        kind.setdefault(part_of_walk[number], []).append(ring)
    polygons: dict[int, list[Polygon]] = {}
    for part, around in outer.items():
        polygons.setdefault(label_of_part[part], []).append([*around, *holes.get(part, [])])
    return [TracedNucleus(number, tuple(polygons[number])) for number in sorted(polygons)]
