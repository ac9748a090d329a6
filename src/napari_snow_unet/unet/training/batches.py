"""Training and validation batches for Keras, determined by seed, epoch and number."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.unet.runs.tiles import TrainingSet, TrainingTile
from napari_snow_unet.unet.training.augment import augment_crop, needs_colour
from napari_snow_unet.unet.training.crops import (
    CropPlan,
    cut_window,
    group_windows,
    require_equal_sizes,
    validation_windows,
)
from napari_snow_unet.unet.training.tile_reader import CACHE_BYTES, TileReader, TrainingArrays

#: Pixels float32 (N, Y, X, C) in unit range; truth uint8 (N, Y, X, 1): 0, 1, or 255 for unknown.
Batch = tuple[NDArray[np.float32], NDArray[np.uint8]]


class _Loader:
    """Computes batches ahead in threads; results do not depend on the thread."""

    def __init__(self, compute: Callable[[int], Batch], workers: int, end: int | None) -> None:
        self._compute, self._ahead, self._end = compute, 2 * workers, end
        self._pool = ThreadPoolExecutor(workers, "batches") if workers else None
        self._waiting: dict[int, Future[Batch]] = {}
        self._lock = threading.Lock()
        self.failure: BaseException | None = None

    def get(self, index: int) -> Batch:
        try:
            if self._pool is None:
                return self._compute(index)
            return self._submit(index).result()
        except BaseException as error:
            self.failure = self.failure or error
            raise

    def _submit(self, index: int) -> Future[Batch]:
        last = index + self._ahead if self._end is None else min(index + self._ahead, self._end - 1)
        with self._lock:
            for far in [key for key in self._waiting if not index <= key <= last]:
                self._waiting.pop(far).cancel()
            for number in range(index, last + 1):
                if number not in self._waiting and self._pool is not None:
                    self._waiting[number] = self._pool.submit(self._compute, number)
            return self._waiting.pop(index)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class TrainingBatches(keras.utils.PyDataset):
    """Endless batches of crops; a resumed training continues with batch `first`.

    With 0 workers, each batch is computed on demand, else ahead in so many threads.
    """

    def __init__(
        self,
        tiles: TrainingSet,
        options: TrainingOptions,
        *,
        first: int = 0,
        workers: int = 1,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        super().__init__()  # Keras' own workers restart with every epoch
        self._tiles, self._options, self._first = tiles.train, options, first
        if options.crop is None:
            require_equal_sizes(tiles.train)
        sizes = tuple((tile.height, tile.width) for tile in tiles.train)
        weights = tuple(tile.weight for tile in tiles.train)
        self.plan = CropPlan(sizes, options.crop, options.batch_size, options.seed, weights)
        in_colour = needs_colour(options)
        self._reader = TileReader(
            options.channel, in_colour=in_colour, cache_bytes=cache_bytes, white=tiles.white
        )
        self._loader = _Loader(self.compute, workers, None)

    @property
    def num_batches(self) -> None:
        """None: the batches are endless."""
        return

    @property
    def failure(self) -> BaseException | None:
        """The first error in a thread, if any."""
        return self._loader.failure

    def __getitem__(self, index: int) -> Batch:
        """Return a batch, counted from `first`."""
        return self._loader.get(index)

    def close(self) -> None:
        """End the threads."""
        self._loader.close()

    def compute(self, index: int) -> Batch:
        """Compute a batch, counted from `first`; its arrays depend on nothing else."""
        epoch, number = divmod(self._first + index, self.plan.batches)
        crops = [
            augment_crop(
                rng,
                self._reader.read(self._tiles[tile]),
                self._crop_size(self._tiles[tile]),
                self._options,
            )
            for tile, rng in self.plan.batch(epoch, number)
        ]
        return _stacked(crops)

    def _crop_size(self, tile: TrainingTile) -> tuple[int, int]:
        if self._options.crop is not None:
            return self._options.crop, self._options.crop
        stride = 2 ** (self._options.levels - 1)
        return -(-tile.height // stride) * stride, -(-tile.width // stride) * stride


class ValidationBatches(keras.utils.PyDataset):
    """Batches with every pixel of the validation tiles once, always in the same order."""

    def __init__(
        self,
        tiles: TrainingSet,
        config: UNetConfig,
        *,
        most_pixels: int,
        workers: int = 1,
        cache_bytes: int = CACHE_BYTES // 4,
    ) -> None:
        super().__init__()
        self._tiles, self._stride = tiles.validation, config.stride
        self._channel = config.channel
        sizes = [(tile.height, tile.width) for tile in tiles.validation]
        self._groups = group_windows(validation_windows(sizes), self._stride, most_pixels)
        self._reader = TileReader(config.channel, cache_bytes=cache_bytes, white=tiles.white)
        self._loader = _Loader(self.compute, workers, len(self._groups))

    @property
    def num_batches(self) -> int:
        """Number of batches of a validation."""
        return len(self._groups)

    @property
    def failure(self) -> BaseException | None:
        """The first error in a thread, if any."""
        return self._loader.failure

    def __getitem__(self, index: int) -> Batch:
        """Return a batch."""
        return self._loader.get(index)

    def close(self) -> None:
        """End the threads."""
        self._loader.close()

    def read(self, tile: TrainingTile) -> TrainingArrays:
        """Return one of the tiles as the network reads it."""
        return self._reader.read(tile)

    def compute(self, index: int) -> Batch:
        """Compute a batch."""
        cut = [
            cut_window(self._reader.read(self._tiles[window.tile]), window, self._stride)
            for window in self._groups[index]
        ]
        return _stacked(
            [(part.pixels.astype(np.float32) / np.float32(255), part.truth) for part in cut]
        )


def _stacked(crops: list[tuple[NDArray[Any], NDArray[np.uint8]]]) -> Batch:
    pixels = np.stack([crop[0] for crop in crops]).astype(np.float32, copy=False)
    return pixels, np.stack([crop[1] for crop in crops])[..., None]
