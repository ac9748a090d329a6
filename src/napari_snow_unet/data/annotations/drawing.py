"""Outlines to pixels, within bounds of effort. See `polygons` for which pixels belong to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.annotations.outlines import Outline
from napari_snow_unet.data.annotations.polygons import Polygon, effort, fill_polygon
from napari_snow_unet.data.names.qupath import TileRegion

_MOST_LAYERS = 20
_SMALL_CANVAS = 1 << 18  # pixels
_MOST_CROSSINGS = 1 << 24
_FARTHEST_CONTOUR = 1 << 14  # pixels from the image; OpenCV counts in 16 bits and fractions


def draw_labels(
    outlines: Sequence[Outline], shape: tuple[int, int], region: TileRegion | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Draw outlines as labels, the first with the id 1, and count the pixels of each, seen or not.

    Where outlines overlap the smaller one lies on top. The id of an outline outside the image, or
    too small to hold the centre of a pixel, is missing.
    """
    labels, drawn = np.zeros(shape, np.int32), np.zeros(len(outlines), np.int64)
    sizes = [outline.area for outline in outlines]
    for number in sorted(range(len(outlines)), key=lambda number: -sizes[number]):
        for window, inside in _filled(outlines[number], shape, region):
            labels[window][inside] = number + 1
            drawn[number] += np.count_nonzero(inside)
    return labels, drawn


def draw_area(
    outlines: Sequence[Outline], shape: tuple[int, int], region: TileRegion | None = None
) -> npt.NDArray[np.bool_]:
    """Draw outlines as one area."""
    area = np.zeros(shape, bool)
    for outline in outlines:
        for window, inside in _filled(outline, shape, region):
            area[window] |= inside
    return area


def is_too_much(
    outlines: Sequence[Outline], shape: tuple[int, int], region: TileRegion | None = None
) -> bool:
    """Tell whether outlines are far more than nuclei can be, so that drawing would not end."""
    # Nuclei hardly overlap: what covers an image many times, or crosses its rows millions of
    # times, is a mistake or an attack.
    limit, covered = _MOST_LAYERS * (shape[0] * shape[1] + _SMALL_CANVAS), 0
    for outline in outlines:
        for polygon in outline.polygons:
            crossings, window = effort(_in_tile_pixels(polygon, region), shape)
            covered += crossings + window
            if crossings > _MOST_CROSSINGS or covered > limit:
                return True
    return False


def lies_outside(outline: Outline, shape: tuple[int, int]) -> bool:
    """Tell whether an outline has no part in an image."""
    left, top, right, bottom = outline.box
    return right <= 0 or bottom <= 0 or left >= shape[1] or top >= shape[0]


def extent(outlines: Sequence[Outline]) -> tuple[int, int]:
    """Return height and width of the smallest image, from the origin, that holds all outlines."""
    boxes = [outline.box for outline in outlines]
    right, bottom = (max(box[side] for box in boxes) for side in (2, 3)) if boxes else (1, 1)
    centred = any(outline.centred for outline in outlines)
    return max(int(np.ceil(bottom)) + centred, 1), max(int(np.ceil(right)) + centred, 1)


def _filled(
    outline: Outline, shape: tuple[int, int], region: TileRegion | None
) -> list[tuple[tuple[slice, slice], npt.NDArray[np.bool_]]]:
    """Return the windows of an image that an outline's parts fill, and the pixels in each."""
    if not outline.centred:
        return [
            fill_polygon(_in_tile_pixels(polygon, region), shape) for polygon in outline.polygons
        ]
    filled = []
    for polygon in outline.polygons:
        on_tile = _in_tile_pixels(polygon, region)
        if _is_contour(on_tile, shape, region):
            filled.append(_fill_contour(on_tile, shape))
        else:
            middle = 0.5 if region is None else 0.5 / region.downsample
            filled.append(fill_polygon([ring + middle for ring in on_tile], shape))
    return filled


def _is_contour(polygon: Polygon, shape: tuple[int, int], region: TileRegion | None) -> bool:
    """Tell whether corners are centres of pixels of this image, near enough for OpenCV."""
    corners = np.concatenate(polygon)
    whole = region is None or region.downsample == 1
    near = corners.min() > -_FARTHEST_CONTOUR
    near &= corners.max() < max(shape) + _FARTHEST_CONTOUR
    return bool(whole and near and max(shape) < _FARTHEST_CONTOUR)


def _fill_contour(
    polygon: Polygon, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    """Fill what a contour goes around, the pixels that it goes through among it."""
    import cv2

    rings = [np.rint(ring).astype(np.int32) for ring in polygon]
    corners = np.concatenate(rings)
    left, top = np.maximum(corners.min(axis=0), 0).tolist()
    right, bottom = np.minimum(corners.max(axis=0) + 1, shape[::-1]).tolist()
    if right <= left or bottom <= top:
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), bool)
    canvas = np.zeros((bottom - top, right - left), np.uint8)
    cv2.drawContours(canvas, rings, -1, 1, cv2.FILLED, offset=(-left, -top))
    return (slice(top, bottom), slice(left, right)), canvas > 0


def _in_tile_pixels(polygon: Polygon, region: TileRegion | None) -> Polygon:
    if region is None:
        return polygon
    return [(ring - (region.x, region.y)) / region.downsample for ring in polygon]
