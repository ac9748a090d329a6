"""Open files of pixels into arrays: PNG, JPEG and BMP with Pillow; see `tiff` for TIFF.

The format is recognised by the first bytes, and the header is checked against the size of the file
before anything is allocated, so that a small file cannot fill the memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin
from PIL.ImageFile import ImageFile
from tifffile import TiffFile

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import messages
from napari_snow_unet.data.pixels.colour_tables import values_of_palette
from napari_snow_unet.data.pixels.orientation import (
    ORIENTATION,
    UPRIGHT,
    notes_on_turning,
    turned,
    valid_orientation,
)
from napari_snow_unet.data.pixels.png import ancillary_chunks
from napari_snow_unet.data.pixels.tiff_directories import directories_fit

#: No format here packs pixels better than this (deflate ends at 1032:1, JPEG before).
_MOST_PACKED = 2000
_ALWAYS_FINE = 1 << 26  # bytes
_PILLOW: dict[bytes, Callable[[BinaryIO], ImageFile]] = {
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: First bytes of files that are often named .png or .tif.
_OTHERS = {
    b"RIFF": "WebP",
    b"GIF8": "GIF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x18ftyp": "HEIC or AVIF",
    b"\0\0\0\x1cftyp": "HEIC or AVIF",
    b"\0\0\0\x20ftyp": "HEIC or AVIF",
    b"%PDF": "PDF",
    b"\x89HDF": "HDF5",
}
_DEEP = ("RGB;16", "RGBA;16", "LA;16")  # of which Pillow keeps 8 bits
_WITH_A_CLEAR_COLOUR = ("1", "L", "RGB", "P", "PA")
_AS_NUMBERS = ("L", "RGB", "RGBA", "I", "F")


@dataclass(frozen=True)
class Decoded:
    """Pixels, and what their file states about them."""

    # as shown, palettes resolved: (Y, X), (Y, X, 3|4), (N, Y, X) or (N, Y, X, 3|4)
    pixels: npt.NDArray[Any]
    orientation: int = UPRIGHT  # how the image was turned, 1 to 8
    white: float | None = None  # the value that is white, where the file says so
    notes: tuple[str, ...] = ()  # what a person should know


@dataclass(frozen=True)
class Facts:
    """What the header of a file states about its pixels; see `Decoded`."""

    size: tuple[int, int]
    dtype: str
    orientation: int = UPRIGHT
    white: float | None = None


class Bounded:
    """A file that never allocates more than it can deliver, whatever a chunk claims."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, os.SEEK_END)
        stream.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Return at most as many bytes as there are."""
        left = max(self._size - self._stream.tell(), 0)
        return self._stream.read(left if size < 0 else min(size, left))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def open_pillow(stream: BinaryIO) -> ImageFile | None:
    """Open a PNG, JPEG or BMP with its header checked; None if it is of another format."""
    start = stream.read(8)
    stream.seek(0)
    for signature, kind in _PILLOW.items():
        if start.startswith(signature):
            image = kind(Bounded(stream))  # type: ignore[arg-type]
            depth = 1 if image.mode == "1" else 8 * len(image.getbands())
            depth *= 2 if is_deep(image) else 1
            check_claim(image.width * image.height * depth // 8, stream)
            return image
    return None


def other_format(stream: BinaryIO) -> InputError:
    """Return the refusal of a file in another format, with its name where it is recognised."""
    stream.seek(0)
    start = stream.read(12)
    name = next((name for begin, name in _OTHERS.items() if start.startswith(begin)), "")
    return InputError(messages.content_is(name) if name else messages.OTHER_FORMAT)


def is_tiff(stream: BinaryIO) -> bool:
    """Tell whether a file begins as a TIFF or BigTIFF."""
    start = stream.read(4)
    stream.seek(0)
    return start in _TIFF


def open_tiff(stream: BinaryIO) -> TiffFile:
    """Open a TIFF by itself: what OME-XML says of pixels in other files is not followed."""
    if not directories_fit(stream):
        raise InputError(messages.damaged("its directories overlap or lie beyond its end"))
    return TiffFile(Bounded(stream), _multifile=False)


def pillow_facts(image: ImageFile, stream: BinaryIO) -> Facts:
    """Return what the header of a PNG, JPEG or BMP says, with the size as it is shown."""
    orientation, bits = UPRIGHT, 0
    exif: bytes | None = image.info.get("exif")
    if image.format == "PNG":
        chunks = ancillary_chunks(stream)
        exif = chunks.get(b"eXIf", exif)
        bits = max(chunks.get(b"sBIT", b"\0"))
    if exif:
        orientation = _orientation_in(exif)
    size = (image.height, image.width)
    dtype = _data_type(image)
    white = float(2**bits - 1) if dtype == "uint16" and 8 <= bits < 16 else None
    return Facts(size if orientation < 5 else size[::-1], dtype, orientation, white)


def _orientation_in(exif: bytes) -> int:
    tags = Image.Exif()
    try:
        tags.load(exif)
        return valid_orientation(tags.get(ORIENTATION))
    except Exception:  # notes of a camera, which may be anything; the picture is whole
        return UPRIGHT


def _data_type(image: ImageFile) -> str:
    if image.mode.startswith("I;16") or is_deep(image):
        return "uint16"
    return {"I": "int32", "F": "float32"}.get(image.mode, "uint8")


def is_deep(image: ImageFile) -> bool:
    """Tell whether an image has several channels of 16 bits."""
    return bool(image.tile) and str(image.tile[0].args).startswith(_DEEP)


def decode_pillow(image: ImageFile, stream: BinaryIO) -> Decoded:
    """Return the pixels of a PNG, JPEG or BMP as they are shown."""
    facts = pillow_facts(image, stream)
    stream.seek(0)
    pixels = _deep_pixels(stream) if is_deep(image) else pillow_pixels(image)
    turned_pixels = np.ascontiguousarray(turned(pixels, facts.orientation))
    notes = notes_on_turning(facts.orientation)
    return Decoded(turned_pixels, facts.orientation, facts.white, notes)


def _deep_pixels(stream: BinaryIO) -> npt.NDArray[np.uint16]:
    """Read a PNG with several channels of 16 bits."""
    from imagecodecs import png_decode

    return with_alpha_behind_colours(np.asarray(png_decode(stream.read())))


def with_alpha_behind_colours(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return grey and alpha, (..., 2), as (...), or as (..., 4) where anything shines through."""
    if pixels.shape[-1] != 2:
        return pixels
    grey, alpha = pixels[..., 0], pixels[..., 1]
    if (alpha == alpha_of(pixels.dtype)).all():
        return grey
    return np.stack([grey, grey, grey, alpha], axis=-1)


