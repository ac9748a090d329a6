"""The pixel size of each image layer: what was typed for it, what it says, what its file says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

import numpy as np

from napari_snow_unet.data.pixels.axes import plane_last
from napari_snow_unet.data.pixels.images import ImageHeader
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.slides.any_image import header_for
from napari_snow_unet.widgets.common.layers import Source, file_of, pixels_of, shape_of, source_of

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_snow_unet.widgets.common.fields import PixelSizeField

LAYER, FILE = "from the layer", "from the file"
ORIENTATION = "orientation"  # in the metadata of a layer that was turned

_of_files: WeakKeyDictionary[Image, dict[tuple[str, tuple[int, ...]], ImageHeader | None]]
_of_files = WeakKeyDictionary()


def measured(layer: Image) -> tuple[Source, str]:
    """Take down what a layer is, and who knows its pixel size: `LAYER`, `FILE` or nobody ("").

    Where the layer says nothing, the header of the file that it was read from is asked, once.
    """
    source = source_of(layer)
    if source.pixel_size_um is not None:
        return source, LAYER
    header = header_of(layer)
    size = None if header is None else header.pixel_size_um
    return (source, "") if size is None else (replace(source, pixel_size_um=size), FILE)


def header_of(layer: Image) -> ImageHeader | None:
    """Return what a layer's file says, if the layer may have its pixels; it is read once."""
    file = file_of(layer)
    if file is None:
        return None
    height, width = plane_last(shape_of(layer))[-2:]
    known = _of_files.setdefault(layer, {})
    asked = (str(file), (height, width))
    if asked not in known:
        known[asked] = header_for(file, (height, width))
    return known[asked]


def unturned(layer: Image) -> int:
    """Return the orientation that a layer's file asks for, if its pixels lie as stored; else 1.

    napari's own reader turns nothing; this plugin's does, and says so in the layer's metadata.
    """
    header = header_of(layer)
    if header is None or ORIENTATION in layer.metadata:
        return UPRIGHT
    is_stored = plane_last(shape_of(layer))[-2:] == header.stored_size
    return header.orientation if is_stored else UPRIGHT


class TypedSizes:
    """Keeps what was typed in a field for each layer, and for folders, and shows it again."""

    def __init__(self, field: PixelSizeField) -> None:
        self._field = field
        self._typed: WeakKeyDictionary[Image, float] = WeakKeyDictionary()
        self._of_folders = 0.0
        self._layer: ref[Image] | None = None
        self._folders = False
        field.changed.connect(self._keep)

    def show_for(self, layer: Image | None, *, folders: bool = False) -> None:
        """Show what was typed for a layer, or for folders; 0 if nothing was."""
        shown = None if self._layer is None else self._layer()
        if folders == self._folders and (folders or (shown is layer and self._layer_lives())):
            return
        self._field.native.interpretText()  # what is half typed is for what was shown
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
    """Return which value is white, if that is open and the layer's file says it."""
    if pixels_of(layer).dtype in (np.uint8, np.bool_):
        return None
    header = header_of(layer)
    return None if header is None else header.white
