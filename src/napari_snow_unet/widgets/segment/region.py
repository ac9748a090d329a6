"""The region of an image that a person wants segmented: what is shown, or what a layer marks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.axes import Region
from napari_snow_unet.data.pixels.pixel_grid import covering
from napari_snow_unet.data.pixels.placement import in_units
from napari_snow_unet.metrics.planes.region import region_of_labels, region_of_outlines
from napari_snow_unet.widgets.common.comparison import (
    is_shapes,
    measured_pixels,
    outlines_in,
    why_not_together,
)
from napari_snow_unet.widgets.common.layers import pixels_of, shape_of

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Shapes
    from napari.viewer import Viewer

WHOLE, SHOWN = "the whole image", "what is shown"


@dataclass(frozen=True, eq=False)
class RegionOfInterest:
    """A rectangle of every plane of an image, in pixels, and what counts in it."""

    rows: slice
    columns: slice
    region: Region | None = None  # masks of the size of the rectangle; None where all of it counts
    name: str = "part"

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom and right; the last two are not part of it."""
        return self.rows.start, self.columns.start, self.rows.stop, self.columns.stop

    @property
    def place(self) -> str:
        """Where it lies, in pixels as napari counts them."""
        (top, left, bottom, right) = self.box
        return f"y {top} to {bottom - 1}, x {left} to {right - 1}"

    def cut(self, pixels: Any, *, rgb: bool) -> Any:
        """Return what the rectangle holds of an image."""
        place = (..., self.rows, self.columns, *([slice(None)] if rgb else []))
        return pixels[place]


def roi_of(viewer: Viewer, image: Image, chosen: str | Shapes | Labels) -> RegionOfInterest | None:
    """Return the region of an image that was chosen, None for all of it.

    It is `WHOLE`, `SHOWN`, or what lies inside the shapes of a layer or under its labels.
    """
    if chosen == WHOLE:
        return None
    if chosen == SHOWN:
        return _shown(viewer, image)
    return _in_shapes(chosen, image) if is_shapes(chosen) else _in_labels(chosen, image)


def _shown(viewer: Viewer, image: Image) -> RegionOfInterest | None:
    shape = shape_of(image)
    planes = list(range(viewer.dims.ndim - 2, viewer.dims.ndim))
    if sorted(viewer.dims.displayed) != planes:
        raise InputError(
            "a view that is not of the image's planes",
            expected="the last two axes in the viewer, in 2D",
            remedy="Switch the viewer to 2D and back to its first view, or choose the whole image.",
        )
    camera, dims = viewer.scene.camera, viewer.dims
    reach = np.asarray(viewer.canvas.size) / camera.zoom / 2
    corners = []
    for side in product((-1, 1), repeat=2):
        world = np.array(dims.point, float)
        world[-2:] = np.asarray(camera.center)[-2:] + np.multiply(side, reach)
        corners.append(image.world_to_data(in_units(world.tolist(), dims.units, image.units))[-2:])
    roi = _boxed(*covering(corners), shape, "the view")
    return None if roi.box == (0, 0, *shape[-2:]) else roi


def _in_shapes(layer: Shapes, image: Image) -> RegionOfInterest:
    outlines = outlines_in(layer, image)
    corners = np.concatenate([outline[:, -2:] for outline in outlines])
    shape = shape_of(image)
    roi = _boxed(*covering(corners), shape, f"'{layer.name}'")
    shift = np.zeros(outlines[0].shape[1])
    shift[-2:] = roi.box[:2]
    inside = region_of_outlines([outline - shift for outline in outlines], _size(roi, shape))
    return RegionOfInterest(roi.rows, roi.columns, inside, f"inside {layer.name}")


def _in_labels(layer: Labels, image: Image) -> RegionOfInterest:
    problem = why_not_together(layer, image, pixel_by_pixel=None)
    if problem:
        raise InputError(
            f"a part that does not fit ({problem})",
            expected="labels that lie on the image",
            remedy="Choose another layer.",
        )
    shape = shape_of(image)
    labels = pixels_of(layer) if shape_of(layer) == shape else measured_pixels(layer)
    used = _used(labels)
    if not all(indices.size for indices in used):
        raise InputError(
            f"'{layer.name}' without a label",
            expected="labels where the image is to be segmented",
            remedy="Paint there, or choose another layer.",
        )
    first, last = (np.array([indices[end] for indices in used]) for end in (0, -1))
    roi = _boxed(first, last + 1, shape, f"'{layer.name}'")
    held = labels[..., roi.rows, roi.columns]
    size = _size(roi, shape)
    inside = region_of_labels(held, size[-held.ndim :])
    return RegionOfInterest(roi.rows, roi.columns, inside, f"inside {layer.name}")


def _used(labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the columns that hold labels; large arrays are read in pieces."""
    import dask
    import dask.array as da

    marked = da.asarray(labels) != 0
    leading = tuple(range(marked.ndim - 2))
    rows, columns = dask.compute(
        marked.any(axis=(*leading, marked.ndim - 1)), marked.any(axis=(*leading, marked.ndim - 2))
    )
    return np.flatnonzero(rows), np.flatnonzero(columns)


def _boxed(
    first: np.ndarray, stop: np.ndarray, shape: tuple[int, ...], what: str
) -> RegionOfInterest:
    """Return the pixels from `first` to before `stop`, as far as the image goes."""
    low, high = np.maximum(first, 0), np.minimum(stop, shape[-2:])
    if (low >= high).any():
        raise InputError(
            f"{what} beside the image",
            expected="a part of the image",
            remedy="Move it there, or choose the whole image.",
        )
    return RegionOfInterest(slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))


def _size(roi: RegionOfInterest, shape: tuple[int, ...]) -> tuple[int, ...]:
    top, left, bottom, right = roi.box
    return (*shape[:-2], bottom - top, right - left)
