"""The order of crops in an epoch, and the windows of the validation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs.tiles import TrainingTile
from napari_snow_unet.unet.training import messages
from napari_snow_unet.unet.training.tile_reader import IGNORED, TrainingArrays

LARGEST_WINDOW = 1024
_ORDER, _CROP = 0, 1  # streams of random numbers


@dataclass(frozen=True)
class CropPlan:
    """The crops of every epoch: a function of seed, epoch and position."""

    sizes: tuple[tuple[int, int], ...]  # height and width of each tile
    crop: int | None  # size in pixels; None for whole tiles
    batch_size: int  # the last batch of an epoch may have fewer crops
    seed: int
    # Factor for the number of crops of each tile; () for equal ones.
    weights: tuple[float, ...] = ()

    @property
    def batches(self) -> int:
        """Batches per epoch."""
        return -(-int(self._repeats().sum()) // self.batch_size)

    def batch(self, epoch: int, index: int) -> list[tuple[int, np.random.Generator]]:
        """Return tile number and random generator of every crop of a batch; both count from 0."""
        tiles = np.repeat(np.arange(len(self.sizes)), self._repeats())
        order = self._generator(_ORDER, epoch).permutation(tiles)
        first = index * self.batch_size
        chosen = order[first : first + self.batch_size]
        return [
            (int(tile), self._generator(_CROP, epoch, first + position))
            for position, tile in enumerate(chosen)
        ]

    def _repeats(self) -> NDArray[np.intp]:
        """Return the number of crops of each tile: as many as fit into its area, weighted."""
        weights = np.array(self.weights or (1.0,) * len(self.sizes))
        crops = np.ones(len(self.sizes))
        if self.crop is not None:
            areas = np.array([height * width for height, width in self.sizes], np.float64)
            crops = areas / self.crop**2
        return np.maximum(np.rint(crops * weights), 1).astype(np.intp)

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(np.random.SeedSequence((self.seed, *key))))


def require_equal_sizes(tiles: Sequence[TrainingTile]) -> None:
    """Refuse whole tiles of mixed sizes, which do not fit into one batch; name a rare one."""
    by_size: dict[tuple[int, int], list[TrainingTile]] = defaultdict(list)
    for tile in tiles:
        by_size[tile.height, tile.width].append(tile)
    if len(by_size) > 1:
        (height, width), rare = min(by_size.items(), key=lambda item: len(item[1]))
        common = max(by_size, key=lambda size: len(by_size[size]))
        message = messages.mixed_sizes(height, width, len(by_size), common)
        raise InputError(message, path=rare[0].image)


@dataclass(frozen=True)
class ValidationWindow:
    """A window of a validation tile."""

    tile: int
    y: int
    x: int
    height: int
    width: int

    def padded(self, stride: int) -> tuple[int, int]:
        """Return height and width rounded up to multiples of `stride`."""
        return -(-self.height // stride) * stride, -(-self.width // stride) * stride


def validation_windows(sizes: Sequence[tuple[int, int]]) -> list[ValidationWindow]:
    """Cover every tile once: whole up to 1024 pixels a side, larger ones in equal windows."""
    windows = []
    for tile, (height, width) in enumerate(sizes):
        rows, columns = _bounds(height), _bounds(width)
        windows += [
            ValidationWindow(tile, top, left, bottom - top, right - left)
            for top, bottom in pairwise(rows)
            for left, right in pairwise(columns)
        ]
    return windows


def _bounds(length: int) -> list[int]:
    number = -(-length // LARGEST_WINDOW)
    return [round(edge * length / number) for edge in range(number + 1)]


def group_windows(
    windows: Sequence[ValidationWindow], stride: int, most_pixels: int
) -> list[tuple[ValidationWindow, ...]]:
    """Group windows of the same padded size, as many as `most_pixels` allow, at least one."""
    by_size: dict[tuple[int, int], list[ValidationWindow]] = defaultdict(list)
    for window in windows:
        by_size[window.padded(stride)].append(window)
    groups = []
    for (height, width), alike in sorted(by_size.items()):
        number = max(most_pixels // (height * width), 1)
        groups += [tuple(alike[i : i + number]) for i in range(0, len(alike), number)]
    return _most_different_first(groups, stride)


def _most_different_first(
    groups: list[tuple[ValidationWindow, ...]], stride: int
) -> list[tuple[ValidationWindow, ...]]:
    """Begin with two groups that differ in height and width, if any do.

    Keras derives from the first two batches which dimensions vary, and fails at others.
    """
    by_size = {group[0].padded(stride): i for i, group in reversed([*enumerate(groups)])}
    sizes = sorted(by_size)
    if len(sizes) < 2:
        return groups
    pairs = combinations(sizes, 2)
    pair = max(pairs, key=lambda two: (two[0][0] != two[1][0]) + (two[0][1] != two[1][1]))
    first = [by_size[size] for size in pair]
    return [groups[i] for i in first] + [g for i, g in enumerate(groups) if i not in first]


def cut_window(arrays: TrainingArrays, window: ValidationWindow, stride: int) -> TrainingArrays:
    """Cut a window and pad it to a multiple of `stride` with mirrored pixels that do not count."""
    place = np.s_[window.y : window.y + window.height, window.x : window.x + window.width]
    pixels, truth = arrays.pixels[place], arrays.truth[place]
    height, width = window.padded(stride)
    missing = ((0, height - window.height), (0, width - window.width))
    if any(after for _, after in missing):
        pixels = np.pad(pixels, (*missing, (0, 0)), mode="symmetric")
        truth = np.pad(truth, missing, constant_values=IGNORED)
    return TrainingArrays(pixels, truth)
