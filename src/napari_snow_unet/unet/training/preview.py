"""A validation tile, its truth and its prediction, after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.datasets.white_value import range_of
from napari_snow_unet.data.pixels.channels import to_rgb8
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.unet.runs.tiles import TrainingTile
from napari_snow_unet.unet.training.crops import ValidationWindow, cut_window
from napari_snow_unet.unet.training.tile_reader import TrainingArrays

FOLDER, FILE = "preview", "preview.png"
_LARGEST = 512
_GAP = 8
_MOST_TRIED = 20


class Preview:
    """The first validation tile with nuclei."""

    def __init__(
        self,
        tiles: Sequence[TrainingTile],
        read: Callable[[TrainingTile], TrainingArrays],
        stride: int,
        white: Mapping[str, float] | None = None,
    ) -> None:
        tried = tiles[:_MOST_TRIED]
        tile = next((tile for tile in tried if (read(tile).truth == 1).any()), tiles[0])
        height, width = min(tile.height, _LARGEST), min(tile.width, _LARGEST)
        self._window = ValidationWindow(0, 0, 0, height, width)
        self._arrays = cut_window(read(tile), self._window, stride)
        file = read_image(tile.image)
        self._image = to_rgb8(file.array, range_of(file, white or {}))[:height, :width]
        self.name = tile.name

    def pixels(self) -> NDArray[np.float32]:
        """Return the input of the network, shape (1, Y, X, C), in unit range."""
        return self._arrays.pixels.astype(np.float32)[None] / np.float32(255)

    def write(self, folder: Path, probability: NDArray[np.float32]) -> None:
        """Write image, truth and prediction (1, Y, X, 1), as single files and side by side."""
        height, width = self._window.height, self._window.width
        grey = np.rint(np.clip(probability[0, :height, :width, 0], 0, 1) * 255).astype(np.uint8)
        # Not annotated is grey.
        shades = np.full(256, 128, np.uint8)
        shades[:2] = 0, 255
        truth = shades[self._arrays.truth[:height, :width]]
        place = folder / FOLDER
        for name, pixels in (("image", self._image), ("truth", truth), ("prediction", grey)):
            write_image(place / f"{name}.png", pixels, overwrite=True)
        gap = np.full((height, _GAP, 3), 255, np.uint8)
        row = [self._image, gap, to_rgb8(truth), gap, to_rgb8(grey)]
        write_image(folder / FILE, np.concatenate(row, axis=1), overwrite=True)
