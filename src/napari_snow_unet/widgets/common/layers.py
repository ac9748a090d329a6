"""Layers as plain facts, their files, and results as layers that lie where their image lies."""

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

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer
    from napari.viewer import Viewer


PLACEMENT = ("scale", "translate", "rotate", "shear", "units", "axis_labels")

_keeping: WeakSet[Viewer] = WeakSet()


def unwrapped(layer: Layer) -> Layer:
    """Return the layer itself where napari hands out a proxy that comes and goes."""
    return getattr(layer, "__wrapped__", layer)


def images_in(viewer: Viewer) -> list[Image]:
    """Return the image layers of a viewer."""
    from napari.layers import Image

    return [unwrapped(layer) for layer in viewer.layers if isinstance(layer, Image)]


def is_preview(layer: Any) -> bool:
    """Tell whether a layer shows how a training is going."""
    return "training" in layer.metadata.get(PLUGIN, {})


@contextmanager
def selection_kept(viewer: Viewer) -> Iterator[None]:
    """Leave the selection as it is, or empty, while layers are added that nobody asked for.

    napari selects every layer that is added.
    """
    selected = [unwrapped(layer) for layer in viewer.layers.selection]
    was_empty, known = not len(viewer.layers), unwrapped(viewer)
    _keeping.add(known)
    try:
        yield
        if not was_empty:
            viewer.layers.selection.clear()
            viewer.layers.selection.update(layer for layer in selected if layer in viewer.layers)
    finally:
        _keeping.discard(known)


def selected_by_itself(viewer: Viewer) -> bool:
    """Tell whether what is selected changes without the person having selected anything."""
    return unwrapped(viewer) in _keeping


@dataclass(frozen=True, eq=False)
class Source:
    """An image or labels layer as it was at one moment."""

    name: str
    shape: tuple[int, ...]  # without colours
    rgb: bool  # whether the last axis holds colours
    placement: dict[str, Any]  # all that napari takes to place a new layer there
    pixel_size_um: float | None  # if the layer says so

    def cropped(self, box: tuple[int, int, int, int]) -> Source:
        """Return a rectangle of it, from top and left to before bottom and right."""
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
        """Tell whether both have the same place in the world and the same shape."""
        return self.shape == other.shape and all(
            np.array_equal(value, other.placement[key]) for key, value in self.placement.items()
        )


def pixels_of(layer: Image | Labels) -> Any:
    """Return the pixels of a layer, of a multiscale layer those of the finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def source_of(layer: Image | Labels) -> Source:
    """Take down what a layer is, so that it may change afterwards."""
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
    """Return the shape of a layer's pixels without colours."""
    shape = pixels_of(layer).shape
    return tuple(int(length) for length in (shape[:-1] if _is_rgb(layer) else shape))


def _is_rgb(layer: Image | Labels) -> bool:
    return bool(getattr(layer, "rgb", False))  # Labels have no such attribute


def shown_plane(viewer: Viewer, layer: Image | Labels) -> tuple[int, ...]:
    """Return the index, in the axes before its last two, of the plane of a layer that is shown."""
    leading = layer.ndim - 2
    if not leading:
        return ()
    dims = viewer.dims
    hidden = set(range(dims.ndim)) - set(dims.displayed)
    if not set(range(dims.ndim - layer.ndim, dims.ndim - 2)) <= hidden:
        raise InputError(
            "a stack of which the viewer shows no single slice",
            expected="the last two axes in the viewer, in 2D",
            remedy="Switch the viewer to 2D and back to its first view, or choose all slices.",
        )
    shape = shape_of(layer)[:leading]
    position = in_units(dims.point, dims.units, layer.units)
    index = nearest(layer.world_to_data(position)[:leading])
    if ((index < 0) | (index >= shape)).any():
        raise InputError(
            "a viewer that stands beside the image",
            expected="a slice of it",
            remedy="Move the slider under the image, or choose all slices.",
        )
    return tuple(int(number) for number in index)


def add_labels(
    viewer: Viewer, data: Any, source: Source, suffix: str, facts: dict[str, Any]
) -> Labels:
    """Add labels, or a list as a pyramid, as a new layer in the place of their image.

    `suffix` follows the image's name in the layer's; napari numbers it where that is taken.
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
    """Empty the undo history of a layer whose data were exchanged."""
    mode = layer.mode
    layer.editable = False  # this empties it
    layer.editable = True
    layer.mode = mode


def file_of(layer: Image) -> Path | None:
    """Return the image file, or slide, a layer was read from; None if it is no single one.

    napari's own note is asked last: for an image that came along with its mask it names the mask.
    """
    said = layer.metadata.get("source") or layer.source.path
    if said is None:
        return None
    path = Path(said)
    if is_slide(path):
        return path if path.exists() else None
    return path if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() else None


def image_origin_of(layer: Image) -> dict[str, Any]:
    """Return what a result's provenance says of its image: the file, and of a slide the level."""
    file = file_of(layer)
    if file is None:
        return {}
    level = layer.metadata.get("level")
    return {"source": str(file)} | ({} if level is None else {"level": level})
