"""A missed nucleus added: grown from a click, or drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.polygons import fill_polygon
from napari_snow_unet.segmentation.corrections import messages
from napari_snow_unet.segmentation.corrections.change import (
    Change,
    Labels,
    around,
    check_number,
    nucleus_at,
)
from napari_snow_unet.segmentation.corrections.objects import placed
from napari_snow_unet.segmentation.plane.nuclei import (
    LARGEST_HOLE_UM2,
    REFERENCE_PIXEL_UM,
    SMALLEST_NUCLEUS_UM2,
    fill_small_holes,
)
from napari_snow_unet.segmentation.plane.threshold import level_of

LARGEST_NUCLEUS_UM2 = 300.0  # what grows beyond has run into its surroundings
REACH_UM = 20.0  # so far from a click a nucleus may grow
SEED_UM = 0.75  # so far beside the darkest pixel one may click
SMOOTHING_UM = 0.25  # chromatin is no outline
USUAL_UM2 = 15.0  # nuclei smaller than this need a sharper outline
LEAST_STEEPNESS = 1.0  # of 255 per pixel, along the outline
STEPS = 24  # thresholds tried until the size is plausible


@dataclass(frozen=True, eq=False)
class Guide:
    """What a nucleus is grown in: planes, in memory or lazy, of which a window is read."""

    probability: Any = None  # of nucleus times 255, uint8 (Y, X)
    threshold: float = 0.5  # on the probability, 0 to 1
    pixels: Any = None  # the image: (Y, X) or (Y, X, C)
    pixel_size_um: float | None = None

    @property
    def pixel(self) -> float:
        """The size of a pixel in micrometres; that of a 40x scan where it is unknown."""
        return self.pixel_size_um or REFERENCE_PIXEL_UM

    def length(self, micrometres: float) -> int:
        """Return a length in pixels, at least 1."""
        return max(round(micrometres / self.pixel), 1)

    def area(self, um2: float) -> float:
        """Return an area in pixels."""
        return um2 / self.pixel**2


def add_at(labels: Labels, point: ArrayLike, new_id: int, guide: Guide) -> Change:
    """Add the nucleus at a point, grown over background around it.

    In the probability map it grows down to the threshold of the result, or to the next higher one
    at which its size is plausible. Where the point lies below that threshold, or there is no map,
    the threshold is the one that gives the sharpest and roundest outline: in the map, then in the
    image (dark in its red channel; in a grey image dark or bright, as it is at the point).
    """
    number = nucleus_at(labels, point)
    if number:
        raise InputError(messages.occupied(number))
    row, column = np.rint(point).astype(int)
    one = (slice(row, row + 1), slice(column, column + 1))
    window = around(one, guide.length(REACH_UM), labels.shape)
    seed = (row - window[0].start, column - window[1].start)
    free = labels[window] == 0
    if min(free.shape) and free.shape[0] > seed[0] >= 0 and free.shape[1] > seed[1] >= 0:
        for grown in _candidates(guide, window, seed, free):
            if grown is not None:
                return _added(labels, grown, window, new_id)
    raise InputError(messages.NOTHING_GROWN)


def add_outline(labels: Labels, outline: ArrayLike, new_id: int) -> Change:
    """Add a nucleus by its outline (N, 2), rows and columns; other nuclei keep their pixels."""
    ring = np.asarray(outline, float)[:, ::-1] + 0.5  # polygons count from a pixel's corner
    window, mask = fill_polygon([ring], (labels.shape[0], labels.shape[1]))
    if not mask.any():
        raise InputError(messages.OUTLINE_TOO_SMALL)
    free = mask & (labels[window] == 0)
    if not free.any():
        raise InputError(messages.OUTLINE_OCCUPIED)
    return _added(labels, _largest(free), window, new_id)


def _added(
    labels: Labels, mask: NDArray[np.bool_], window: tuple[slice, slice], new_id: int
) -> Change:
    check_number(labels, new_id)
    indices = placed(mask, window)
    values = np.full(len(indices[0]), new_id, labels.dtype)
    return Change(indices, values, "added", (new_id,))


def _candidates(
    guide: Guide, window: tuple[slice, slice], seed: tuple[int, int], free: NDArray[np.bool_]
) -> Iterator[NDArray[np.bool_] | None]:
    """Grow a nucleus in one way after the other, the best one first."""
    if guide.probability is not None:
        heights, level = np.asarray(guide.probability[window]), level_of(guide.threshold)
        if heights[seed] > level:
            yield _down_to(level, heights, seed, free, guide)
        yield _best(heights, seed, free, guide)
    if guide.pixels is not None:
        yield _best(_heights_of(guide, window, seed), seed, free, guide)


def _heights_of(
    guide: Guide, window: tuple[slice, slice], seed: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a window of the image as 8-bit values that are high where a nucleus is."""
    import cv2

    pixels = np.asarray(guide.pixels[window])
    coloured = pixels.ndim == 3
    values = np.nan_to_num((pixels[..., 0] if coloured else pixels).astype(np.float32))
    values = cv2.GaussianBlur(values, (0, 0), SMOOTHING_UM / guide.pixel)
    if pixels.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255 / (high - low) if high > low else 0)
    dark = coloured or values[seed] <= np.median(values)
    return np.rint(np.clip(255 - values if dark else values, 0, 255)).astype(np.uint8)


