"""A few random pairs of a dataset side by side, to see whether masks belong to images."""

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
    """Tiles in rows of equal cells.

    Attributes
    ----------
    image : ndarray of uint8, shape (Y, X, 3)
        The images; white between them.
    labels : ndarray of int32, shape (Y, X)
        The masks in the same places.
    names : list of str
        What the tiles are called, row after row.
    pixel_size_um : float or None
        As the first image of the dataset states it.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.int32]
    names: list[str]
    pixel_size_um: float | None


def sample_pairs(
    folder: str | os.PathLike[str], number: int = 9, *, seed: int | None = None
) -> Generator[Progress, None, Mosaic]:
    """Lay random pairs of a dataset side by side.

    Parameters
    ----------
    folder : path-like
        A folder in a layout that `pairs.folder.find_pairs` knows; see
        `datasets.stack.open_tile_stack` for what is damaged or has another size.
    number : int, default: 9
        Pairs to show; all of a smaller dataset.
    seed : int, optional
        The same seed gives the same pairs; by default they are others every time.

    Yields
    ------
    Progress
        Before every pair.

    Returns
    -------
    Mosaic
        As many columns as rows, or one more.

    Raises
    ------
    InputError
        If there is no pair, or no image can be read.
    """
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
