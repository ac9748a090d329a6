"""Open files of pixels into arrays: PNG, JPEG and BMP with Pillow, TIFF with tifffile.

The format is told by the first bytes, and a header's claim is held against the size of the file
before anything is allocated, so that a small file cannot fill the memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin
from PIL.ImageFile import ImageFile
from tifffile import PHOTOMETRIC, TiffFile, TiffPageSeries

from napari_snow_unet.data.tiff_directories import directories_fit

#: No format here packs pixels better than this (deflate ends at 1032:1, JPEG before).
_MOST_PACKED = 2000
_ALWAYS_FINE = 1 << 26  # bytes
_PILLOW: dict[bytes, Callable[[BinaryIO], ImageFile]] = {
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PixelError(ValueError):
    """What is wrong with a file of pixels, as the subject of a sentence."""


class _Bounded:
    """A file that takes no memory ahead for bytes that a chunk claims and the file lacks."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, os.SEEK_END)
        stream.seek(0)

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._stream.tell(), 0)
        return self._stream.read(left if size < 0 else min(size, left))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def open_pillow(stream: BinaryIO) -> ImageFile | None:
    """Open a PNG, JPEG or BMP with its header checked; None if it is of another format.

    Raises
    ------
    PixelError
        If the header claims more than the file can hold.
    """
    start = stream.read(8)
    stream.seek(0)
    for signature, kind in _PILLOW.items():
        if start.startswith(signature):
            image = kind(_Bounded(stream))  # type: ignore[arg-type]
            depth = 1 if image.mode == "1" else 8 * len(image.getbands())
            check_claim(image.width * image.height * depth // 8, stream)
            return image
    return None


def is_tiff(stream: BinaryIO) -> bool:
    """Tell whether a file begins as a TIFF or BigTIFF."""
    start = stream.read(4)
    stream.seek(0)
    return start in _TIFF


def open_tiff(stream: BinaryIO) -> TiffFile:
    """Open a TIFF by itself: what OME-XML says of pixels in other files is not followed.

    Raises
    ------
    PixelError
        If its directories cannot be.
    """
    if not directories_fit(stream):
        raise PixelError("the TIFF's directories overlap or lie beyond its end")
    return TiffFile(_Bounded(stream), _multifile=False)


def pillow_pixels(image: Image.Image) -> npt.NDArray[Any]:
    """Return an image as (Y, X) or (Y, X, 3|4): palettes resolved, opaque alpha of grey dropped."""
    mode = image.mode
    if mode == "1":
        image = image.convert("L")
    elif mode == "LA":
        grey, alpha = image.split()
        image = grey if alpha.getextrema() == (255, 255) else image.convert("RGBA")
    elif mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif mode not in ("L", "RGB", "RGBA", "I", "F") and not mode.startswith("I;16"):
        image = image.convert("RGB")
    return np.array(image)


def pillow_values(image: ImageFile) -> npt.NDArray[Any]:
    """Return an image's numbers as stored, for labels: (Y, X) or (Y, X, bands).

    Of a palette the numbers are its indices, unless its colours are greys: then they are these.
    """
    if image.mode == "P" and image.palette is not None:
        colours = np.frombuffer(image.palette.tobytes(), np.uint8)
        colours = colours.reshape(-1, len(image.palette.mode))[:, :3]
        if (colours == colours[:, :1]).all():
            indices = np.array(image)
            if indices.max() < len(colours):
                return colours[indices, 0]
            raise PixelError("the image points beyond its palette")
    packing = str(image.tile[0].args) if image.tile else ""
    if packing.startswith(("RGB;16", "RGBA;16", "LA;16")):
        raise PixelError("16 bits in each of several channels, of which Pillow reads only 8")
    stretch = {"L;2": 85, "L;4": 17}.get(packing, 1)  # Pillow spreads 2 and 4 bits over 0..255
    values = np.array(image)
    return values // stretch if stretch > 1 else values


def tiff_pixels(tif: TiffFile, stream: BinaryIO) -> npt.NDArray[Any]:
    """Return a TIFF's first series as stored, with colour channels last.

    Returns
    -------
    ndarray, shape (Y, X), (Y, X, 3|4), (N, Y, X) or (N, Y, X, 3|4)
        Of a pyramid, the full resolution.

    Raises
    ------
    PixelError
        If it claims more than the file can hold, or has other axes than these.
    """
    series = tif.series[0]
    check_claim(int(series.nbytes), stream)
    page = series.keyframe
    # A strip or tile is unpacked as a whole, however much of it the image needs.
    rows = min(page.rowsperstrip, page.imagelength) if not page.is_tiled else page.tilelength
    width = page.tilewidth if page.is_tiled else page.imagewidth
    samples = page.samplesperpixel * max(page.imagedepth, page.tiledepth)
    check_claim(rows * width * samples * page.bitspersample // 8, stream)
    plain = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE)
    try:
        if page.photometric not in plain:
            return _tiff_by_pillow(series, stream)
        array = series.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):  # tifffile leaves LZW and JPEG to that package
            raise
        return _tiff_by_pillow(series, stream)
    if not array.size:
        raise PixelError("the TIFF has no pixels")
    return _channels_last(array, series.axes)


def tiff_colours(tif: TiffFile, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn a TIFF's palette indices into colours and its bits into 0 and 255."""
    page = tif.series[0].keyframe
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        return np.moveaxis(page.colormap[:, array] >> 8, 0, -1).astype(np.uint8)
    return array


def _tiff_by_pillow(series: TiffPageSeries, stream: BinaryIO) -> npt.NDArray[Any]:
    stream.seek(0)
    image = TiffImagePlugin.TiffImageFile(stream)
    frames = []
    for page in series.pages:
        image.seek(page.index)
        frames.append(pillow_pixels(image))
    return frames[0] if len(frames) == 1 else np.stack(frames)


def _channels_last(array: npt.NDArray[Any], axes: str) -> npt.NDArray[Any]:
    """Put samples, or three or four channels, last; refuse what is no image or stack of them."""
    colour = axes.find("S") if "S" in axes else axes.find("C")
    if colour >= 0 and "S" not in axes and array.shape[colour] not in (3, 4):
        colour = -1
    if colour >= 0:
        array = np.moveaxis(array, colour, -1)
        if array.shape[-1] == 2:  # grey and alpha
            array = array[..., 0]
            colour = -1
    planes = array.ndim - (3 if colour >= 0 else 2)
    if planes not in (0, 1) or (colour >= 0 and array.shape[-1] not in (3, 4)):
        shape = " x ".join(map(str, array.shape))
        raise PixelError(f"the TIFF has the axes {axes} and the shape {shape}")
    return np.ascontiguousarray(array)


def check_claim(claimed: int, stream: BinaryIO) -> None:
    """Compare the bytes that a header promises with the bytes there are."""
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    if claimed > max(_ALWAYS_FINE, _MOST_PACKED * size):
        raise PixelError(f"the header claims {claimed:,} bytes of pixels in a file of {size:,}")
