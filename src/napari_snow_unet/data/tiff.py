"""The picture in a TIFF, as the program that wrote it would show it.

References
----------
.. [1] Adobe Developers Association, "TIFF Revision 6.0", 1992.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import TiffImagePlugin
from tifffile import EXTRASAMPLE, PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

from napari_snow_unet.data.decoding import (
    Decoded,
    Facts,
    PixelError,
    alpha_of,
    check_claim,
    native,
    pillow_pixels,
    with_alpha_behind_colours,
)
from napari_snow_unet.data.imagej_colours import (
    has_inverting_table,
    lookup_tables,
    tables_to_show,
)
from napari_snow_unet.data.orientation import (
    ORIENTATION,
    known_orientation,
    said_of_turning,
    turned,
    turned_size,
)
from napari_snow_unet.data.value_range import value_range

_MAX_SAMPLE_VALUE = 281
_PLAIN = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE)
_OME_RGB = (-16776961, 16711935, 65535)  # red, green and blue, opaque
_BY_PILLOW = (PHOTOMETRIC.SEPARATED, PHOTOMETRIC.YCBCR, PHOTOMETRIC.MASK)
#: What stands beside the picture in the file of a slide scanner.
_BESIDE = {"thumbnail", "label", "macro", "map", "overview"}
_WITH_SIZE = re.compile(r"\s+\d+\s*x\s*\d+$")  # label 387x463, as Aperio writes it
_SAME = 4  # a picture of less than a quarter of the pixels is a preview
SAVE_AS_RGB = "Save it as RGB, 8 bits, and open that."


def main_series(tif: TiffFile) -> TiffPageSeries:
    """Return the picture of a TIFF: the first of the largest, no thumbnail, label or macro."""
    return max(_pictures(tif), key=_area)


def _pictures(tif: TiffFile) -> list[TiffPageSeries]:
    series = list(tif.series)
    return [each for each in series if not _is_beside(each)] or series


def _is_beside(series: TiffPageSeries) -> bool:
    """Tell whether a picture stands beside the image, by its name or what is said of it."""
    lines = str(series.keyframe.description).lower().splitlines()
    names = [_WITH_SIZE.sub("", line.strip()) for line in (series.name.lower(), *lines)]
    return not _BESIDE.isdisjoint(names)


def _area(series: TiffPageSeries) -> int:
    height, width = spatial_size(series)
    return height * width


def _said_of_others(tif: TiffFile) -> tuple[str, ...]:
    """Say that a file holds other pictures too, which nobody reads."""
    pictures = _pictures(tif)
    main = max(pictures, key=_area)
    full = [each for each in pictures if _SAME * _area(each) >= _area(main)]
    if len(full) < 2:
        return ()
    which = "the largest" if _area(full[0]) < _area(main) else "the first"
    return (f"The file holds {len(full)} pictures, of which {which} is read.",)


def tiff_facts(tif: TiffFile) -> Facts:
    """Return what the header of a TIFF says, with the size as it is shown."""
    series = main_series(tif)
    page = series.keyframe
    orientation = tiff_orientation(page)
    length, width = spatial_size(series)
    dtype = "uint8" if page.photometric not in _PLAIN else np.dtype(series.dtype).name
    in_colours = tables_to_show(tif, series) is not None
    if page.photometric == PHOTOMETRIC.PALETTE or dtype == "bool" or in_colours:
        dtype = "uint8"
    white = None if in_colours else stated_white(tif, page)
    return Facts(turned_size((length, width), orientation), dtype, orientation, white)


def spatial_size(series: TiffPageSeries) -> tuple[int, int]:
    """Return height and width as stored; axes of length 1 count only where no others are left."""
    axes, colour = _axes_kept(series.shape, series.axes)
    height, width = [series.shape[axis] for axis in axes if axis != colour][-2:]
    return int(height), int(width)


def tiff_orientation(page: TiffPage) -> int:
    """Return how a page asks to be turned."""
    tag = page.tags.get(ORIENTATION)
    return known_orientation(None if tag is None else tag.value)


def decode_tiff(tif: TiffFile, stream: BinaryIO) -> Decoded:
    """Return the picture in a TIFF as it is shown.

    Raises
    ------
    PixelError
        If it claims more than the file can hold, or has other axes or colours than can be read.
    """
    series = main_series(tif)
    page = series.keyframe
    _check_claims(series, stream)
    white, orientation = tiff_facts(tif).white, tiff_orientation(page)
    notes = (*_said_of_others(tif), *_said_of_channels(tif, series))
    if page.photometric in _PLAIN:
        array, axes = _as_stored(series)
        array = _as_shown(array, axes, tif, white)
        axes += "S" * (array.ndim - len(axes))  # a palette's
        pixels, said = _straight(_arranged(array, axes), page)
        notes += said
        pixels = turned(pixels, orientation, rows=_rows(pixels, (3, 4)))
    else:
        pixels = _by_pillow(series, stream)
    pixels = np.ascontiguousarray(pixels)
    return Decoded(pixels, orientation, white, notes + said_of_turning(orientation))


def tiff_values(tif: TiffFile, stream: BinaryIO) -> npt.NDArray[Any]:
    """Return the numbers in a TIFF as stored, for labels, with channels last and turned.

    Of one bit the numbers are those that are shown: 1 is white. Programs that use tifffile write 1
    as black and mean it as a number; there it stays one.
    """
    series = main_series(tif)
    page = series.keyframe
    _check_claims(series, stream)
    if page.photometric not in _PLAIN:
        return _by_pillow(series, stream)
    array, axes = _as_stored(series)
    if array.dtype == bool and page.photometric == PHOTOMETRIC.MINISWHITE:
        array = array if "tifffile" in page.software else ~array
    array = _arranged(array, axes)
    array = turned(array, tiff_orientation(page), rows=_rows(array, (2, 3, 4)))
    return np.ascontiguousarray(array)


def _rows(array: npt.NDArray[Any], bands: tuple[int, ...]) -> int:
    """Return the axis of the rows."""
    return array.ndim - (3 if array.ndim > 2 and array.shape[-1] in bands else 2)


def _check_claims(series: TiffPageSeries, stream: BinaryIO) -> None:
    """Hold what a header promises against the file before memory is taken."""
    check_claim(int(series.nbytes), stream)
    page = series.keyframe
    # A strip or tile is unpacked as a whole, however much of it the image needs.
    rows = min(page.rowsperstrip, page.imagelength) if not page.is_tiled else page.tilelength
    width = page.tilewidth if page.is_tiled else page.imagewidth
    samples = page.samplesperpixel * max(page.imagedepth, page.tiledepth)
    check_claim(rows * width * samples * page.bitspersample // 8, stream)


def _as_stored(series: TiffPageSeries) -> tuple[npt.NDArray[Any], str]:
    array = series.asarray()
    if not array.size:
        raise PixelError("the TIFF has no pixels")
    return native(array), series.axes


def stated_white(tif: TiffFile, page: TiffPage) -> float | None:
    """Return the value that is white, where a TIFF says so: in its bits, in OME or in a tag."""
    stored = 8 * np.dtype(page.dtype).itemsize if page.dtype is not None else 0
    if stored != 16 or page.dtype.kind not in "ui":
        return None
    bits = int(page.bitspersample)
    if bits == stored and tif.is_ome:
        found = re.search(r"""\bSignificantBits\s*=\s*["'](\d{1,2})["']""", tif.ome_metadata or "")
        bits = int(found[1]) if found else bits
    largest = page.tags.get(_MAX_SAMPLE_VALUE)
    if bits == stored and largest is not None:
        with suppress(TypeError, ValueError):
            value = int(np.max(largest.value))
            bits = value.bit_length() if value & (value + 1) == 0 else bits
    return float(2**bits - 1) if 8 <= bits < stored else None


def _as_shown(
    array: npt.NDArray[Any], axes: str, tif: TiffFile, white: float | None
) -> npt.NDArray[Any]:
    """Turn palette indices into colours, few bits into 8 and an inverted scale around."""
    page = main_series(tif).keyframe
    bits = int(page.bitspersample)
    if page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours = page.colormap if page.colormap.max() < 256 else page.colormap >> 8
        return np.moveaxis(colours.astype(np.uint8)[:, array.astype(np.intp)], 0, -1)
    inverted = page.photometric == PHOTOMETRIC.MINISWHITE
    if array.dtype == bool:
        return (array ^ inverted).astype(np.uint8) * 255
    if array.dtype == np.uint8 and bits < 8:
        array = np.rint(array * (255 / (2**bits - 1))).astype(np.uint8)
    if inverted and "S" in axes:
        return _with_grey_inverted(array, axes.index("S"), white)
    tables = tables_to_show(tif, main_series(tif))
    if tables is not None:
        return tables.shown(array, axes.find("C"))
    inverted = inverted or has_inverting_table(tif, axes)
    return _inverted(array, white) if inverted else array


def _said_of_channels(tif: TiffFile, series: TiffPageSeries) -> tuple[str, ...]:
    """Say that channels are taken for colours of which the file does not say that they are."""
    colour = _axes_kept(series.shape, series.axes)[1]
    if colour < 0 or series.axes[colour] != "C" or series.shape[colour] != len(_OME_RGB):
        return ()
    tables = lookup_tables(tif)
    if tables is not None and (tables.is_rgb or tables_to_show(tif, series) is not None):
        return ()
    said = re.findall(r"<(?:\w+:)?Channel\b[^>]*\bColor\s*=\s*[\"'](-?\d+)", tif.ome_metadata or "")
    return () if tuple(map(int, said)) == _OME_RGB else (CHANNELS_AS_COLOURS,)


def _with_grey_inverted(
    array: npt.NDArray[Any], bands: int, white: float | None
) -> npt.NDArray[Any]:
    """Invert the grey of an image that has alpha behind it."""
    grey, *rest = np.moveaxis(array, bands, 0)
    return np.moveaxis(np.stack([_inverted(grey, white), *rest]), 0, bands)


def _inverted(array: npt.NDArray[Any], white: float | None) -> npt.NDArray[Any]:
    top = value_range(array, white=white).white
    if array.dtype.kind == "f":
        return np.maximum(array.dtype.type(top) - array, 0)
    return (top - np.minimum(array, int(top))).astype(array.dtype)


def _straight(pixels: npt.NDArray[Any], page: TiffPage) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Return colours that alpha has not been multiplied into; alpha only where there is any."""
    extra = page.extrasamples[:1]
    if pixels.ndim < 3 or pixels.shape[-1] not in (2, 4) or not extra:
        return pixels, ()
    if extra[0] == EXTRASAMPLE.UNSPECIFIED:
        alpha = pixels[..., -1]
        if pixels.shape[-1] == 2 or alpha.min() == alpha.max():
            bands = pixels[..., :-1]
            return (bands[..., 0] if bands.shape[-1] == 1 else bands), ()
        said = "A fourth channel, of which the file does not say what it is, is taken for alpha."
        return pixels, (said,)
    if extra[0] == EXTRASAMPLE.ASSOCALPHA:
        pixels = _not_multiplied(pixels)
    return with_alpha_behind_colours(pixels), ()


def _not_multiplied(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    alpha = pixels[..., -1:].astype(np.float64)
    opaque = alpha_of(pixels.dtype)
    colours = pixels[..., :-1] * (opaque / np.where(alpha == 0, opaque, alpha))
    if pixels.dtype.kind != "f":
        colours = np.rint(np.minimum(colours, opaque))
    return np.concatenate([colours.astype(pixels.dtype), pixels[..., -1:]], axis=-1)


def _by_pillow(series: TiffPageSeries, stream: BinaryIO) -> npt.NDArray[Any]:
    """Return CMYK and YCbCr as RGB, which Pillow turns by itself."""
    page = series.keyframe
    if page.photometric not in _BY_PILLOW:
        name = getattr(page.photometric, "name", page.photometric)
        raise PixelError(f"the TIFF has the photometric interpretation {name}", SAVE_AS_RGB)
    stream.seek(0)
    image = TiffImagePlugin.TiffImageFile(stream)
    frames = []
    for page in series.pages:
        image.seek(page.index)
        frames.append(pillow_pixels(image))
    return frames[0] if len(frames) == 1 else np.stack(frames)


def _axes_kept(shape: tuple[int, ...], axes: str) -> tuple[list[int], int]:
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


def _arranged(array: npt.NDArray[Any], axes: str) -> npt.NDArray[Any]:
    """Put channels last; refuse what is no image or stack of images."""
    kept, colour = _axes_kept(array.shape, axes)
    planes = len(kept) - (3 if colour >= 0 else 2)
    bands = array.shape[colour] if colour >= 0 else 3
    if planes not in (0, 1) or bands not in (2, 3, 4):
        shape = " x ".join(map(str, array.shape))
        raise PixelError(f"the TIFF has the axes {axes} and the shape {shape}", ONE_STACK)
    array = array.reshape([array.shape[axis] for axis in kept])
    if colour >= 0:
        array = np.moveaxis(array, kept.index(colour), -1)
    return np.ascontiguousarray(array)


CHANNELS_AS_COLOURS = "The three channels of the file are taken for red, green and blue."
ONE_STACK = "Save one plane, or one stack of planes, as a file of its own."
