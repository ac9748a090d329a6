"""Labels in a window, and their image, as a tile of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.adding import NewTile
from napari_snow_unet.data.datasets.truth_origin import EditedNucleus, TruthOrigin
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.segmentation.corrections.tally import places_of
from napari_snow_unet.widgets.common.comparison import APART, placement_of
from napari_snow_unet.widgets.common.layers import file_of, pixels_of, shape_of, shown_plane
from napari_snow_unet.widgets.common.pixel_sizes import measured, white_of_layer
from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.layer_edits import LayerEdits

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

Window = tuple[slice, slice]  # rows and columns of an image
#: What counts of labels on an image: of its window, in a slice of the labels; None is all.
RegionOf = Callable[["Labels", "Image", Window, Index], "NDArray[np.bool_] | None"]


def tile_of(
    viewer: Viewer,
    layer: Labels,
    image: Image,
    edits: LayerEdits,
    region_of: RegionOf,
    typed_um: float | None,
) -> Callable[[], NewTile]:
    """Return a function that makes the tile of the slice that is shown; it may run in a thread."""
    plane, first = shown_plane(viewer, layer), corner(layer, image)
    labels, automatic = np.array(layer.data[plane]), edits.automatic()[plane]
    rows, columns = (
        slice(start, start + length) for start, length in zip(first[-2:], labels.shape, strict=True)
    )
    at = (*(a + b for a, b in zip(first[:-2], plane, strict=True)), rows, columns)
    origin, places = origin_of_layer(layer), None
    if origin.model:
        listed = places_of(edits.of_plane(plane), automatic, labels)
        places = [EditedNucleus(*edit) for edit in listed]
    elif not automatic.any():  # every nucleus was drawn since
        origin = TruthOrigin("drawn")
    side = layer.metadata.get(PLUGIN, {}).get("pixel_size_um") or typed_um
    side, white = side or measured(image)[0].pixel_size_um, white_of_layer(image)
    name, region = (
        name_of_tile(viewer, layer, image),
        region_of(layer, image, (rows, columns), plane),
    )
    pixels, file = pixels_of(image), _file(image)

    def make() -> NewTile:
        read = ImageFile(np.asarray(pixels[at]), side, file, white=white)
        return NewTile(name, read, labels, region, origin, places)

    return make


def origin_of_layer(layer: Labels) -> TruthOrigin:
    """Return how labels began, as their layer states it."""
    facts = layer.metadata.get(PLUGIN)
    return TruthOrigin.of_facts(facts if isinstance(facts, dict) else {})


def name_of_tile(viewer: Viewer, layer: Labels, image: Image) -> str:
    """Return the name of the image's file, with the slice and the place of a part."""
    plane, first = shown_plane(viewer, layer), corner(layer, image)
    name = tile_name(_file(image)) + "".join(f"_z{number}" for number in plane)
    whole = shape_of(layer)[-2:] == shape_of(image)[-2:]
    return name if whole else f"{name}_y{first[-2]}_x{first[-1]}"


def corner(layer: Labels, image: Image) -> tuple[int, ...]:
    """Return the pixel of an image at which labels begin; refuse labels that do not fit it."""
    size = np.array(shape_of(image))
    if layer.ndim != len(size):
        raise InputError(messages.LABELS_BESIDE_IMAGE)
    ends = np.array([np.zeros(layer.ndim), np.array(shape_of(layer)) - 1.0])
    inside: NDArray[Any] = placement_of(image).to_pixels(ends, placement_of(layer))
    first = np.rint(inside[0]).astype(int)
    apart = np.abs(inside - (first + ends)).max()
    if apart > APART or (first < 0).any() or (first + ends[1] >= size).any():
        raise InputError(messages.LABELS_BESIDE_IMAGE)
    return tuple(first.tolist())


def _file(image: Image) -> Path:
    """Return the file of an image, or its layer's name as one."""
    return file_of(image) or Path(f"{image.name}.png")
