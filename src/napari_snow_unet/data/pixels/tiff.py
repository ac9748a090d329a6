"""The picture in a TIFF (Revision 6.0, Adobe, 1992), as the program that wrote it shows it."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import TiffImagePlugin
from tifffile import EXTRASAMPLE, PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import messages
from napari_snow_unet.data.pixels.colour_tables import (
    has_inverting_table,
    lookup_tables,
    tables_to_show,
)
from napari_snow_unet.data.pixels.decoding import (
    Decoded,
    alpha_of,
    check_claim,
    native,
    pillow_pixels,
    with_alpha_behind_colours,
)
from napari_snow_unet.data.pixels.orientation import notes_on_turning, turned
from napari_snow_unet.data.pixels.tiff_header import (
    PLAIN,
    axes_kept,
    main_series,
    notes_on_others,
    tiff_facts,
    tiff_orientation,
)
from napari_snow_unet.data.pixels.value_range import value_range

_OME_RGB = (-16776961, 16711935, 65535)  # red, green and blue, opaque
_BY_PILLOW = (PHOTOMETRIC.SEPARATED, PHOTOMETRIC.YCBCR, PHOTOMETRIC.MASK)


def decode_tiff(tif: TiffFile, stream: BinaryIO) -> Decoded:
    """Return the picture in a TIFF as it is shown; InputError where that cannot be."""
    series = main_series(tif)
    page = series.keyframe
    _check_claims(series, stream)
    white, orientation = tiff_facts(tif).white, tiff_orientation(page)
    notes = (*notes_on_others(tif), *_notes_on_channels(tif, series))
    if page.photometric in PLAIN:
        array, axes = _as_stored(series)
        array = _as_shown(array, axes, tif, white)
        axes += "S" * (array.ndim - len(axes))  # a palette's
        pixels, about_alpha = _straight(_arranged(array, axes), page)
        notes += about_alpha
        pixels = turned(pixels, orientation, rows=_rows(pixels, (3, 4)))
    else:
        pixels = _by_pillow(series, stream)
    pixels = np.ascontiguousarray(pixels)
    return Decoded(pixels, orientation, white, notes + notes_on_turning(orientation))


def tiff_values(tif: TiffFile, stream: BinaryIO) -> npt.NDArray[Any]:
    """Return the numbers in a TIFF as stored, for labels, with channels last and turned."""
    series = main_series(tif)
    page = series.keyframe
    _check_claims(series, stream)
    if page.photometric not in PLAIN:
        return _by_pillow(series, stream)
    array, axes = _as_stored(series)
    # One bit is taken as shown: 1 is white. Programs that use tifffile write 1 as black and mean it
    # as a number; there it stays one.
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
        raise InputError(messages.damaged("it has no pixels"))
    return native(array), series.axes


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


def _notes_on_channels(tif: TiffFile, series: TiffPageSeries) -> tuple[str, ...]:
    """Return the note on channels that are read as colours though the file does not say so."""
    colour = axes_kept(series.shape, series.axes)[1]
    if colour < 0 or series.axes[colour] != "C" or series.shape[colour] != len(_OME_RGB):
        return ()
    tables = lookup_tables(tif)
    if tables is not None and (tables.is_rgb or tables_to_show(tif, series) is not None):
        return ()
    xml = tif.ome_metadata or ""
    colours = re.findall(r"<(?:\w+:)?Channel\b[^>]*\bColor\s*=\s*[\"'](-?\d+)", xml)
    return () if tuple(map(int, colours)) == _OME_RGB else (messages.CHANNELS_AS_COLOURS,)


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
        return pixels, (messages.FOURTH_AS_ALPHA,)
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
        raise InputError(messages.photometric(str(name)))
    stream.seek(0)
    image = TiffImagePlugin.TiffImageFile(stream)
    frames = []
    for page in series.pages:
        image.seek(page.index)
        frames.append(pillow_pixels(image))
    return frames[0] if len(frames) == 1 else np.stack(frames)


def _arranged(array: npt.NDArray[Any], axes: str) -> npt.NDArray[Any]:
    """Put channels last; refuse anything but an image or a stack of images."""
    kept, colour = axes_kept(array.shape, axes)
    planes = len(kept) - (3 if colour >= 0 else 2)
    bands = array.shape[colour] if colour >= 0 else 3
    if planes not in (0, 1) or bands not in (2, 3, 4):
        raise InputError(messages.not_one_stack(axes, array.shape))
    array = array.reshape([array.shape[axis] for axis in kept])
    if colour >= 0:
        array = np.moveaxis(array, kept.index(colour), -1)
    return np.ascontiguousarray(array)
