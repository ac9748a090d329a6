"""The validation tile that a training predicts after every epoch, as napari layers."""

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
_TITLES = dict(zip(PARTS, ("image", "ground truth", "prediction"), strict=True))
_GAP = 1.05  # of the tile's width


class PreviewLayers:
    """Shows the preview of one training at a time: image, ground truth and prediction.

    A layer is updated only if the user has not changed it, and a removed one is not added again.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._folder: Path | None = None
        self._layers: dict[str, ref[Layer]] = {}
        self._place: _Place | None = None

    def look_at(self, folder: Path) -> None:
        """Show the preview in the middle of the window, including removed layers."""
        if folder == self._folder:
            self._layers = self._existing(folder)
        self.show(folder)
        there = [layer() for layer in self._layers.values()]
        layers = [layer for layer in there if layer is not None]
        for layer in layers:
            layer.visible = True
        if layers:
            fit(self._viewer, layers)

    def show(self, folder: Path) -> None:
        """Show the preview in the folder of a training."""
        with suppress(InputError, OSError):  # it is being replaced; the next one will be shown
            parts = _read(folder / FOLDER)
            if folder != self._folder:
                self._folder, self._layers, self._place = folder, self._existing(folder), None
            missing = [part for part in PARTS if part not in self._layers]
            for part in self._layers:
                self._update(part, parts[part])
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

    def _update(self, part: str, data: NDArray[np.uint8]) -> None:
        layer = self._layers[part]()
        if layer is None or layer not in self._viewer.layers:
            return
        facts = layer.metadata.get(PLUGIN, {})
        if facts.get("checksum") == _checksum(layer.data) != _checksum(data):
            layer.data = data
            layer.metadata = {**layer.metadata, PLUGIN: {**facts, "checksum": _checksum(data)}}

    def _add(self, part: str, data: NDArray[np.uint8], folder: Path, place: _Place) -> None:
        facts = {"training": str(folder), "part": part, "checksum": _checksum(data)}
        left = place.left + PARTS.index(part) * _GAP * data.shape[1] * place.scale[1]
        layer = self._viewer.add_image(
            data,
            name=f"{folder.name} {_TITLES[part]}",
            rgb=part == "image",
            contrast_limits=(0, 255),
            translate=(0, left),
            scale=place.scale,
            units=place.units,
            metadata={PLUGIN: facts},
        )
        self._layers[part] = ref(unwrapped(layer))

    def _existing(self, folder: Path) -> dict[str, ref[Layer]]:
        """Return the layers of a training that an earlier dock has added."""
        layers = {}
        for layer in self._viewer.layers:
            facts = layer.metadata.get(PLUGIN)
            if isinstance(facts, dict) and facts.get("training") == str(folder):
                layers[facts["part"]] = ref(unwrapped(layer))
        return layers

    def _free_place(self) -> _Place:
        """Return a free place to the right of all other layers."""
        if not len(self._viewer.layers):
            return _Place()
        # In the scale and units of another layer: napari ignores all units if one layer has none.
        other = self._viewer.layers[-1]
        left, right = self._viewer.layers.extent.world[:, -1]
        free = float(right + (_GAP - 1) * (right - left))
        return _Place(
            left=free if np.isfinite(free) else 0.0,
            scale=tuple(float(step) for step in other.scale[-2:]),
            units=tuple(str(unit) for unit in other.units[-2:]),
        )


def has_preview(folder: Path | None) -> bool:
    """Tell whether the folder of a training has a preview."""
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
