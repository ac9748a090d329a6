"""Images of every kind that is read here: plain files, and slides that are small enough."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.data import slides
from napari_snow_unet.data.image_header import ImageHeader, read_header
from napari_snow_unet.data.images import ImageFile, read_image
from napari_snow_unet.data.opening import Source, source_name
from napari_snow_unet.data.pixel_size import plausible_um
from napari_snow_unet.data.slides import Slide, is_slide, open_slide, read_slide


def read_any_image(source: Source) -> ImageFile:
    """Read an image file, or the full resolution of a slide.

    Parameters
    ----------
    source : path-like or binary file
        See `images.read_image` and `slides.read_slide`; a slide must be given by its path.

    Returns
    -------
    ImageFile
        Pixels, pixel size and path.

    Raises
    ------
    InputError
        If it cannot be read, or is a slide that is too large to be read as a whole.
    """
    path = source_name(source)
    return read_slide(path) if is_slide(path) else read_image(source)


def read_any_header(source: Source) -> ImageHeader:
    """Read the size of an image or slide and of its pixels, and none of the pixels.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = source_name(source)
    if not is_slide(path):
        return read_header(source)
    slide = open_slide(path)
    side = None if slide.spacing_um is None else plausible_um(*slide.spacing_um[::-1])
    return ImageHeader(slide.size, side, slide.orientation, slide.white, str(slide.levels[0].dtype))


def header_for(path: Path, size: tuple[int, int]) -> ImageHeader | None:
    """Return what a file says of pixels that were read from it, turned or as they are stored.

    Parameters
    ----------
    path : pathlib.Path
        An image or slide.
    size : tuple of int
        Height and width of the pixels.

    Returns
    -------
    ImageHeader or None
        None where the file has another size or cannot be read. This never raises.
    """
    try:
        header = read_any_header(path)
    except Exception:  # it is a question, and libraries fail in ways of their own
        return None
    return header if size in (header.size, header.stored_size) else None


def large_image(path: Path) -> Slide | None:
    """Open an image as a slide if it is too large to be read as a whole, None if it is not.

    Parameters
    ----------
    path : pathlib.Path
        An image or slide.

    Raises
    ------
    InputError
        If it is too large and no part of it can be read by itself.
    """
    suffix = path.suffix.lower()
    if not is_slide(path) and suffix not in slides.TIFF_SUFFIXES:
        return None
    height, width = read_any_header(path).size
    return open_slide(path) if height * width > slides.LARGEST_WHOLE else None
