"""Image and label files to arrays and back."""

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

from napari_snow_unet.data import decoding, pixel_size
from napari_snow_unet.data.annotation_files import is_annotation_path
from napari_snow_unet.data.decoding import PixelError, alpha_of
from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.data.hovernet_mat import read_instance_map
from napari_snow_unet.data.image_header import IMAGE, ImageHeader, read_header
from napari_snow_unet.data.labels import as_labels
from napari_snow_unet.data.naming import IMAGE_SUFFIXES, LABEL_SUFFIXES
from napari_snow_unet.data.nucleus_files import Merged, merge_nuclei, nucleus_files
from napari_snow_unet.data.opening import Source, opened, source_name
from napari_snow_unet.data.orientation import UPRIGHT, turned
from napari_snow_unet.data.outlined import read_outlined_nuclei
from napari_snow_unet.data.tiff import decode_tiff, tiff_values

__all__ = [
    "IMAGE_SUFFIXES",
    "LABEL_SUFFIXES",
    "ImageFile",
    "ImageHeader",
    "read_header",
    "read_image",
    "read_labels",
    "read_nuclei",
    "write_image",
    "write_labels",
]

ABOUT = "napari-snow-unet"  # under which a file says how its labels came about
_LABELS = "a label image (PNG or TIFF with one number per pixel, or a HoVer-Net .mat)"


@dataclass(frozen=True)
class ImageFile:
    """An image and what its file says about it.

    Attributes
    ----------
    array : ndarray, shape (Y, X), (Y, X, 3|4), (N, Y, X) or (N, Y, X, 3|4)
        The pixels as image viewers show them, without a change of type: turned as EXIF or the
        TIFF's orientation asks, palettes and inverted scales resolved, 1, 2 and 4 bits spread over
        0 to 255, axes of length 1 left out. Alpha is there where anything shines through.
    pixel_size_um : float or None
        Side of a pixel in um, where the file states one that a microscope can have.
    path : pathlib.Path
        Where it was read from.
    orientation : int
        How the file asked to be turned, 1 to 8 as in EXIF; 1 is as stored.
    white : float or None
        The value that is white, where the file says so.
    notes : tuple of str
        What a person should know of how it was read.
    """

    array: npt.NDArray[Any]
    pixel_size_um: float | None
    path: Path
    orientation: int = UPRIGHT
    white: float | None = None
    notes: tuple[str, ...] = ()


def read_image(source: Source) -> ImageFile:
    """Read an image file: PNG, JPEG, TIFF (OME and ImageJ too) or BMP, told by its content.

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
        If the file cannot be read, is damaged, is of another kind, or claims to hold more than
        it can.
    """
    with opened(source, IMAGE) as (path, stream):
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                found, side = decode_tiff(tif, stream), pixel_size.from_tiff(tif)
        else:
            image = decoding.open_pillow(stream)
            if image is None:
                raise PixelError("the file is of another kind")
            found = decoding.decode_pillow(image, stream)
            side = pixel_size.from_dots_per_inch(image.info)
    return ImageFile(found.pixels, side, path, found.orientation, found.white, found.notes)


def read_labels(
    source: Source,
    shape: tuple[int, int] | None = None,
    *,
    image: str | os.PathLike[str] | None = None,
    stack: bool = False,
) -> npt.NDArray[np.int32]:
    """Read a label image: PNG of up to 16 bits, TIFF of up to 32, BMP, HoVer-Net .mat; outlines.

    Parameters
    ----------
    source : path-like or binary file
        The file; an open one must be able to seek, but for a .mat. Of a folder the files are
        merged, see `read_nuclei`.
    shape : tuple of int, optional
        Height and width of the image that outlines belong to. By default they are those of the
        image beside the file.
    image : path-like, optional
        What that image is called, where outlines are for several.
    stack : bool, default: False
        Take a TIFF of several planes too.

    Returns
    -------
    ndarray of int32, shape (Y, X), or (N, Y, X) of a stack
        The values as they are: ids with their gaps, or 0 and 255 of a binary mask.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, is in colour, is a JPEG (whose compression
        changes ids), or holds anything but whole numbers from 0.
    """
    name = source_name(source)
    if isinstance(source, (str, os.PathLike)) and name.is_dir():
        return read_nuclei(name).labels
    if name.suffix.lower() == ".mat":
        return read_instance_map(source)
    if is_annotation_path(name):
        return read_outlined_nuclei(source, shape, image).labels
    with opened(source, _LABELS) as (path, stream):
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                values = _one_band(tiff_values(tif, stream), path)
                return as_labels(values, path=path, stack=stack)
        picture = decoding.open_pillow(stream)
        if picture is None or picture.format == "JPEG":
            raise PixelError("the file is a JPEG" if picture else "the file is of another kind")
        values = _one_band(decoding.pillow_values(picture), path)
        orientation = decoding.pillow_facts(picture, stream).orientation
        return as_labels(turned(values, orientation), path=path)


