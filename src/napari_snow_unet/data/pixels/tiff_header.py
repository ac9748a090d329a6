"""What a TIFF holds before its pixels are read: which picture, of which size, shown how."""

from __future__ import annotations

import re
from contextlib import suppress

import numpy as np
from tifffile import PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

from napari_snow_unet.data.pixels import messages
from napari_snow_unet.data.pixels.colour_tables import tables_to_show
from napari_snow_unet.data.pixels.decoding import Facts
from napari_snow_unet.data.pixels.orientation import ORIENTATION, turned_size, valid_orientation

_MAX_SAMPLE_VALUE = 281
PLAIN = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE)
#: Names of further images in the file of a slide scanner.
_BESIDE = {"thumbnail", "label", "macro", "map", "overview"}
_WITH_SIZE = re.compile(r"\s+\d+\s*x\s*\d+$")  # label 387x463, as Aperio writes it
_SAME = 4  # a picture of less than a quarter of the pixels is a preview


def main_series(tif: TiffFile) -> TiffPageSeries:
    """Return the picture of a TIFF: the first of the largest, no thumbnail, label or macro."""
    return max(_pictures(tif), key=_area)


def _pictures(tif: TiffFile) -> list[TiffPageSeries]:
    series = list(tif.series)
    return [each for each in series if not _is_beside(each)] or series


def _is_beside(series: TiffPageSeries) -> bool:
    """Tell by its name or description whether a series is not the main image."""
    lines = str(series.keyframe.description).lower().splitlines()
    names = [_WITH_SIZE.sub("", line.strip()) for line in (series.name.lower(), *lines)]
    return not _BESIDE.isdisjoint(names)


def _area(series: TiffPageSeries) -> int:
    height, width = spatial_size(series)
    return height * width


def notes_on_others(tif: TiffFile) -> tuple[str, ...]:
    """Return the note on a file that contains other images too, which are not read."""
    pictures = _pictures(tif)
    main = max(pictures, key=_area)
    full = [each for each in pictures if _SAME * _area(each) >= _area(main)]
    if len(full) < 2:
        return ()
    which = "largest" if _area(full[0]) < _area(main) else "first"
    return (messages.other_images(len(full), which),)


def tiff_facts(tif: TiffFile) -> Facts:
    """Return what the header of a TIFF says, with the size as it is shown."""
    series = main_series(tif)
    page = series.keyframe
    orientation = tiff_orientation(page)
    length, width = spatial_size(series)
    dtype = "uint8" if page.photometric not in PLAIN else np.dtype(series.dtype).name
    in_colours = tables_to_show(tif, series) is not None
    if page.photometric == PHOTOMETRIC.PALETTE or dtype == "bool" or in_colours:
        dtype = "uint8"
    white = None if in_colours else white_of_tiff(tif, page)
    return Facts(turned_size((length, width), orientation), dtype, orientation, white)


def spatial_size(series: TiffPageSeries) -> tuple[int, int]:
    """Return height and width as stored; axes of length 1 count only where no others are left."""
    axes, colour = axes_kept(series.shape, series.axes)
    height, width = [series.shape[axis] for axis in axes if axis != colour][-2:]
    return int(height), int(width)


def tiff_orientation(page: TiffPage) -> int:
    """Return how a page is to be turned."""
    tag = page.tags.get(ORIENTATION)
    return valid_orientation(None if tag is None else tag.value)


def white_of_tiff(tif: TiffFile, page: TiffPage) -> float | None:
    """Return the value that is white, where a TIFF says so: in its bits, in OME or in a tag."""
    stored = 8 * np.dtype(page.dtype).itemsize if page.dtype is not None else 0
    if stored != 16 or page.dtype.kind not in "ui":
        return None
    bits = int(page.bitspersample)
    if bits == stored and tif.is_ome:
        match = re.search(r"""\bSignificantBits\s*=\s*["'](\d{1,2})["']""", tif.ome_metadata or "")
        bits = int(match[1]) if match else bits
    largest = page.tags.get(_MAX_SAMPLE_VALUE)
    if bits == stored and largest is not None:
        with suppress(TypeError, ValueError):
            value = int(np.max(largest.value))
            bits = value.bit_length() if value & (value + 1) == 0 else bits
    return float(2**bits - 1) if 8 <= bits < stored else None


def axes_kept(shape: tuple[int, ...], axes: str) -> tuple[list[int], int]:
    """Return which axes of an array make the image, and which of them holds colours, or -1.

    Axes of length 1 are left out, but for as many of the last as an image needs. Where no axis is
    called one of samples or channels, a last one of three or four pixels behind two of many is
    one: so arrays come out of programs that do not tell pages from rows.
    """
    colour = axes.find("S") if "S" in axes else axes.find("C")
    bands = (3, 4) if axes.endswith("C") else (3,)  # four channels before the plane are no colours
    if colour >= 0 and "S" not in axes and shape[colour] not in bands:
        colour = -1
    others = [axis for axis in range(len(shape)) if axis != colour]
    kept = [axis for axis in others if shape[axis] > 1]
    for axis in sorted(others, key=lambda axis: (axes[axis] not in "YX", -axis)):
        if len(kept) < 2 and axis not in kept:
            kept.append(axis)
    *others, last = kept
    behind = len(others) > 1 and min(shape[axis] for axis in others[-2:]) > 4
    if colour < 0 and shape[last] in (3, 4) and behind:
        colour = last
    return sorted({*kept, *([colour] if colour >= 0 else [])}), colour
