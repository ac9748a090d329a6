"""A mosaic of random pairs of a dataset, to see whether the masks fit the images."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.stack import open_tile_stack

GAP = 8  # pixels between two tiles


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Tiles in equal cells with white gaps."""

    image: NDArray[np.uint8]  # (Y, X, 3)
    labels: NDArray[np.int32]  # (Y, X), in the same places
    names: list[str]  # row by row
    pixel_size_um: float | None  # of the first image of the dataset


def sample_pairs(
    folder: str | os.PathLike[str], number: int = 9, *, seed: int | None = None
) -> Generator[Progress, None, Mosaic]:
    """Arrange random pairs of a dataset in a near square; without a seed they differ each time."""
    stack = open_tile_stack(folder)
    total = len(stack.names)
    count = min(number, total)
    chosen = np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
    tiles = []
    for done, index in enumerate(chosen):
        yield Progress(done, count, stack.names[index])
        tiles.append((np.asarray(stack.images[index]), np.asarray(stack.labels[index])))
    names = [stack.names[index] for index in chosen]
    return _laid_out(tiles, names, stack.pixel_size_um)


def _laid_out(
    tiles: list[tuple[NDArray[np.uint8], NDArray[np.int32]]],
    names: list[str],
    pixel_size_um: float | None,
) -> Mosaic:
    columns = int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // columns)
    height, width = (length + GAP for length in tiles[0][1].shape)
    image = np.full((rows * height - GAP, columns * width - GAP, 3), 255, np.uint8)
    labels = np.zeros(image.shape[:2], np.int32)
    for number, (pixels, mask) in enumerate(tiles):
        row, column = divmod(number, columns)
        y, x = row * height, column * width
        image[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
        labels[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    return Mosaic(image, labels, names, pixel_size_um)
