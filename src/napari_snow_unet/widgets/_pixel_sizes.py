"""The pixel size of each image layer: what was typed for it, what it says, what its file says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from napari_snow_unet.data.any_image import said_pixel_size
from napari_snow_unet.widgets._image_file import file_of
from napari_snow_unet.widgets._layers import Source, source_of

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_snow_unet.widgets._pixel_size_field import PixelSizeField

LAYER, FILE = "from the layer", "from the file"

_of_files: WeakKeyDictionary[Image, dict[tuple[str, tuple[int, ...]], float | None]]
_of_files = WeakKeyDictionary()


def measured(layer: Image) -> tuple[Source, str]:
    """Take down what a layer is, and who knows its pixel size.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer. Where it says nothing of its pixel size, the header of the file that it was read
        from is asked, once.

    Returns
    -------
    source : Source
        With the pixel size, if anybody knows it.
    who : str
        `LAYER` or `FILE`; empty if nobody does.
    """
    source = source_of(layer)
    if source.pixel_size_um is not None:
        return source, LAYER
    size = _in_file(layer, source)
    return (source, "") if size is None else (replace(source, pixel_size_um=size), FILE)


def _in_file(layer: Image, source: Source) -> float | None:
    file = file_of(layer)
    if file is None:
        return None
    known = _of_files.setdefault(layer, {})
    asked = (str(file), source.shape[-2:])
    if asked not in known:
        known[asked] = said_pixel_size(file, source.shape[-2:])
    return known[asked]


class TypedSizes:
    """Keeps what was typed for each layer, and for folders, and shows it again.

    Parameters
    ----------
    field : PixelSizeField
        Where it is typed.
    """

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