def read_nuclei(folder: Path) -> Merged:
    """Read a folder of masks with one nucleus each as one label image.

    Raises
    ------
    InputError
        If a file cannot be read or has several nuclei, or sizes differ.
    """
    masks = ((path.name, read_labels(path)) for path in nucleus_files(folder))
    return merge_nuclei(masks, folder)


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
        The file to write: ``.png``, ``.tif`` or ``.tiff``.
    pixels : ndarray of uint8, shape (Y, X), (Y, X, 3) or (Y, X, 4)
        Grey, RGB or RGBA.
    about : mapping, optional
        How a mask came about, see `label_origin`; it is said in the file.
    overwrite : bool, default: False
        Replace a file that is already there.

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
        raise InputError(
            f"the array has the type {pixels.dtype} and the shape {pixels.shape}",
            expected="an 8-bit grey, RGB or RGBA image",
            remedy="Convert it to uint8.",
            path=path,
        )
    _write(path, pixels, about, overwrite=overwrite)
    return path


def write_labels(
    path: str | os.PathLike[str],
    labels: npt.NDArray[np.integer[Any]],
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write labels as a 16-bit PNG, or as a 32-bit TIFF when an id is above 65,535.

    Parameters
    ----------
    path : path-like
        The file to write. ``.tif`` and ``.tiff`` are kept; ``.png`` becomes ``.tif`` when the
        ids need it.
    labels : ndarray of int, shape (Y, X)
        Ids, 0 for background.
    about : mapping, optional
        How they came about, see `label_origin`; it is said in the file.
    overwrite : bool, default: False
        Replace a file that is already there.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    InputError
        If `labels` is no label image, the suffix is another, or the file exists already.
    """
    path = Path(path)
    ids = as_labels(np.asarray(labels), path=path, what="the array")
    large = ids.max() > np.iinfo(np.uint16).max
    if large and path.suffix.lower() == ".png":
        path = path.with_suffix(".tif")
    _write(path, ids.astype(np.uint32 if large else np.uint16), about, overwrite=overwrite)
    return path


def _write(
    path: Path, pixels: npt.NDArray[Any], about: Mapping[str, Any] | None, *, overwrite: bool
) -> None:
    suffix = path.suffix.lower()
    if suffix not in (".png", ".tif", ".tiff"):
        raise InputError(
            f"the suffix {path.suffix!r}",
            expected=".png, .tif or .tiff",
            remedy="Choose another file name.",
            path=path,
        )
    with written_whole(path, overwrite=overwrite) as temporary, temporary.open("wb") as stream:
        if suffix == ".png":
            said = PngInfo()
            if about:
                said.add_text(ABOUT, json.dumps(about))
            Image.fromarray(pixels).save(stream, "PNG", pnginfo=said)
        else:
            photometric = "rgb" if pixels.ndim == 3 else "minisblack"
            metadata = {ABOUT: about} if about else {}
            imwrite(stream, pixels, compression="zlib", photometric=photometric, metadata=metadata)


def _one_band(values: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """Take the numbers of a label image; grey saved as RGB or RGBA counts as such.

    What is transparent is background.
    """
    if values.ndim != 3 or values.shape[2] not in (2, 3, 4):
        return values
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    first, seen = values[..., 0], True if alpha is None else alpha > 0
    same = all(
        np.array_equal(first * seen, values[..., band] * seen)
        for band in range(1, min(values.shape[2], 3))
    )
    whole = alpha is None or bool(((alpha == 0) | (alpha == alpha_of(values.dtype))).all())
    found = np.where(seen, first, 0)
    nothing = alpha is not None and not found.any() and bool((alpha == 0).any())
    if whole and (same or values.shape[2] == 2) and not nothing:
        return found
    raise InputError(
        "the image is black and transparent" if nothing and same else "the image is in colour",
        expected=_LABELS,
        remedy="Export it as a grey image in which every nucleus has its own number.",
        path=path,
    )
