"""An image in any of the forms in which the API takes it: array, file, layer."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.api import messages
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.data.pixels.placement import linear_of_layer, pixel_size_um
from napari_snow_unet.data.pixels.value_range import COLOURS, is_rgb
from napari_snow_unet.data.slides.any_image import header_for, read_any_image

_THINNEST = 16  # columns of a plane


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image and what is known about it."""

    array: Any  # (..., Y, X) or (..., Y, X, 3|4), NumPy or lazy
    rgb: bool
    pixel_size_um: float | None = None
    white: float | None = None  # where the file states it
    path: Path | None = None
    notes: tuple[str, ...] = ()


def pixels_of(image: Any) -> Pixels:
    """Return the pixels of an array, a file, what `read_image` returned, or a napari layer."""
    if isinstance(image, (str, os.PathLike)):
        refuse_folder(image)
        image = read_any_image(image)
    if isinstance(image, ImageFile):
        size, rgb = image.pixel_size_um, is_rgb(image.array.shape)
        return Pixels(image.array, rgb, size, image.white, image.path, image.notes)
    if is_layer(image):
        return _of_layer(image)
    array = image if hasattr(image, "dtype") and hasattr(image, "shape") else np.asarray(image)
    if array.dtype.kind in "OUSV":
        raise InputError(messages.NOT_PIXELS)
    rgb, shape = is_rgb(array.shape), tuple(array.shape)
    if len(shape) > 2 and not rgb and shape[-1] < _THINNEST <= shape[-2]:
        raise InputError(messages.thin_planes(shape, shape[-1]))
    if len(shape) > 2 and not rgb and shape[-3] in COLOURS:
        return Pixels(array, rgb, notes=(messages.may_be_channels(shape, shape[-3]),))
    return Pixels(array, rgb)


def paths_of(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return one path or several as a list; anything else is refused."""
    one = isinstance(files, (str, os.PathLike))
    try:
        several = [files] if one else list(files)  # type: ignore[arg-type]
        return [Path(path) for path in several]  # type: ignore[arg-type]
    except TypeError:
        raise InputError(messages.NOT_PATHS) from None


def refuse_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a folder where a file is expected; an OME-Zarr is one."""
    path = Path(path)
    if path.is_dir() and path.suffix.lower() != ".zarr":
        raise InputError(messages.IS_A_FOLDER, path=path)


def is_layer(thing: Any) -> bool:
    """Tell whether something is a layer of napari, without importing napari."""
    return hasattr(thing, "data_to_world") and hasattr(thing, "data")


def data_of_layer(layer: Any) -> Any:
    """Return the pixels of a layer, those of the finest level of a pyramid."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def _of_layer(layer: Any) -> Pixels:
    if not hasattr(layer, "rgb"):
        raise InputError(messages.NOT_AN_IMAGE_LAYER)
    array, rgb = data_of_layer(layer), bool(layer.rgb)
    size = pixel_size_um(linear_of_layer(layer), layer.units)
    source = layer.metadata.get("source") or layer.source.path
    path = None if source is None else Path(source)
    plane = array.shape[-3:-1] if rgb else array.shape[-2:]
    header = None if path is None else header_for(path, tuple(plane))
    if header is None:
        return Pixels(array, rgb, size, None, path)
    return Pixels(array, rgb, size or header.pixel_size_um, header.white, path)
