"""The pixel size of each image layer: typed by the user, from the layer or from its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

import numpy as np

from napari_snow_unet.data.pixels.axes import plane_last
from napari_snow_unet.data.pixels.images import ImageHeader
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.slides.any_image import header_for
from napari_snow_unet.data.slides.openslide import objective_power
from napari_snow_unet.data.slides.slide import is_slide
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common.layers import Source, file_of, pixels_of, shape_of, source_of

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_snow_unet.widgets.common.fields import PixelSizeField

ORIENTATION = "orientation"  # in the metadata of a layer that was turned

_of_files: WeakKeyDictionary[Image, dict[tuple[str, tuple[int, ...]], ImageHeader | None]]
_of_files = WeakKeyDictionary()
_objectives: WeakKeyDictionary[Image, dict[str, float | None]] = WeakKeyDictionary()


def measured(layer: Image) -> tuple[Source, str]:
    """Return the facts of a layer, and in words where its pixel size is from ("" if unknown).

    If the layer has no pixel size, the header of its file is read once.
    """
    source = source_of(layer)
    if source.pixel_size_um is not None:
        return source, messages.SIZE_OF_LAYER_LABEL
    header = header_of(layer)
    size = None if header is None else header.pixel_size_um
    if size is None:
        return source, ""
    return replace(source, pixel_size_um=size), messages.SIZE_OF_FILE_LABEL


def header_of(layer: Image) -> ImageHeader | None:
    """Return the header of a layer's file, read once, if the layer may have its pixels."""
    file = file_of(layer)
    if file is None:
        return None
    height, width = plane_last(shape_of(layer))[-2:]
    cached = _of_files.setdefault(layer, {})
    key = (str(file), (height, width))
    if key not in cached:
        cached[key] = header_for(file, (height, width))
    return cached[key]


def objective_of(layer: Image) -> float | None:
    """Return the power of the objective in the header of a layer's slide; it is read once."""
    file = file_of(layer)
    if file is None or not is_slide(file):
        return None
    cached = _objectives.setdefault(layer, {})
    if str(file) not in cached:
        cached[str(file)] = objective_power(file)
    return cached[str(file)]


def unturned(layer: Image) -> int:
    """Return the orientation tag of a layer's file if the layer ignores it; else 1.

    napari's own reader does not rotate; this plugin's does, and notes it in the metadata.
    """
    header = header_of(layer)
    if header is None or ORIENTATION in layer.metadata:
        return UPRIGHT
    is_stored = plane_last(shape_of(layer))[-2:] == header.stored_size
    return header.orientation if is_stored else UPRIGHT


class TypedSizes:
    """Keeps the pixel size typed for each layer, and for folders, and shows it again."""

    def __init__(self, field: PixelSizeField) -> None:
        self._field = field
        self._typed: WeakKeyDictionary[Image, float] = WeakKeyDictionary()
        self._of_folders = 0.0
        self._layer: ref[Image] | None = None
        self._folders = False
        field.changed.connect(self._keep)

    def show_for(self, layer: Image | None, *, folders: bool = False) -> None:
        """Show the size typed for a layer, or for folders; 0 if there is none."""
        shown = None if self._layer is None else self._layer()
        if folders == self._folders and (folders or (shown is layer and self._layer_lives())):
            return
        self._field.native.interpretText()  # a number being typed is for the previous layer
        self._folders, self._layer = folders, None if layer is None else ref(layer)
        typed = self._of_folders if folders else self._typed.get(layer, 0.0) if layer else 0.0
        with self._field.changed.blocked():
            self._field.value = typed

    def _layer_lives(self) -> bool:
        return self._layer is None or self._layer() is not None

    def _keep(self, value: float) -> None:
        layer = None if self._layer is None else self._layer()
        if self._folders:
            self._of_folders = value
        elif layer is not None:
            self._typed[layer] = value


def white_of_layer(layer: Image) -> float | None:
    """Return the white value in the file of a layer that is not 8-bit; None if unknown."""
    if pixels_of(layer).dtype in (np.uint8, np.bool_):
        return None
    header = header_of(layer)
    return None if header is None else header.white
