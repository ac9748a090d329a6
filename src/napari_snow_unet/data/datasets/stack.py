"""Datasets as lazy stacks, which read a tile when it is shown."""

from __future__ import annotations

import os
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.dataset_info import masks_in
from napari_snow_unet.data.datasets.tile_arrays import tile_image
from napari_snow_unet.data.datasets.white_value import white_of_images
from napari_snow_unet.data.formats.label_images import read_mask_file
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.masks.notes import NOTHING
from napari_snow_unet.data.pairs.folder import require_pairs
from napari_snow_unet.data.pixels.images import ImageHeader, read_header, read_image

if TYPE_CHECKING:
    import dask.array as da


class TileStack(NamedTuple):
    """A dataset as two lazy stacks, one chunk per tile."""

    images: da.Array  # uint8, (N, Y, X, 3)
    labels: da.Array  # int32, (N, Y, X)
    names: list[str]  # in natural order
    warning: str | None  # files without a partner, and assumptions
    image_paths: list[Path]
    label_paths: list[Path]
    pixel_size_um: float | None  # of the first image


def open_tile_stack(folder: str | os.PathLike[str]) -> TileStack:
    """Open the image and mask pairs of a folder as lazy stacks.

    Only three image headers are read here, and these three images unless they are 8-bit. A tile
    that is damaged, or differs from their most common size, is shown blank with a warning.
    """
    pairs = require_pairs(folder)
    header, (white, assumed) = _common_header(pairs.images), white_of_paths(pairs.images)
    orphans = tuple(path.name for path in pairs.orphans)
    unpaired = [messages.unpaired(orphans)] if orphans else []
    return TileStack(
        image_stack(pairs.images, header.size, white),
        label_stack(pairs.masks, header.size, pairs.images, masks_in(folder)),
        pairs.names,
        " ".join([*unpaired, *pairs.notes, *assumed]) or None,
        pairs.images,
        pairs.masks,
        header.pixel_size_um,
    )


def image_stack(
    paths: Sequence[Path], size: tuple[int, int], white: Mapping[str, float] | None = None
) -> da.Array:
    """Return images of one size as a lazy array; `white` is found in a sample by default."""
    white = white_of_paths(paths)[0] if white is None else white

    def read(number: int) -> npt.NDArray[Any]:
        return tile_image(read_image(paths[number]), white).pixels

    return _lazy(_Tiles(paths, read, np.zeros((*size, 3), np.uint8)))


def label_stack(
    paths: Sequence[Path],
    size: tuple[int, int],
    images: Sequence[Path] = (),
    masks_are: MasksAre | None = None,
) -> da.Array:
    """Return masks of any kind and one size as a lazy array, oriented as their images."""
    image_of = dict(zip(range(len(paths)), images, strict=False))
    warned = {NOTHING.gist}

    def read(number: int) -> npt.NDArray[np.int32]:
        image = image_of.get(number)
        path = paths[number]
        judged = read_mask_file(path, size, image=image, masks_are=masks_are)
        new = [note for note in judged.notes if note.gist not in warned and path.is_file()]
        warned.update(note.gist for note in new)
        if new:
            warnings.warn(f"{path.name}: {'; '.join(map(str, new))}.", stacklevel=2)
        if image is not None and judged.labels.shape != size:
            header = read_header(image)
            judged = judged.as_shown(header.size, header.orientation)
        return judged.labels

    return _lazy(_Tiles(paths, read, np.zeros(size, np.int32)))


def white_of_paths(paths: Sequence[Path]) -> tuple[dict[str, float], list[str]]:
    """Find the white value in the first, middle and last image; return it with the assumptions."""
    return white_of_images((number, partial(Path, paths[number])) for number in _sample(paths))


class _Tiles:
    """Reads a tile when dask asks for its block."""

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[int], npt.NDArray[Any]],
        blank: npt.NDArray[Any],
    ) -> None:
        self.paths, self.blank = paths, blank
        self._read = read
        self._warned: set[int] = set()

    def __call__(self, block_id: tuple[int, ...]) -> npt.NDArray[Any]:
        return self.tile(block_id[0])[np.newaxis]

    def tile(self, number: int) -> npt.NDArray[Any]:
        """Return a tile; one that cannot be shown is blank, with one warning."""
        try:
            tile = self._read(number)
        except InputError as error:
            problem = error.text()
        else:
            if tile.shape == self.blank.shape:
                return tile
            size = messages.other_tile_size(tile.shape[:2], self.blank.shape[:2])
            problem = f"{self.paths[number]}: {size}"
        if number not in self._warned:
            self._warned.add(number)
            warnings.warn(f"{problem} {messages.SHOWN_BLANK}", stacklevel=2)
        return self.blank


def _lazy(tiles: _Tiles) -> da.Array:
    """Return tiles as one dask array with a chunk per tile."""
    import dask.array as da

    count, blank = len(tiles.paths), tiles.blank
    return da.map_blocks(
        tiles,
        chunks=((1,) * count, *((length,) for length in blank.shape)),
        dtype=blank.dtype,
        meta=np.empty((0,) * (blank.ndim + 1), blank.dtype),
        name=f"tiles-{uuid.uuid4().hex}",  # so that dask need not hash all paths
    )


def _sample(paths: Sequence[Path]) -> list[int]:
    """Return the numbers of the first, middle and last path."""
    last = len(paths) - 1
    return sorted({0, last // 2, last})


def _common_header(paths: Sequence[Path]) -> ImageHeader:
    """Return the most common header of the first, middle and last readable image."""
    sample = _sample(paths)
    headers: list[ImageHeader] = []
    problem: InputError | None = None
    for number in [*sample, *(i for i in range(len(paths)) if i not in sample)]:
        if headers and number not in sample:
            break
        try:
            headers.append(read_header(paths[number]))
        except InputError as error:
            problem = error
    if not headers:
        assert problem is not None
        raise problem
    size = Counter(header.size for header in headers).most_common(1)[0][0]
    return next(header for header in headers if header.size == size)
