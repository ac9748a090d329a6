"""Layers that can be compared: which there are, where they lie, and why two do not fit."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.names.file_names import tile_name, without_mask_ending
from napari_snow_unet.data.pixels.axes import Region, kept_axes, without_ones
from napari_snow_unet.data.pixels.pixel_grid import settled
from napari_snow_unet.data.pixels.placement import Placement, largest_shift
from napari_snow_unet.metrics.planes.region import (
    ellipse_outline,
    region_of_labels,
    region_of_outlines,
)
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common.layers import pixels_of, shape_of, unwrapped

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer, Shapes
    from napari.viewer import Viewer

ERRORS_OF = "errors_of"
APART = 0.1  # pixels by which layers may differ in place
WITHOUT_AREA = ("line", "path")


def labels_layers_in(viewer: Viewer) -> list[Labels]:
    """Return the labels layers of a viewer but those that show errors."""
    from napari.layers import Labels

    layers = [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Labels)]
    return [layer for layer in layers if ERRORS_OF not in _facts(layer)]


def maps_in(viewer: Viewer) -> list[Image]:
    """Return the image layers of a viewer without colours."""
    from napari.layers import Image

    layers = [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Image)]
    return [layer for layer in layers if not layer.rgb]


def regions_in(viewer: Viewer) -> list[Labels | Shapes]:
    """Return the layers of a viewer that can say what was annotated."""
    from napari.layers import Shapes

    shapes = [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Shapes)]
    return [*shapes, *labels_layers_in(viewer)]


def is_segmented(layer: Layer) -> bool:
    """Tell whether labels were found by this plugin."""
    return "model" in _facts(layer)


def known_kind(layer: Layer) -> MasksAre | None:
    """Return what labels of this plugin hold; None of other layers."""
    options = _facts(layer).get("options")
    output = options.get("output") if isinstance(options, dict) else None
    if not is_segmented(layer) or is_map(layer):
        return None
    return "binary" if output == "mask" else "labels"


def doubt_about_layers(prediction: Layer, truth: Layer) -> str:
    """Ask whether two layers whose files have other names are of one image; empty without doubt."""
    one, other = _image_name(prediction), _image_name(truth)
    if not one or not other or one == other:
        return ""
    return f"Are both of one image? The files are named {one} and {other}. "


def _image_name(layer: Layer) -> str:
    """Return the name of the image that a layer's file, or that of its image, is named after."""
    path = _facts(layer).get("source") or layer.metadata.get("source") or ""
    name = tile_name(PurePath(path))
    return without_mask_ending(name) or name


def is_map(layer: Any) -> bool:
    """Tell whether a layer is an image, thus a probability map."""
    from napari.layers import Image

    return isinstance(layer, Image)


def kept_of(layer: Image | Labels) -> tuple[int, ...]:
    """Return which axes of a layer are measured: those of length 1 are not."""
    return kept_axes(shape_of(layer))


def measured_pixels(layer: Image | Labels) -> Any:
    """Return the pixels of a layer without axes of length 1."""
    pixels, kept = pixels_of(layer), kept_of(layer)
    if len(kept) == layer.ndim:
        return pixels  # slices of a Zarr array would be read
    return pixels[tuple(slice(None) if axis in kept else 0 for axis in range(layer.ndim))]


def placement_of(layer: Layer) -> Placement:
    """Return where the pixels of a layer lie."""
    corners = np.vstack([np.zeros(layer.ndim), np.eye(layer.ndim)])
    world = np.array([layer.data_to_world(corner) for corner in corners])
    return Placement((world[1:] - world[0]).T, world[0], tuple(layer.units))


def why_not_compare(prediction: Any, truth: Labels, *, pixel_by_pixel: bool | None = False) -> str:
    """Say why a prediction cannot be measured against a truth; empty if it can."""
    if without_ones(shape_of(prediction)) != without_ones(shape_of(truth)):
        return _of_other_shape(prediction, truth)
    return why_not_together(prediction, truth, pixel_by_pixel=pixel_by_pixel)


def why_not_together(one: Any, other: Any, *, pixel_by_pixel: bool | None = False) -> str:
    """Say why two layers, or one and a stack of such planes, cannot be compared; empty if they can.

    Axes of length 1 do not count. `pixel_by_pixel` is None where nobody can choose that.
    """
    shape, other_shape = without_ones(shape_of(one)), without_ones(shape_of(other))
    if shape not in (other_shape, other_shape[-2:]):
        return _of_other_shape(one, other)
    places = [placement_of(layer).of_axes(kept_of(layer)) for layer in (one, other)]
    apart = float(settled(largest_shift(shape, *places)))
    if apart > APART and not pixel_by_pixel:
        tick = "" if pixel_by_pixel is None else ", or tick 'Compare pixel by pixel'"
        return (
            f"'{one.name}' and '{other.name}' have the same shape, but scale or position differ: "
            f"pixels lie up to {apart:,.3g} pixels apart. Give them the same transform{tick}."
        )
    return ""


def region_of_layer(layer: Any, truth: Labels, *, pixel_by_pixel: bool = False) -> Region:
    """Return what shapes, or all labels but 0, say was annotated in the planes of a truth."""
    shape = without_ones(shape_of(truth))
    if is_shapes(layer):
        before = truth.ndim - layer.ndim
        kept = [axis - before for axis in kept_of(truth) if axis >= before]
        return region_of_outlines([each[:, kept] for each in outlines_in(layer, truth)], shape)
    problem = why_not_together(layer, truth, pixel_by_pixel=pixel_by_pixel)
    if problem:
        raise InputError(
            f"a region that does not fit ({problem})",
            expected="one that lies on the truth",
            remedy="Choose another region.",
        )
    return region_of_labels(measured_pixels(layer), shape)


def is_shapes(layer: Any) -> bool:
    """Tell whether a layer holds shapes."""
    from napari.layers import Shapes

    return isinstance(layer, Shapes)


def outlines_in(layer: Shapes, target: Image | Labels) -> list[np.ndarray]:
    """Return the corners of shapes with an area, (y, x) last, in pixels of another layer.

    The centre of a pixel has whole numbers.
    """
    here, there = placement_of(layer), placement_of(target)
    outlines = []
    for corners, kind in zip(layer.data, layer.shape_type, strict=True):
        if kind in WITHOUT_AREA:
            continue
        corners = ellipse_outline(corners) if kind == "ellipse" else corners
        outlines.append(settled(there.to_pixels(corners, here)[:, -layer.ndim :]))
    if not outlines:
        raise InputError(
            f"the region '{layer.name}' without a shape that has an area",
            expected="rectangles, ellipses or polygons",
            remedy="Draw one around what counts.",
        )
    return outlines


def _of_other_shape(one: Layer, other: Layer) -> str:
    return (
        f"'{one.name}' has the shape {_said(one)} and '{other.name}' {_said(other)}. "
        "Choose layers of the same shape."
    )


def _facts(layer: Layer) -> dict[str, Any]:
    facts = layer.metadata.get(PLUGIN)
    return facts if isinstance(facts, dict) else {}


def _said(layer: Any) -> str:
    return " x ".join(f"{length:,}" for length in shape_of(layer))