def alpha_of(dtype: np.dtype[Any]) -> float:
    """Return the alpha that lets nothing shine through."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def pillow_pixels(image: Image.Image) -> npt.NDArray[Any]:
    """Return an image as (Y, X) or (Y, X, 3|4): palettes resolved, opaque alpha of grey dropped."""
    mode = image.mode
    if mode in _WITH_A_CLEAR_COLOUR and image.has_transparency_data:
        image = image.convert("RGBA")
    elif mode == "1":
        image = image.convert("L")
    elif mode == "LA":
        return with_alpha_behind_colours(np.array(image))
    elif mode.startswith("I;16") and isinstance(image.info.get("transparency"), int):
        grey = native(np.array(image))
        clear = grey == image.info["transparency"]
        return with_alpha_behind_colours(np.stack([grey, np.where(clear, 0, 65535)], axis=-1))
    elif mode not in _AS_NUMBERS and not mode.startswith("I;16"):
        image = image.convert("RGB")
    return native(np.array(image))


def native(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def pillow_values(image: ImageFile) -> npt.NDArray[Any]:
    """Return the numbers of labels, (Y, X) or (Y, X, bands); 0 where a colour is transparent."""
    if image.mode == "P" and (palette := image.getpalette()) is not None:
        colours, indices = np.array(palette, np.uint8).reshape(-1, 3), np.array(image)
        if indices.max(initial=0) >= len(colours):
            raise InputError(messages.damaged("it refers to colours beyond its palette"))
        return values_of_palette(indices, colours, _is_clear(image, np.arange(len(colours))))
    packing = str(image.tile[0].args) if image.tile else ""
    if is_deep(image):
        raise InputError(messages.DEEP_COLOUR)
    stretch = {"L;2": 85, "L;4": 17}.get(packing, 1)  # Pillow spreads 2 and 4 bits over 0..255
    values = np.array(image) // stretch if stretch > 1 else np.array(image)
    clear = image.info.get("transparency")
    return np.where(values == clear, 0, values) if isinstance(clear, int) else values


def _is_clear(image: ImageFile, indices: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell where the colour of a palette is transparent."""
    alphas = image.info.get("transparency", b"")
    if isinstance(alphas, int):
        return indices == alphas
    return np.isin(indices, [i for i, alpha in enumerate(alphas) if not alpha])


def check_claim(claimed: int, stream: BinaryIO) -> None:
    """Compare the bytes that a header promises with the bytes there are."""
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    if claimed > max(_ALWAYS_FINE, _MOST_PACKED * size):
        detail = f"its header claims {claimed:,} bytes of pixels in a file of {size:,}"
        raise InputError(messages.damaged(detail))
