"""Images of every kind that is read here: plain files, and slides that are small enough."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.axes import without_ones
from napari_snow_unet.data.pixels.images import ImageFile, ImageHeader, read_header, read_image
from napari_snow_unet.data.pixels.opening import Source, source_name
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.pixels.pixel_size import plausible_um
from napari_snow_unet.data.pixels.value_range import is_rgb
from napari_snow_unet.data.slides import messages
from napari_snow_unet.data.slides import slide as slides_slide
from napari_snow_unet.data.slides.slide import Slide, is_slide, open_slide, read_slide


def read_any_image(source: Source) -> ImageFile:
    """Read an image file, or the full resolution of a slide, which must be given by its path."""
    path = source_name(source)
    return read_slide(path) if is_slide(path) else read_image(source)


def read_any_header(source: Source) -> ImageHeader:
    """Read the size of an image or slide and of its pixels, and none of the pixels."""
    path = source_name(source)
    if not is_slide(path):
        return read_header(source)
    slide = open_slide(path)
    side = None if slide.spacing_um is None else plausible_um(*slide.spacing_um[::-1])
    return ImageHeader(slide.size, side, slide.orientation, slide.white, str(slide.levels[0].dtype))


def header_for(path: Path, size: tuple[int, int]) -> ImageHeader | None:
    """Return a file's header if pixels of `size` may be its, turned or as stored; never raises."""
    try:
        header = read_any_header(path)
    except Exception:  # it is a question, and libraries fail in ways of their own
        return None
    return header if size in (header.size, header.stored_size) else None


def large_image(path: Path) -> Slide | None:
    """Open an image as a slide if it is too large to be read as a whole, None if it is not."""
    suffix = path.suffix.lower()
    if not is_slide(path) and suffix not in slides_slide.TIFF_SUFFIXES:
        return None
    height, width = read_any_header(path).size
    return open_slide(path) if height * width > slides_slide.LARGEST_WHOLE else None


def why_other_pixels(path: str | os.PathLike[str], pixels: Any) -> str:
    """Return how an image in memory, lazy or not, differs from its file; '' if it does not."""
    file = read_any_image(path)
    stored, ones = file.array, pixels.shape
    if is_rgb(pixels.shape):
        ones = (*without_ones(pixels.shape[:-1]), pixels.shape[-1])
    elif pixels.ndim > 2:
        ones = without_ones(pixels.shape)
    pixels = pixels.reshape(ones)
    if file.orientation != UPRIGHT and not _are_same(stored, pixels):
        return messages.as_stored(file.orientation)
    if stored.shape != tuple(pixels.shape) or stored.dtype != pixels.dtype:
        arrays = pixels.shape, str(pixels.dtype), stored.shape, str(stored.dtype)
        return messages.other_array(*arrays)
    return "" if _are_same(stored, pixels) else messages.OTHER_PIXELS


def _are_same(stored: NDArray[Any], pixels: Any) -> bool:
    return stored.shape == tuple(pixels.shape) and np.array_equal(stored, np.asarray(pixels))
