"""Tiled BigTIFF of arrays that are larger than the memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.pixels.images import ABOUT

TILE = 512  # pixels
STRIP = 4 * TILE  # rows read together


def write_tiled_tiff(
    path: str | os.PathLike[str],
    array: Any,
    spacing_um: tuple[float, float] | None = None,
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a plane, which need not fit into memory, tile by tile and compressed without loss."""
    import tifffile

    resolution = None if spacing_um is None else (1e4 / spacing_um[1], 1e4 / spacing_um[0])
    with written_whole(path, overwrite=overwrite) as temporary:
        tifffile.imwrite(
            temporary,
            _tiles(array),
            shape=array.shape,
            dtype=array.dtype,
            tile=(TILE, TILE),
            bigtiff=True,
            compression="zlib",
            photometric="minisblack",
            resolution=resolution,
            resolutionunit=None if spacing_um is None else "CENTIMETER",
            description=json.dumps({ABOUT: about}) if about else None,
            metadata=None,
        )
    return Path(path)


def _tiles(array: Any) -> Iterator[npt.NDArray[Any]]:
    """Give the tiles in reading order; those at the end are filled up with zeros."""
    height, width = array.shape
    for top in range(0, height, STRIP):
        strip = np.asarray(array[top : top + STRIP])
        for y, x in product(range(0, strip.shape[0], TILE), range(0, width, TILE)):
            tile = strip[y : y + TILE, x : x + TILE]
            missing = [(0, TILE - length) for length in tile.shape]
            yield np.pad(tile, missing)
