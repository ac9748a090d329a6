"""Which crop of which tile stands where in an epoch, and the windows that validation looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs.tiles import TrainingTile
from napari_snow_unet.unet.training.tile_reader import IGNORED, TrainingArrays

LARGEST_WINDOW = 1024
_ORDER, _CROP = 0, 1  # streams of random numbers


@dataclass(frozen=True)
class CropPlan:
    """The crops of every epoch: a function of seed, epoch and position."""

    sizes: tuple[tuple[int, int], ...]  # height and width of each tile
    crop: int | None  # side in pixels; None for whole tiles
    batch_size: int  # the last batch of an epoch may have fewer crops
    seed: int
    # How many times as many crops as its area gives it each tile gets; () for equal ones.
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
        """Return how often each tile is cropped: as often as crops fit into its area, weighted."""
        weights = np.array(self.weights or (1.0,) * len(self.sizes))
        crops = np.ones(len(self.sizes))
        if self.crop is not None:
            areas = np.array([height * width for height, width in self.sizes], np.float64)
            crops = areas / self.crop**2
        return np.maximum(np.rint(crops * weights), 1).astype(np.intp)

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(np.random.SeedSequence((self.seed, *key))))


def require_equal_sizes(tiles: Sequence[TrainingTile]) -> None:
    """Refuse tiles of mixed sizes, which do not go whole into one batch; name a rare one."""
    by_size: dict[tuple[int, int], list[TrainingTile]] = defaultdict(list)
    for tile in tiles:
        by_size[tile.height, tile.width].append(tile)
    if len(by_size) > 1:
        (height, width), rare = min(by_size.items(), key=lambda item: len(item[1]))
        common = max(by_size, key=lambda size: len(by_size[size]))
        raise InputError(
            f"a tile of {height} x {width} pixels ({len(by_size)} sizes in all)",
            expected=f"whole tiles of one size, {common[0]} x {common[1]} as most are",
            remedy="Train on crops, of 256 pixels as the preset default, or take these tiles out.",
            path=rare[0].image,
        )


@dataclass(frozen=True)
class ValidationWindow:
    """A part of a validation tile that is looked at as one."""

    tile: int
    y: int
    x: int
    height: int
    width: int

    def padded(self, stride: int) -> tuple[int, int]:
        """Return height and width with what fills it up to a multiple of `stride`."""
        return -(-self.height // stride) * stride, -(-self.width // stride) * stride


def validation_windows(sizes: Sequence[tuple[int, int]]) -> list[ValidationWindow]:
    """Cover every tile once: whole up to 1024 pixels a side, in equal parts beyond."""
    windows = []
    for tile, (height, width) in enumerate(sizes):
        rows, columns = _parts(height), _parts(width)
        windows += [
            ValidationWindow(tile, top, left, bottom - top, right - left)
            for top, bottom in pairwise(rows)
            for left, right in pairwise(columns)
        ]
    return windows


def _parts(length: int) -> list[int]:
    number = -(-length // LARGEST_WINDOW)
    return [round(part * length / number) for part in range(number + 1)]


def group_windows(
    windows: Sequence[ValidationWindow], stride: int, most_pixels: int
) -> list[tuple[ValidationWindow, ...]]:
    """Put windows of one padded size together, as many as `most_pixels` allow, at least one."""
    by_size: dict[tuple[int, int], list[ValidationWindow]] = defaultdict(list)
    for window in windows:
        by_size[window.padded(stride)].append(window)
    groups = []
    for (height, width), alike in sorted(by_size.items()):
        number = max(most_pixels // (height * width), 1)
        groups += [tuple(alike[i : i + number]) for i in range(0, len(alike), number)]
    return groups


def cut_window(arrays: TrainingArrays, window: ValidationWindow, stride: int) -> TrainingArrays:
    """Cut a window and fill it up to a multiple of `stride`: mirrored pixels that do not count."""
    place = np.s_[window.y : window.y + window.height, window.x : window.x + window.width]
    pixels, truth = arrays.pixels[place], arrays.truth[place]
    height, width = window.padded(stride)
    missing = ((0, height - window.height), (0, width - window.width))
    if any(after for _, after in missing):
        pixels = np.pad(pixels, (*missing, (0, 0)), mode="symmetric")
        truth = np.pad(truth, missing, constant_values=IGNORED)
    return TrainingArrays(pixels, truth)
