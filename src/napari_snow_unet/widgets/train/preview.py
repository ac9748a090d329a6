"""The validation tile that a training looks at after every epoch, as layers of napari."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.unet.training.preview import FOLDER
from napari_snow_unet.widgets.common.layers import selection_kept, unwrapped
from napari_snow_unet.widgets.common.view import fit

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

PARTS = ("image", "truth", "prediction")
_GAP = 1.05  # of the tile's width


class PreviewLayers:
    """Shows the preview of one training at a time: image, truth and prediction side by side.

    A layer is brought up to date only while it holds what this dock has written into it, and one
    that was removed does not come back.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._folder: Path | None = None
        self._layers: dict[str, ref[Layer]] = {}
        self._place: _Place | None = None

    def look_at(self, folder: Path) -> None:
        """Show the preview in the middle of the window, what was removed of it as well."""
        if folder == self._folder:
            self._layers = self._found(folder)
        self.show(folder)
        there = [layer() for layer in self._layers.values()]
        layers = [layer for layer in there if layer is not None]
        for layer in layers:
            layer.visible = True
        if layers:
            fit(self._viewer, layers)

    def show(self, folder: Path) -> None:
        """Show the preview that lies in the folder of a training."""
        with suppress(InputError, OSError):  # it is being replaced; the next one is shown
            parts = _read(folder / FOLDER)
            if folder != self._folder:
                self._folder, self._layers, self._place = folder, self._found(folder), None
            missing = [part for part in PARTS if part not in self._layers]
            for part in self._layers:
                self._bring_up_to_date(part, parts[part])
            if missing:
                self._add_all(missing, parts, folder)

    def _add_all(
        self, missing: list[str], parts: dict[str, NDArray[np.uint8]], folder: Path
    ) -> None:
        was_empty = not len(self._viewer.layers)
        if self._place is None or not self._layers:
            self._place = self._free_place()
        with selection_kept(self._viewer):
            for part in missing:
                self._add(part, parts[part], folder, self._place)
        if was_empty:
            self._viewer.reset_view()

    def _bring_up_to_date(self, part: str, data: NDArray[np.uint8]) -> None:
        layer = self._layers[part]()
        if layer is None or layer not in self._viewer.layers:
            return
        said = layer.metadata.get(PLUGIN, {})
        if said.get("checksum") == _checksum(layer.data) != _checksum(data):
            layer.data = data
            layer.metadata = {**layer.metadata, PLUGIN: {**said, "checksum": _checksum(data)}}

    def _add(self, part: str, data: NDArray[np.uint8], folder: Path, place: _Place) -> None:
        said = {"training": str(folder), "part": part, "checksum": _checksum(data)}
        left = place.left + PARTS.index(part) * _GAP * data.shape[1] * place.scale[1]
        layer = self._viewer.add_image(
            data,
            name=f"{folder.name} {part}",
            rgb=part == "image",
            contrast_limits=(0, 255),
            translate=(0, left),
            scale=place.scale,
            units=place.units,
            metadata={PLUGIN: said},
        )
        self._layers[part] = ref(unwrapped(layer))

    def _found(self, folder: Path) -> dict[str, ref[Layer]]:
        """Return the layers of a training that a dock has added which was closed meanwhile."""
        found = {}
        for layer in self._viewer.layers:
            said = layer.metadata.get(PLUGIN)
            if isinstance(said, dict) and said.get("training") == str(folder):
                found[said["part"]] = ref(unwrapped(layer))
        return found

    def _free_place(self) -> _Place:
        """Return where, to the right of all other layers, there is room."""
        if not len(self._viewer.layers):
            return _Place()
        # As large as another image: napari ignores all units when one layer has none.
        other = self._viewer.layers[-1]
        left, right = self._viewer.layers.extent.world[:, -1]
        free = float(right + (_GAP - 1) * (right - left))
        return _Place(
            left=free if np.isfinite(free) else 0.0,
            scale=tuple(float(step) for step in other.scale[-2:]),
            units=tuple(str(unit) for unit in other.units[-2:]),
        )


def has_preview(folder: Path | None) -> bool:
    """Tell whether there is a preview in the folder of a training."""
    return folder is not None and all((folder / FOLDER / f"{part}.png").exists() for part in PARTS)


@dataclass(frozen=True)
class _Place:
    left: float = 0.0
    scale: tuple[float, ...] = (1.0, 1.0)
    units: tuple[str, ...] = ("pixel", "pixel")


def _read(folder: Path) -> dict[str, NDArray[np.uint8]]:
    return {part: read_image(folder / f"{part}.png").array for part in PARTS}


def _checksum(data: Any) -> str:
    pixels = np.ascontiguousarray(data)
    return hashlib.sha256(f"{pixels.shape} {pixels.dtype}".encode() + pixels.tobytes()).hexdigest()
