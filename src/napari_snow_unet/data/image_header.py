"""The size of an image and of its pixels, without reading the pixels."""

from __future__ import annotations

from dataclasses import dataclass

from napari_snow_unet.data import decoding, pixel_size
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.opening import Source, opened
from napari_snow_unet.data.orientation import UPRIGHT, turned_size
from napari_snow_unet.data.tiff import decode_tiff, tiff_facts

IMAGE = "a PNG, JPEG, TIFF or BMP image"


@dataclass(frozen=True)
class ImageHeader:
    """What can be known of an image without its pixels.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels, of the picture as it is shown.
    pixel_size_um, orientation, white
        As for `ImageFile`.
    dtype : str
        The type of its numbers.
    """

    size: tuple[int, int]
    pixel_size_um: float | None
    orientation: int = UPRIGHT
    white: float | None = None
    dtype: str = "uint8"

    @property
    def stored_size(self) -> tuple[int, int]:
        """Height and width of the pixels as they lie in the file."""
        return turned_size(self.size, self.orientation)


def read_header(source: Source) -> ImageHeader:
    """Read the size of an image and of its pixels, and none of the pixels.

    Raises
    ------
    InputError
        As `read_image` does.
    """
    with opened(source, IMAGE) as (_, stream):
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                facts, side = tiff_facts(tif), pixel_size.from_tiff(tif)
        else:
            image = decoding.open_pillow(stream)
            if image is None:
                raise decoding.of_another_kind(stream)
            facts = decoding.pillow_facts(image, stream)
            side = pixel_size.from_dots_per_inch(image.info)
    return ImageHeader(facts.size, side, facts.orientation, facts.white, facts.dtype)


def is_picture(source: Source) -> bool:
    """Tell whether an image file is in colour, as no label image is; False if it cannot be read."""
    try:
        with opened(source, IMAGE) as (_, stream):
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
