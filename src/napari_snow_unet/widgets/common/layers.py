"""Layers as plain facts, their files, and results as layers in the place of their image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.names.file_names import IMAGE_SUFFIXES
from napari_snow_unet.data.pixels.pixel_grid import nearest
from napari_snow_unet.data.pixels.placement import in_units, linear_of_layer, pixel_size_um
from napari_snow_unet.data.slides.slide import is_slide
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common import messages

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer
    from napari.viewer import Viewer


PLACEMENT = ("scale", "translate", "rotate", "shear", "units", "axis_labels")

_keeping: WeakSet[Viewer] = WeakSet()


def unwrapped(layer: Layer) -> Layer:
    """Return the layer itself instead of a short-lived proxy of napari."""
    return getattr(layer, "__wrapped__", layer)


def images_in(viewer: Viewer) -> list[Image]:
    """Return the image layers of a viewer."""
    from napari.layers import Image

    return [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Image)]


def is_preview(layer: Any) -> bool:
    """Tell whether a layer shows the progress of a training."""
    return "training" in layer.metadata.get(PLUGIN, {})


@contextmanager
def selection_kept(viewer: Viewer) -> Iterator[None]:
    """Keep the selection while the plugin adds layers, each of which napari selects."""
    selected = [unwrapped(layer) for layer in viewer.layers.selection]
    was_empty, itself = not len(viewer.layers), unwrapped(viewer)
    _keeping.add(itself)
    try:
        yield
        if not was_empty:
            viewer.layers.selection.clear()
            viewer.layers.selection.update(layer for layer in selected if layer in viewer.layers)
    finally:
        _keeping.discard(itself)


def selected_by_itself(viewer: Viewer) -> bool:
    """Tell whether the selection is changed by a program, not by the user."""
    return unwrapped(viewer) in _keeping


@dataclass(frozen=True, eq=False)
class Source:
    """An image or labels layer as it was at one moment."""

    name: str
    shape: tuple[int, ...]  # without the colour axis
    rgb: bool  # whether there is a colour axis
    placement: dict[str, Any]  # napari's arguments that place a new layer there
    pixel_size_um: float | None  # if the layer has one

    def cropped(self, box: tuple[int, int, int, int]) -> Source:
        """Return a rectangle of it; bottom and right are excluded."""
        from napari.utils.transforms import Affine

        top, left, bottom, right = box
        shape = (*self.shape[:-2], bottom - top, right - left)
        names = ("scale", "translate", "rotate", "shear")
        to_world = Affine(**{name: self.placement[name] for name in names})
        corner = np.zeros(len(shape))
        corner[-2:] = top, left
        placement = self.placement | {"translate": to_world(corner)}
        return replace(self, shape=shape, placement=placement)

    def lies_like(self, other: Source) -> bool:
        """Tell whether both have the same shape and place in the world."""
        return self.shape == other.shape and all(
            np.array_equal(value, other.placement[key]) for key, value in self.placement.items()
        )


def pixels_of(layer: Image | Labels) -> Any:
    """Return the pixels of a layer; of a multiscale layer, its finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def source_of(layer: Image | Labels) -> Source:
    """Copy the facts of a layer, which may change afterwards."""
    placement = {key: getattr(layer, key) for key in PLACEMENT}
    placement = {
        key: np.array(value) if isinstance(value, np.ndarray) else value
        for key, value in placement.items()
    }
    placement["affine"] = np.array(layer.affine.affine_matrix)
    return Source(
        name=layer.name,
        shape=shape_of(layer),
        rgb=_is_rgb(layer),
        placement=placement,
        pixel_size_um=pixel_size_um(linear_of_layer(layer), layer.units),
    )


def shape_of(layer: Image | Labels) -> tuple[int, ...]:
    """Return the shape of a layer's pixels without the colour axis."""
    shape = pixels_of(layer).shape
    return tuple(int(length) for length in (shape[:-1] if _is_rgb(layer) else shape))


def _is_rgb(layer: Image | Labels) -> bool:
    return bool(getattr(layer, "rgb", False))  # Labels have no such attribute


def shown_plane(viewer: Viewer, layer: Image | Labels) -> tuple[int, ...]:
    """Return the index of the plane that a layer shows, in the axes before its last two."""
    leading = layer.ndim - 2
    if not leading:
        return ()
    dims = viewer.dims
    hidden = set(range(dims.ndim)) - set(dims.displayed)
    if not set(range(dims.ndim - layer.ndim, dims.ndim - 2)) <= hidden:
        raise InputError(messages.NO_SINGLE_SLICE)
    shape = shape_of(layer)[:leading]
    position = in_units(dims.point, dims.units, layer.units)
    index = nearest(layer.world_to_data(position)[:leading])
    if ((index < 0) | (index >= shape)).any():
        raise InputError(messages.OUTSIDE_IMAGE)
    return tuple(int(number) for number in index)


def add_labels(
    viewer: Viewer, data: Any, source: Source, suffix: str, facts: dict[str, Any]
) -> Labels:
    """Add labels, or a pyramid as a list, as a new layer in the place of their image.

    The layer is named after the image, followed by `suffix`; napari numbers duplicates.
    """
    layer = viewer.add_labels(
        data,
        name=f"{source.name} {suffix}",
        metadata={PLUGIN: facts},
        multiscale=isinstance(data, list),
        **source.placement,
    )
    return unwrapped(layer)


def forget_edits(layer: Labels) -> None:
    """Empty the undo history of a layer whose data were replaced."""
    mode = layer.mode
    layer.editable = False  # this empties it
    layer.editable = True
    layer.mode = mode


def file_of(layer: Image) -> Path | None:
    """Return the image file or slide that a layer was read from; None if there is no single one.

    The source that napari notes comes last: for an image that came with its mask, it is the mask.
    """
    source = layer.metadata.get("source") or layer.source.path
    if source is None:
        return None
    path = Path(source)
    if is_slide(path):
        return path if path.exists() else None
    return path if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() else None


def image_origin_of(layer: Image) -> dict[str, Any]:
    """Return the file of an image, and the level of a slide, for the provenance of a result."""
    file = file_of(layer)
    if file is None:
        return {}
    level = layer.metadata.get("level")
    return {"source": str(file)} | ({} if level is None else {"level": level})
