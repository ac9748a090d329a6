"""Image files to arrays and back, and their headers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tifffile import imwrite

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.shown import Shown
from napari_snow_unet.base.words import shape_in_words
from napari_snow_unet.data.pixels import decoding, messages, pixel_size
from napari_snow_unet.data.pixels.opening import Source, opened
from napari_snow_unet.data.pixels.orientation import UPRIGHT, turned_size
from napari_snow_unet.data.pixels.tiff import decode_tiff
from napari_snow_unet.data.pixels.tiff_header import tiff_facts

ABOUT = "napari-snow-unet"  # key of the provenance in a file


@dataclass(frozen=True, repr=False)
class ImageFile(Shown):
    """An image and what its file says about it.

    Attributes
    ----------
    array : ndarray, shape (Y, X), (Y, X, 3|4), (N, Y, X) or (N, Y, X, 3|4)
        The pixels as image viewers show them, of their own type: turned, palettes and inverted
        scales resolved, 1, 2 and 4 bits spread over 0 to 255, axes of length 1 left out. Alpha is
        there where anything shines through.
    pixel_size_um : float or None
        Micrometres per pixel, where the file states what a microscope can have.
    path : pathlib.Path
        Where it was read from.
    orientation : int
        How the image was turned, 1 to 8 as in EXIF; 1 is as stored.
    white : float or None
        The value that is white, where the file says so.
    notes : tuple of str
        Notes for the user on how it was read.
    """

    array: npt.NDArray[Any]
    pixel_size_um: float | None
    path: Path
    orientation: int = UPRIGHT
    white: float | None = None
    notes: tuple[str, ...] = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Return the pixels, so that NumPy takes the image for an array."""
        return np.array(self.array, dtype, copy=copy)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        size = self.pixel_size_um
        scale = "pixel size unknown" if size is None else f"{size:g} µm per pixel"
        shape = shape_in_words(self.array.shape)
        return f"{self.path.name}, {shape} {self.array.dtype}, {scale}"


def read_image(source: Source) -> ImageFile:
    """Read an image file: PNG, JPEG, TIFF (OME and ImageJ too) or BMP, recognised by its content.

    Parameters
    ----------
    source : path-like or binary file
        The file; an open one must be able to seek.

    Returns
    -------
    ImageFile
        Pixels, pixel size and path.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged or of another kind, or claims more than it can hold.
    """
    with opened(source) as (path, stream):
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                decoded, side = decode_tiff(tif, stream), pixel_size.from_tiff(tif)
        else:
            image = decoding.open_pillow(stream)
            if image is None:
                raise decoding.other_format(stream)
            decoded = decoding.decode_pillow(image, stream)
            side = pixel_size.from_dots_per_inch(image.info)
    return ImageFile(decoded.pixels, side, path, decoded.orientation, decoded.white, decoded.notes)


def write_image(
    path: str | os.PathLike[str],
    pixels: npt.NDArray[np.uint8],
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an 8-bit image as PNG or TIFF, by the suffix of `path`.

    Parameters
    ----------
    path : path-like
        ``.png``, ``.tif`` or ``.tiff``.
    pixels : ndarray of uint8, shape (Y, X), (Y, X, 3) or (Y, X, 4)
        Grey, RGB or RGBA.
    about : mapping, optional
        The provenance of a mask, see `formats.origin`; it is written into the file.
    overwrite : bool, default: False
        Overwrite an existing file.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If the suffix or the array is of another kind, or the file exists already.
    """
    path, pixels = Path(path), np.asarray(pixels)
    bands = pixels.shape[2:]
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or bands not in ((), (3,), (4,)):
        raise InputError(messages.not_8_bits(str(pixels.dtype), pixels.shape), path=path)
    write_pixels(path, pixels, about, overwrite=overwrite)
    return path


def write_pixels(
    path: Path, pixels: npt.NDArray[Any], about: Mapping[str, Any] | None, *, overwrite: bool
) -> None:
    """Write pixels and their provenance as PNG or TIFF."""
    suffix = path.suffix.lower()
    if suffix not in (".png", ".tif", ".tiff"):
        raise InputError(messages.other_suffix(path.suffix), path=path)
    with written_whole(path, overwrite=overwrite) as temporary, temporary.open("wb") as stream:
        if suffix == ".png":
            info = PngInfo()
            if about:
                info.add_text(ABOUT, json.dumps(about))
            Image.fromarray(pixels).save(stream, "PNG", pnginfo=info)
        else:
            photometric = "rgb" if pixels.ndim == 3 else "minisblack"
            metadata = {ABOUT: about} if about else {}
            imwrite(stream, pixels, compression="zlib", photometric=photometric, metadata=metadata)


@dataclass(frozen=True)
class ImageHeader:
    """An image without its pixels; other fields as in `ImageFile`."""

    size: tuple[int, int]  # height and width as shown
    pixel_size_um: float | None
    orientation: int = UPRIGHT
    white: float | None = None
    dtype: str = "uint8"

    @property
    def stored_size(self) -> tuple[int, int]:
        """Height and width of the pixels as they lie in the file."""
        return turned_size(self.size, self.orientation)


def read_header(source: Source) -> ImageHeader:
    """Read the header of an image: its size and pixel size, but no pixels."""
    with opened(source) as (_, stream):
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                facts, side = tiff_facts(tif), pixel_size.from_tiff(tif)
        else:
            image = decoding.open_pillow(stream)
            if image is None:
                raise decoding.other_format(stream)
            facts = decoding.pillow_facts(image, stream)
            side = pixel_size.from_dots_per_inch(image.info)
    return ImageHeader(facts.size, side, facts.orientation, facts.white, facts.dtype)


def is_picture(source: Source) -> bool:
    """Tell whether an image file is in colour, unlike label images; False if unreadable."""
    try:
        with opened(source) as (_, stream):
            if decoding.is_tiff(stream):
                with decoding.open_tiff(stream) as tif:
                    pixels = decode_tiff(tif, stream).pixels
            else:
                image = decoding.open_pillow(stream)
                if image is None or image.mode not in ("RGB", "RGBA", "YCbCr", "CMYK"):
                    return False
                pixels = decoding.pillow_pixels(image)
    except InputError:
        return False
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        return False
    return bool((pixels[..., :1] != pixels[..., 1:3]).any())
