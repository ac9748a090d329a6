"""Whole-slide images as lazy pyramids: only the header is read until pixels are needed.

SVS, NDPI, SCN, MRXS and the like are read by OpenSlide, which is an extra; TIFF and OME-TIFF by
tifffile, OME-Zarr by zarr.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import decoding
from napari_snow_unet.data.pixels.decoding import Facts
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.data.pixels.opening import path_errors
from napari_snow_unet.data.pixels.orientation import UPRIGHT, notes_on_turning
from napari_snow_unet.data.pixels.pixel_size import plausible_um
from napari_snow_unet.data.pixels.tiff_header import main_series
from napari_snow_unet.data.slides import messages
from napari_snow_unet.data.slides.levels import with_overview

#: What OpenSlide reads. https://openslide.org/formats
SCANNER_SUFFIXES = frozenset(
    {".svs", ".ndpi", ".scn", ".mrxs", ".bif", ".svslide", ".vms", ".vmu", ".czi", ".dcm"}
)
TIFF_SUFFIXES = frozenset({".tif", ".tiff", ".ptif", ".btf"})
#: Files with the metadata of a Zarr.
ZARR_METADATA = frozenset({".zattrs", ".zgroup", "zarr.json"})
LARGEST_WHOLE = 1 << 26  # pixels, 8,192 a side


_UNSAID = Facts((0, 0), "uint8")


@dataclass(frozen=True, eq=False)
class Slide:
    """A slide as a lazy pyramid.

    Attributes
    ----------
    levels : tuple of dask array, each of shape (Y, X) or (Y, X, 3|4)
        The full resolution first.
    spacing_um : tuple of float or None
        Height and width of a pixel of the full resolution in micrometres, where the file says.
    path : pathlib.Path
        The file, or the folder of an OME-Zarr.
    orientation, white
        As for `ImageFile`.
    """

    levels: tuple[Any, ...]
    spacing_um: tuple[float, float] | None
    path: Path
    orientation: int = UPRIGHT
    white: float | None = None

    @property
    def rgb(self) -> bool:
        """Whether the last axis holds colours."""
        return bool(self.levels[0].ndim == 3)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the full resolution in pixels."""
        height, width = self.levels[0].shape[:2]
        return int(height), int(width)


def open_slide(path: str | os.PathLike[str]) -> Slide:
    """Open a whole-slide image and read its header.

    Parameters
    ----------
    path : path-like
        SVS, NDPI, SCN, MRXS or another file that OpenSlide knows; a TIFF or OME-TIFF; the folder
        of an OME-Zarr, or the file with its metadata.

    Returns
    -------
    Slide
        Its levels and pixel size. Where the coarsest is larger than 4,096 pixels a side, coarser
        ones are added that take every second pixel.

    Raises
    ------
    InputError
        If it cannot be read, is not one plane in grey or colours, or needs OpenSlide and that is
        missing. Reading the levels raises it where the file is damaged.
    """
    path = Path(path)
    if path.name in ZARR_METADATA:
        path = path.parent
    with path_errors(path):
        levels, spacing_um, facts = _open(path)
    return Slide(with_overview(levels), spacing_um, path, facts.orientation, facts.white)


def read_slide(path: str | os.PathLike[str]) -> ImageFile:
    """Read the full resolution of a slide; InputError if it has more than 67 million pixels."""
    slide = open_slide(path)
    if math.prod(slide.size) > LARGEST_WHOLE:
        raise InputError(messages.too_large(slide.size, LARGEST_WHOLE), path=slide.path)
    side = None if slide.spacing_um is None else plausible_um(*slide.spacing_um[::-1])
    pixels = np.asarray(slide.levels[0])
    notes = notes_on_turning(slide.orientation)
    return ImageFile(pixels, side, slide.path, slide.orientation, slide.white, notes)


def is_slide(path: str | os.PathLike[str]) -> bool:
    """Tell whether only `open_slide` reads a file: a scanner's by its name, and an OME-Zarr."""
    path = Path(path)
    if path.suffix.lower() in SCANNER_SUFFIXES:
        return True
    return any((path / name).is_file() for name in ZARR_METADATA)


def may_be_slide(path: str | os.PathLike[str]) -> bool:
    """Tell by name, or a TIFF's header, whether a pyramid is worth opening; never raises."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in SCANNER_SUFFIXES:
        return path.is_file()
    if suffix == ".zarr":
        return is_slide(path)
    if suffix not in TIFF_SUFFIXES or not path.is_file():
        return False
    try:
        with path.open("rb") as stream, decoding.open_tiff(stream) as tif:
            return len(main_series(tif).levels) > 1
    except Exception:  # it is a question: a file that cannot be read is not a slide
        return False


def _open(path: Path) -> tuple[list[Any], tuple[float, float] | None, Facts]:
    if path.is_dir():
        from napari_snow_unet.data.slides.zarr import open_zarr

        return *open_zarr(path), _UNSAID
    suffix = path.suffix.lower()
    if suffix in SCANNER_SUFFIXES:
        from napari_snow_unet.data.slides.openslide import open_scanned

        return *open_scanned(path), _UNSAID
    if suffix in TIFF_SUFFIXES:
        from napari_snow_unet.data.slides.tiff import open_pyramid

        return open_pyramid(path)
    raise InputError(messages.other_suffix(suffix) if suffix else messages.NO_SUFFIX, path=path)
