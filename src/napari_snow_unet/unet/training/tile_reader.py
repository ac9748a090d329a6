"""Read tiles as 8-bit arrays, cached up to a limit."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.white_value import range_of
from napari_snow_unet.data.formats.label_images import read_labels, read_mask_file
from napari_snow_unet.data.pixels.channels import network_input, on_white
from napari_snow_unet.data.pixels.images import ImageFile, read_image
from napari_snow_unet.data.pixels.orientation import mask_as_shown
from napari_snow_unet.unet.runs.tiles import TrainingTile, check_same_size
from napari_snow_unet.unet.training import messages

IGNORED = 255  # in a truth: not annotated
CACHE_BYTES = 1 << 30


@dataclass(frozen=True)
class TrainingArrays:
    """A tile in memory."""

    pixels: NDArray[np.uint8]  # (Y, X, C): the channel of the network, or all colours
    truth: NDArray[np.uint8]  # (Y, X): 1 nucleus, 0 background, 255 not annotated


class TileReader:
    """Reads tiles and caches as many as fit; thread-safe."""

    # `in_colour` keeps red, green and blue, for augmentation before the channel is taken.

    def __init__(
        self,
        channel: str,
        *,
        in_colour: bool = False,
        cache_bytes: int = CACHE_BYTES,
        white: Mapping[str, float] | None = None,
    ) -> None:
        self._channel, self._in_colour, self._white = channel, in_colour, white or {}
        self._kept: dict[str, TrainingArrays] = {}
        self._left = cache_bytes
        self._lock = threading.Lock()

    def read(self, tile: TrainingTile) -> TrainingArrays:
        """Return a tile's pixels and truth; refuse files that do not match."""
        if (cached := self._kept.get(tile.name)) is not None:
            return cached
        arrays = self._read(tile)
        size = arrays.pixels.nbytes + arrays.truth.nbytes
        with self._lock:
            if size <= self._left and tile.name not in self._kept:
                self._kept[tile.name] = arrays
                self._left -= size
        return arrays

    def _read(self, tile: TrainingTile) -> TrainingArrays:
        file = read_image(tile.image)
        image = file.array
        if not (image.ndim == 2 or (image.ndim == 3 and image.shape[-1] in (3, 4))):
            raise InputError(messages.not_one_plane(image.shape), path=tile.image)
        size = (image.shape[0], image.shape[1])
        judged = read_mask_file(tile.mask, size, image=tile.image, masks_are=tile.masks_are)
        judged = judged.as_shown(size, file.orientation)
        nuclei, inside = judged.labels, judged.region
        check_same_size(nuclei.shape, image.shape[:2], tile.mask, tile.image)
        truth = (nuclei > 0).astype(np.uint8)
        if inside is not None:
            truth[~inside] = IGNORED
        if tile.region is not None:
            region = mask_as_shown(read_labels(tile.region), size, file.orientation)[0]
            check_same_size(region.shape, image.shape[:2], tile.region, tile.image)
            truth[region == 0] = IGNORED
        return TrainingArrays(self._pixels(file), truth)

    def _pixels(self, file: ImageFile) -> NDArray[np.uint8]:
        image = file.array
        if image.dtype == np.uint8 and self._in_colour:
            return on_white(image) if image.ndim == 3 else image[..., None]
        channel = "rgb" if self._in_colour and image.ndim == 3 else self._channel
        unit = network_input(image, channel, range_of(file, self._white))
        return np.rint(unit * np.float32(255)).astype(np.uint8)
