"""Datasets as stacks of which a tile is read only when somebody looks at it."""

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
from napari_snow_unet.base.words import shape_in_words
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

_NAMED = 5  # files that a warning names before it only counts them


class TileStack(NamedTuple):
    """A dataset as two lazy stacks, one chunk per tile."""

    images: da.Array  # uint8, (N, Y, X, 3)
    labels: da.Array  # int32, (N, Y, X)
    names: list[str]  # in natural order
    warning: str | None  # files without a partner, what was chosen, and what was taken for white
    image_paths: list[Path]
    label_paths: list[Path]
    pixel_size_um: float | None  # as the first image states it


def open_tile_stack(folder: str | os.PathLike[str]) -> TileStack:
    """Open the image and mask pairs of a folder as lazy stacks.

    Nothing but three image headers is read here, and these images where they are not of 8 bits. A
    tile that turns out to be damaged or to have another size than these (their most common one) is
    shown blank, with a warning that names it.
    """
    pairs = require_pairs(folder)
    header, (white, said) = _common_header(pairs.images), white_of_paths(pairs.images)
    return TileStack(
        image_stack(pairs.images, header.size, white),
        label_stack(pairs.masks, header.size, pairs.images, masks_in(folder)),
        pairs.names,
        " ".join([*_about_orphans(pairs.orphans), *pairs.notes, *said]) or None,
        pairs.images,
        pairs.masks,
        header.pixel_size_um,
    )


def image_stack(
    paths: Sequence[Path], size: tuple[int, int], white: Mapping[str, float] | None = None
) -> da.Array:
    """Return images of one size as a lazy array; without `white` a sample of them is asked."""
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
    """Return masks of any kind and one size as a lazy array; they turn with their images."""
    image_of = dict(zip(range(len(paths)), images, strict=False))
    told = {NOTHING.gist}

    def read(number: int) -> npt.NDArray[np.int32]:
        image = image_of.get(number)
        path = paths[number]
        judged = read_mask_file(path, size, image=image, masks_are=masks_are)
        new = [note for note in judged.notes if note.gist not in told and path.is_file()]
        told.update(note.gist for note in new)
        if new:
            warnings.warn(f"{path.name}: {'; '.join(map(str, new))}.", stacklevel=2)
        if image is not None and judged.labels.shape != size:
            header = read_header(image)
            judged = judged.as_shown(header.size, header.orientation)
        return judged.labels

    return _lazy(_Tiles(paths, read, np.zeros(size, np.int32)))


def white_of_paths(paths: Sequence[Path]) -> tuple[dict[str, float], list[str]]:
    """Find which value is white in the first, middle and last of some images, and say it."""
    return white_of_images((number, partial(Path, paths[number])) for number in _sample(paths))


class _Tiles:
    """Reads tile after tile, each when dask asks for its block."""

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[int], npt.NDArray[Any]],
        blank: npt.NDArray[Any],
    ) -> None:
        self.paths, self.blank = paths, blank
        self._read = read
        self._told: set[int] = set()

    def __call__(self, block_id: tuple[int, ...]) -> npt.NDArray[Any]:
        return self.tile(block_id[0])[np.newaxis]

    def tile(self, number: int) -> npt.NDArray[Any]:
        """Return a tile, blank if it cannot be shown; the reason is told once."""
        try:
            tile = self._read(number)
        except InputError as error:
            problem = error.text()
        else:
            if tile.shape == self.blank.shape:
                return tile
            size, usual = (shape_in_words(a.shape[:2]) for a in (tile, self.blank))
            problem = f"{self.paths[number]}: the tile is {size} pixels, the stack {usual}."
        if number not in self._told:
            self._told.add(number)
            warnings.warn(f"{problem} It is shown blank.", stacklevel=2)
        return self.blank


def _lazy(tiles: _Tiles) -> da.Array:
    """Make one dask array, a chunk per tile, of a reader of tiles."""
    import dask.array as da

    count, blank = len(tiles.paths), tiles.blank
    return da.map_blocks(
        tiles,
        chunks=((1,) * count, *((length,) for length in blank.shape)),
        dtype=blank.dtype,
        meta=np.empty((0,) * (blank.ndim + 1), blank.dtype),
        name=f"tiles-{uuid.uuid4().hex}",  # a given name saves dask hashing all the paths
    )


def _sample(paths: Sequence[Path]) -> list[int]:
    """Return the numbers of the first, the middle and the last."""
    last = len(paths) - 1
    return sorted({0, last // 2, last})


def _common_header(paths: Sequence[Path]) -> ImageHeader:
    """Return the most common header of the first, middle and last image that can be read."""
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


def _about_orphans(orphans: Sequence[Path]) -> list[str]:
    if not orphans:
        return []
    named = ", ".join(path.name for path in orphans[:_NAMED])
    more = f" and {len(orphans) - _NAMED:,} more" if len(orphans) > _NAMED else ""
    count = "1 file has" if len(orphans) == 1 else f"{len(orphans):,} files have"
    return [f"{count} no partner and stay closed: {named}{more}."]