def _down_to(
    level: int,
    heights: NDArray[np.uint8],
    seed: tuple[int, int],
    free: NDArray[np.bool_],
    guide: Guide,
) -> NDArray[np.bool_] | None:
    """Return the nucleus above a level, or above the lowest one at which its size is plausible."""
    levels = np.unique(np.linspace(level, max(int(heights[seed]) - 1, level), STEPS).astype(int))
    return next(_plausible(levels, heights, seed, free, guide), None)


def _best(
    heights: NDArray[np.uint8], seed: tuple[int, int], free: NDArray[np.bool_], guide: Guide
) -> NDArray[np.bool_] | None:
    """Return the nucleus with the sharpest and roundest outline among those at all thresholds."""
    import cv2

    seed = _highest(heights, seed, free, guide.length(SEED_UM))
    slopes = [cv2.Scharr(heights, cv2.CV_32F, *step, scale=1 / 32) for step in ((1, 0), (0, 1))]
    steepness = np.hypot(*slopes)
    levels = np.unique(np.linspace(int(heights.min()), heights[seed], 2 * STEPS).astype(int))[:-1]
    best, highest = None, LEAST_STEEPNESS
    for mask in _plausible(levels, heights, seed, free, guide):
        area = np.count_nonzero(mask)
        usual = area / (area + guide.area(USUAL_UM2))
        score = float(steepness[_rim(mask, free)].mean()) * _solidity(mask) ** 2 * usual
        if score > highest:
            best, highest = mask, score
    return best


def _plausible(
    levels: NDArray[np.int_],
    heights: NDArray[np.uint8],
    seed: tuple[int, int],
    free: NDArray[np.bool_],
    guide: Guide,
) -> Iterator[NDArray[np.bool_]]:
    """Yield the component of the seed above each level, where its size is that of a nucleus."""
    for level in levels.tolist():
        above = (heights > level) & free
        if not above[seed]:
            return
        grown = _tidied(above, seed, guide) & free
        area = np.count_nonzero(grown)
        if area < guide.area(SMALLEST_NUCLEUS_UM2):
            return
        if area <= guide.area(LARGEST_NUCLEUS_UM2):
            yield grown


def _rim(mask: NDArray[np.bool_], free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels on both sides of an outline, without those beside another nucleus."""
    import cv2

    square = np.ones((3, 3), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), square, borderValue=0) > 0
    rim = (cv2.dilate(mask.astype(np.uint8), square) > 0) & ~inner
    open_rim = rim & (cv2.dilate((~free).astype(np.uint8), square) == 0)
    return open_rim if open_rim.any() else rim


def _solidity(mask: NDArray[np.bool_]) -> float:
    """Return the share of its convex hull that a component fills, 0 to 1."""
    import cv2

    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    hull = cv2.contourArea(cv2.convexHull(outline))
    return cv2.contourArea(outline) / hull if hull else 0.0


def _highest(
    heights: NDArray[np.uint8], seed: tuple[int, int], free: NDArray[np.bool_], reach: int
) -> tuple[int, int]:
    """Return the highest free pixel near the seed."""
    one = (slice(seed[0], seed[0] + 1), slice(seed[1], seed[1] + 1))
    near = around(one, reach, heights.shape)
    values = np.where(free[near], heights[near].astype(int), -1)
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return int(row) + near[0].start, int(column) + near[1].start


def _tidied(above: NDArray[np.bool_], seed: tuple[int, int], guide: Guide) -> NDArray[np.bool_]:
    """Return the component of the seed, without thin tails and holes."""
    import cv2

    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    opened = cv2.morphologyEx(above.astype(np.uint8), cv2.MORPH_OPEN, cross)
    if not opened[seed]:
        opened = above.astype(np.uint8)
    _, parts = cv2.connectedComponents(opened, connectivity=4)
    mask = (parts == parts[seed]).astype(np.uint8)
    return fill_small_holes(mask, guide.area(LARGEST_HOLE_UM2)) > 0


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest 8-connected component."""
    import cv2

    _, parts, statistics, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    return np.asarray(parts == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax())
