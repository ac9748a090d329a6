"""Annotated regions, plane by plane, from label images and from outlines drawn by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.polygons import fill_polygon
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.data.pixels.pixel_grid import nearest
from napari_snow_unet.metrics.planes import messages

_ELLIPSE_POINTS = 180


def region_of_labels(labels: Any, shape: tuple[int, ...]) -> Region:
    """Take all labels but 0 as annotated; one plane of labels counts for every slice."""
    own_shape = tuple(labels.shape)
    if own_shape not in (shape, shape[-2:]):
        raise InputError(messages.region_of_other_shape(own_shape, shape))
    for_all = own_shape != shape

    def annotated(index: Index) -> NDArray[np.bool_]:
        return np.asarray(labels[() if for_all else index]) != 0

    return annotated


def region_of_outlines(outlines: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> Region:
    """Take the union of the insides of outlines as annotated."""
    # Corners are (..., y, x) in pixels; with two axes only they apply to every plane.
    in_plane: defaultdict[Index, list[NDArray[np.float64]]] = defaultdict(list)
    for outline in outlines:
        in_plane[_plane_of(outline, len(shape))].append(outline[:, -2:])
    everywhere = in_plane[()]

    def annotated(index: Index) -> NDArray[np.bool_]:
        height, width = shape[-2:]
        inside = np.zeros((height, width), bool)
        for outline in [*everywhere, *(in_plane.get(index, []) if index else [])]:
            corners = outline[:, ::-1] + 0.5  # pixel centres have integer coordinates here
            window, filled = fill_polygon([corners], (height, width))
            inside[window] |= filled
        return inside

    return annotated


def ellipse_outline(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ellipse inscribed in a parallelogram with these corners in order, shape (4, D)."""
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE_POINTS, endpoint=False)[:, None]
    first, second = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    points: NDArray[np.float64] = (
        corners.mean(axis=0) + np.cos(angle) * first + np.sin(angle) * second
    )
    return points


def _plane_of(outline: NDArray[np.float64], ndim: int) -> Index:
    leading = nearest(outline[:, :-2])
    if outline.shape[1] == 2:
        return ()
    if outline.shape[1] != ndim or (leading != leading[0]).any():
        raise InputError(messages.SEVERAL_SLICES)
    return tuple(int(number) for number in leading[0])
