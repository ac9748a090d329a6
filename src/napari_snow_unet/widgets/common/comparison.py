"""Layers that can be compared: which there are, their place, and why two do not match."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import shape_in_words
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
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common.layers import pixels_of, shape_of, unwrapped

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer, Shapes
    from napari.viewer import Viewer

ERRORS_OF = "errors_of"
APART = 0.1  # pixels by which the positions of two layers may differ
WITHOUT_AREA = ("line", "path")


def labels_layers_in(viewer: Viewer) -> list[Labels]:
    """Return the Labels layers of a viewer, except those that show errors."""
    from napari.layers import Labels

    layers = [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Labels)]
    return [layer for layer in layers if ERRORS_OF not in facts_of(layer)]


def maps_in(viewer: Viewer) -> list[Image]:
    """Return the image layers of a viewer without colours."""
    from napari.layers import Image

    layers = [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Image)]
    return [layer for layer in layers if not layer.rgb]


def regions_in(viewer: Viewer) -> list[Labels | Shapes]:
    """Return the layers of a viewer that can mark a region."""
    from napari.layers import Shapes

    shapes = [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Shapes)]
    return [*shapes, *labels_layers_in(viewer)]


def is_segmented(layer: Layer) -> bool:
    """Tell whether labels are a result of this plugin."""
    return "model" in facts_of(layer)


def known_kind(layer: Layer) -> MasksAre | None:
    """Return whether a result of this plugin is labels or a mask; None for other layers."""
    options = facts_of(layer).get("options")
    output = options.get("output") if isinstance(options, dict) else None
    if not is_segmented(layer) or is_map(layer):
        return None
    return "binary" if output == "mask" else "labels"


def doubt_about_layers(prediction: Layer, truth: Layer) -> str:
    """Ask whether two layers show the same image if their files have different names."""
    one, other = _image_name(prediction), _image_name(truth)
    if not one or not other or one == other:
        return ""
    return f"{messages.other_image(one, other)} "


def _image_name(layer: Layer) -> str:
    """Return the image name in the file name of a layer or of its image."""
    path = facts_of(layer).get("source") or layer.metadata.get("source") or ""
    name = tile_name(PurePath(path))
    return without_mask_ending(name) or name


def is_map(layer: Any) -> bool:
    """Tell whether a layer is an image, and so a probability map."""
    from napari.layers import Image

    return isinstance(layer, Image)


def kept_of(layer: Image | Labels) -> tuple[int, ...]:
    """Return the axes of a layer that are longer than 1."""
    return kept_axes(shape_of(layer))


def measured_pixels(layer: Image | Labels) -> Any:
    """Return the pixels of a layer without axes of length 1."""
    pixels, kept = pixels_of(layer), kept_of(layer)
    if len(kept) == layer.ndim:
        return pixels  # indexing a Zarr array would read it
    return pixels[tuple(slice(None) if axis in kept else 0 for axis in range(layer.ndim))]


def placement_of(layer: Layer) -> Placement:
    """Return the transform from the pixels of a layer to the world."""
    corners = np.vstack([np.zeros(layer.ndim), np.eye(layer.ndim)])
    world = np.array([layer.data_to_world(corner) for corner in corners])
    return Placement((world[1:] - world[0]).T, world[0], tuple(layer.units))


def why_not_compare(prediction: Any, truth: Labels, *, pixel_by_pixel: bool | None = False) -> str:
    """Say why a prediction cannot be compared with ground truth; empty if it can."""
    if without_ones(shape_of(prediction)) != without_ones(shape_of(truth)):
        return _of_other_shape(prediction, truth)
    return why_not_together(prediction, truth, pixel_by_pixel=pixel_by_pixel)


def why_not_together(one: Any, other: Any, *, pixel_by_pixel: bool | None = False) -> str:
    """Say why two layers, or one and a stack of such planes, cannot be compared; empty if they can.

    Axes of length 1 are ignored. `pixel_by_pixel` is None if the dock has no such option.
    """
    shape, other_shape = without_ones(shape_of(one)), without_ones(shape_of(other))
    if shape not in (other_shape, other_shape[-2:]):
        return _of_other_shape(one, other)
    places = [placement_of(layer).of_axes(kept_of(layer)) for layer in (one, other)]
    apart = float(settled(largest_shift(shape, *places)))
    if apart > APART and not pixel_by_pixel:
        return messages.apart(one.name, other.name, apart, pixel_by_pixel is not None)
    return ""


def region_of_layer(layer: Any, truth: Labels, *, pixel_by_pixel: bool = False) -> Region:
    """Return the region inside shapes, or under labels, in the planes of the ground truth."""
    shape = without_ones(shape_of(truth))
    if is_shapes(layer):
        before = truth.ndim - layer.ndim
        kept = [axis - before for axis in kept_of(truth) if axis >= before]
        return region_of_outlines([each[:, kept] for each in outlines_in(layer, truth)], shape)
    problem = why_not_together(layer, truth, pixel_by_pixel=pixel_by_pixel)
    if problem:
        raise InputError(messages.region_does_not_fit(problem))
    return region_of_labels(measured_pixels(layer), shape)


def is_shapes(layer: Any) -> bool:
    """Tell whether a layer holds shapes."""
    from napari.layers import Shapes

    return isinstance(layer, Shapes)


def outlines_in(layer: Shapes, target: Image | Labels) -> list[np.ndarray]:
    """Return the corners of shapes with an area, (y, x) last, in pixels of another layer.

    Whole numbers are pixel centres.
    """
    here, there = placement_of(layer), placement_of(target)
    outlines = []
    for corners, kind in zip(layer.data, layer.shape_type, strict=True):
        if kind in WITHOUT_AREA:
            continue
        corners = ellipse_outline(corners) if kind == "ellipse" else corners
        outlines.append(settled(there.to_pixels(corners, here)[:, -layer.ndim :]))
    if not outlines:
        raise InputError(messages.no_area(layer.name))
    return outlines


def _of_other_shape(one: Layer, other: Layer) -> str:
    shapes = [shape_in_words(shape_of(layer)) for layer in (one, other)]
    return messages.other_shape(one.name, shapes[0], other.name, shapes[1])


def facts_of(layer: Layer) -> dict[str, Any]:
    """Return what this plugin has noted about a layer; empty if nothing."""
    facts = layer.metadata.get(PLUGIN)
    return facts if isinstance(facts, dict) else {}
