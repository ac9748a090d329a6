"""A nucleus separated along a drawn line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.segmentation.corrections import messages
from napari_snow_unet.segmentation.corrections.change import (
    Change,
    Labels,
    check_number,
    pixels_of,
)
from napari_snow_unet.segmentation.corrections.objects import placed
from napari_snow_unet.segmentation.plane.watershed import watershed

SMALLEST_SHARE, SMALLEST_PIXELS = 0.02, 3  # of a nucleus: what a line cuts off less of is a crumb

Path = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns of pixels in a row


def separate(labels: Labels, line: ArrayLike, new_id: int) -> Change:
    """Separate the nucleus that most of a line lies in; no pixel is lost.

    `line` is (N, 2), rows and columns of its corners. Where it ends inside the nucleus it is
    continued straight to the rim. Its own pixels go to the nearer side. The largest side keeps the
    number, others get `new_id` and what follows it.
    """
    points = np.rint(np.asarray(line, float))
    path = _within(_pixels_along(points), labels.shape)
    numbers, counts = np.unique(labels[path], return_counts=True)
    counts[numbers == 0] = 0
    if not counts.any():
        raise InputError(messages.LINE_MISSES)
    nucleus = pixels_of(labels, int(numbers[counts.argmax()]))
    box = nucleus.box
    corner = np.array([box[0].start, box[1].start])
    inside = _crossed(nucleus.mask(box), points - corner)
    sides = _sides(inside, _cut(inside, points - corner))
    check_number(labels, new_id + int(sides.max()) - 2)
    moved = sides > 1
    values = (sides[moved] + (new_id - 2)).astype(labels.dtype)
    ids = (nucleus.number, *range(new_id, new_id + int(sides.max()) - 1))
    return Change(placed(moved, box), values, "separated", ids)


def _pixels_along(points: NDArray[np.float64]) -> Path:
    """Return the pixels of a line, connected by edges or corners."""
    from skimage.draw import line

    corners = np.rint(points).astype(int)
    ends = zip(corners, [*corners[1:], corners[-1]], strict=True)
    segments = [line(*start, *end) for start, end in ends]
    rows, columns = (np.concatenate(axis) for axis in zip(*segments, strict=True))
    return rows, columns


def _within(path: Path, shape: tuple[int, ...]) -> Path:
    rows, columns = path
    there = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[there], columns[there]


def _crossed(mask: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the fragment of a nucleus that most of the line lies in."""
    import cv2

    _, fragments = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    along = fragments[_within(_pixels_along(points), mask.shape)]
    return np.asarray(fragments == np.bincount(along[along > 0]).argmax())


def _cut(inside: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the pixels of a line, continued where it ends inside."""
    cut = np.zeros(inside.shape, bool)
    cut[_within(_pixels_along(points), inside.shape)] = True
    direction = points[-1] - points[0]
    length = float(np.hypot(*direction))
    if not length:
        return cut
    reach = direction / length * float(np.hypot(*inside.shape))
    for end, way in ((points[0], -reach), (points[-1], reach)):
        rows, columns = _within(_pixels_along(np.stack([end, end + way])), inside.shape)
        within = np.logical_and.accumulate(inside[rows, columns])
        cut[rows[within], columns[within]] = True
    return cut


def _sides(inside: NDArray[np.bool_], cut: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Label the sides of a cut from 1, the largest first; every pixel inside gets a label."""
    import cv2

    rest = (inside & ~cut).astype(np.uint8)
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(rest, connectivity=4)
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    smallest = max(SMALLEST_SHARE * np.count_nonzero(inside), SMALLEST_PIXELS)
    order = [part for part in np.argsort(-areas, kind="stable") if areas[part] >= smallest]
    if len(order) < 2:
        raise InputError(messages.LINE_DIVIDES_NOTHING)
    numbers = np.zeros(len(areas), np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    flat = np.zeros(inside.shape, np.float32)  # so that the flood spreads with the distance
    sides = watershed(flat, numbers[parts], inside)
    if (inside & (sides == 0)).any():  # what is connected by a corner only
        sides = watershed(flat, sides, inside, across_corners=True)
    return sides
