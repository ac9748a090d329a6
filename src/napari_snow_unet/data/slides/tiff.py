"""TIFF and OME-TIFF pyramids, read tile by tile with tifffile."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tifffile import COMPRESSION, PHOTOMETRIC, TiffFile, TiffPageSeries

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import decoding, pixel_size
from napari_snow_unet.data.pixels import messages as of_pixels
from napari_snow_unet.data.pixels.colour_tables import has_inverting_table, tables_to_show
from napari_snow_unet.data.pixels.decoding import Facts
from napari_snow_unet.data.pixels.orientation import turned
from napari_snow_unet.data.pixels.tiff_header import main_series, tiff_facts
from napari_snow_unet.data.slides import messages
from napari_snow_unet.data.slides.levels import Box, Level, as_dask

_AS_COLOURS = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR)
_JPEGS = (COMPRESSION.OJPEG, COMPRESSION.JPEG, COMPRESSION.JPEG_LOSSY)  # come as RGB


class _SelfClosing(io.FileIO):
    """A file that stays open for as long as its pixels may be read."""

    def __del__(self) -> None:
        self.close()


def open_pyramid(path: Path) -> tuple[list[Any], tuple[float, float] | None, Facts]:
    """Open a TIFF, turned as it asks: its levels, a pixel's height and width in um, and facts."""
    stream = _SelfClosing(path, "rb")
    if not decoding.is_tiff(stream):
        raise InputError(messages.NOT_TIFF)
    tif = decoding.open_tiff(stream)
    series, facts = main_series(tif), tiff_facts(tif)
    decoding.check_claim(int(series.nbytes), stream)
    levels = [turned(_level(path, level, tif), facts.orientation) for level in series.levels]
    side = pixel_size.from_tiff(tif)
    return levels, None if side is None else (side, side), facts


def _level(path: Path, series: TiffPageSeries, tif: TiffFile) -> Any:
    import zarr

    page = series.keyframe
    if page.photometric not in _AS_COLOURS:
        name = getattr(page.photometric, "name", page.photometric)
        raise InputError(of_pixels.photometric(str(name)))
    if page.photometric == PHOTOMETRIC.YCBCR and page.compression not in _JPEGS:
        raise InputError(of_pixels.YCBCR)
    if tables_to_show(tif, series) or has_inverting_table(tif, series.axes):
        raise InputError(of_pixels.LOOKUP_TABLE)
    array = zarr.open_array(series.aszarr(multiscales=False), mode="r")

    def read(box: Box, tif: TiffFile = tif) -> npt.NDArray[Any]:  # the open file lives with it
        return np.asarray(array[box])

    return as_dask(Level(path, array.shape, array.dtype, read), array.chunks, series.axes)
