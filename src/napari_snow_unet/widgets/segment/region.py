"""The region of interest of an image: the current view, or what a layer marks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.data.pixels.pixel_grid import covering
from napari_snow_unet.data.pixels.placement import in_units
from napari_snow_unet.metrics.planes.region import region_of_labels, region_of_outlines
from napari_snow_unet.widgets.common import messages as common_messages
from napari_snow_unet.widgets.common.comparison import (
    is_shapes,
    measured_pixels,
    outlines_in,
    why_not_together,
)
from napari_snow_unet.widgets.common.layers import pixels_of, shape_of
from napari_snow_unet.widgets.segment import messages

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Shapes
    from napari.viewer import Viewer

WHOLE, SHOWN = "whole image", "current view"


@dataclass(frozen=True, eq=False)
class RegionOfInterest:
    """A rectangle in every plane of an image, in pixels, and the mask within it."""

    rows: slice
    columns: slice
    region: Region | None = None  # masks of the size of the rectangle; None for all of it
    name: str = SHOWN

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom and right; the last two are excluded."""
        return self.rows.start, self.columns.start, self.rows.stop, self.columns.stop

    @property
    def place(self) -> str:
        """Its position in pixels, counted from 0 as in napari."""
        (top, left, bottom, right) = self.box
        return f"y {top} to {bottom - 1}, x {left} to {right - 1}"

    def cut(self, pixels: Any, *, rgb: bool) -> Any:
        """Return the pixels of an image inside the rectangle."""
        place = (..., self.rows, self.columns, *([slice(None)] if rgb else []))
        return pixels[place]


def roi_of(viewer: Viewer, image: Image, chosen: str | Shapes | Labels) -> RegionOfInterest | None:
    """Return the chosen region of an image, None for all of it.

    `chosen` is `WHOLE`, `SHOWN`, or a layer whose shapes or labels mark the region.
    """
    if chosen == WHOLE:
        return None
    if chosen == SHOWN:
        return _shown(viewer, image)
    return _in_shapes(chosen, image) if is_shapes(chosen) else _in_labels(chosen, image)


def counted_part(
    viewer: Viewer,
    image: Image,
    chosen: str | Shapes | Labels,
    made: RegionOfInterest | None,
    window: tuple[slice, slice],
    plane: Index,
) -> NDArray[np.bool_] | None:
    """Return what counts of labels as training data, in a window of their image; None is all.

    It is what was segmented, `made`, and of that the chosen region.
    """
    masks = [] if made is None or made.region is None else [made.region(plane)]
    view_has_moved = chosen == SHOWN and made is not None
    roi = None if view_has_moved else roi_of(viewer, image, chosen)
    if roi is not None:
        mask = np.zeros(shape_of(image)[-2:], bool)
        mask[roi.rows, roi.columns] = True if roi.region is None else roi.region(plane)
        masks.append(mask[window])
    return np.logical_and.reduce(masks) if masks else None


def _shown(viewer: Viewer, image: Image) -> RegionOfInterest | None:
    shape = shape_of(image)
    planes = list(range(viewer.dims.ndim - 2, viewer.dims.ndim))
    if sorted(viewer.dims.displayed) != planes:
        raise InputError(messages.OTHER_AXES)
    camera, dims = viewer.scene.camera, viewer.dims
    reach = np.asarray(viewer.canvas.size) / camera.zoom / 2
    corners = []
    for side in product((-1, 1), repeat=2):
        world = np.array(dims.point, float)
        world[-2:] = np.asarray(camera.center)[-2:] + np.multiply(side, reach)
        corners.append(image.world_to_data(in_units(world.tolist(), dims.units, image.units))[-2:])
    roi = _boxed(*covering(corners), shape)
    return None if roi.box == (0, 0, *shape[-2:]) else roi


def _in_shapes(layer: Shapes, image: Image) -> RegionOfInterest:
    outlines = outlines_in(layer, image)
    corners = np.concatenate([outline[:, -2:] for outline in outlines])
    shape = shape_of(image)
    roi = _boxed(*covering(corners), shape, layer.name)
    shift = np.zeros(outlines[0].shape[1])
    shift[-2:] = roi.box[:2]
    inside = region_of_outlines([outline - shift for outline in outlines], _size(roi, shape))
    return RegionOfInterest(roi.rows, roi.columns, inside, f"inside {layer.name}")


def _in_labels(layer: Labels, image: Image) -> RegionOfInterest:
    problem = why_not_together(layer, image, pixel_by_pixel=None)
    if problem:
        raise InputError(common_messages.region_does_not_fit(problem))
    shape = shape_of(image)
    labels = pixels_of(layer) if shape_of(layer) == shape else measured_pixels(layer)
    used = _used(labels)
    if not all(indices.size for indices in used):
        raise InputError(messages.nothing_marked(layer.name))
    first, last = (np.array([indices[end] for indices in used]) for end in (0, -1))
    roi = _boxed(first, last + 1, shape, layer.name)
    held = labels[..., roi.rows, roi.columns]
    size = _size(roi, shape)
    inside = region_of_labels(held, size[-held.ndim :])
    return RegionOfInterest(roi.rows, roi.columns, inside, f"inside {layer.name}")


def _used(labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the columns that hold labels; large arrays are read in chunks."""
    import dask
    import dask.array as da

    marked = da.asarray(labels) != 0
    leading = tuple(range(marked.ndim - 2))
    rows, columns = dask.compute(
        marked.any(axis=(*leading, marked.ndim - 1)), marked.any(axis=(*leading, marked.ndim - 2))
    )
    return np.flatnonzero(rows), np.flatnonzero(columns)


def _boxed(
    first: np.ndarray, stop: np.ndarray, shape: tuple[int, ...], layer: str = ""
) -> RegionOfInterest:
    """Return the pixels from `first` to before `stop` within the image."""
    low, high = np.maximum(first, 0), np.minimum(stop, shape[-2:])
    if (low >= high).any():
        raise InputError(messages.outside_image(layer))
    return RegionOfInterest(slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))


def _size(roi: RegionOfInterest, shape: tuple[int, ...]) -> tuple[int, ...]:
    top, left, bottom, right = roi.box
    return (*shape[:-2], bottom - top, right - left)
