"""Nuclei from outlines, on the pixels of the image they belong to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.geojson import draw_labels, extent, is_too_much, read_geojson
from napari_snow_unet.data.image_header import read_header
from napari_snow_unet.data.naming import tile_name
from napari_snow_unet.data.opening import Source, source_name
from napari_snow_unet.data.qupath import tile_region
from napari_snow_unet.data.snow import partner_of

_LARGEST_CANVAS = 1 << 28  # pixels


@dataclass(frozen=True)
class OutlinedNuclei:
    """Nuclei drawn from outlines.

    Attributes
    ----------
    labels : ndarray of int32, shape (Y, X)
        The number of the outline in every pixel, from 1; 0 is background.
    classes : list of str
        The class of every outline, empty where it has none: ``classes[0]`` is that of id 1.
    """

    labels: npt.NDArray[np.int32]
    classes: list[str]


def read_outlined_nuclei(
    source: Source,
    shape: tuple[int, int] | None = None,
    image: str | os.PathLike[str] | None = None,
    *,
    regions: bool = False,
) -> OutlinedNuclei:
    """Read outlines from GeoJSON and draw them on the pixels of their image.

    Parameters
    ----------
    source : path-like or binary file
        The file.
    shape : tuple of int, optional
        Height and width of the image. By default they are read from the image that belongs to the
        file by name; without one they are those of the tile in its name, or else the smallest
        that hold all outlines.
    image : path-like, optional
        What the image is called; by default as the file. If it is called as a tile that QuPath
        exported, the outlines are those in the tile's part of the slide.

    regions : bool, default: False
        Take regions in place of nuclei, see `geojson.read_geojson`.

    Returns
    -------
    OutlinedNuclei
        Label image and classes.

    Raises
    ------
    InputError
        If the file holds no outlines, or these reach too far for an image.
    """
    path, outlines = source_name(source), read_geojson(source, regions=regions)
    if image is None and isinstance(source, (str, os.PathLike)):
        image = partner_of(path)
    region = tile_region(tile_name(PurePath(image or path)))
    if shape is None and image is not None:
        shape = read_header(image).size
    elif shape is None:
        shape = extent(outlines) if region is None else region.size
    if shape[0] * shape[1] > _LARGEST_CANVAS:
        what = "the outlines reach over" if image is None else "the image has"
        raise InputError(
            f"{what} {shape[0]} x {shape[1]} pixels",
            expected=f"at most {_LARGEST_CANVAS:,} pixels",
            remedy="Export the slide from QuPath as tiles, and put them beside the file.",
            path=path,
        )
    if is_too_much(outlines, shape, region):
        raise InputError(
            f"the outlines cover the {shape[0]} x {shape[1]} pixels of the image many times over",
            expected="outlines of nuclei, which hardly overlap",
            remedy="Export the nuclei alone, each once.",
            path=path,
        )
    labels = draw_labels(outlines, shape, region)
    return OutlinedNuclei(labels, [outline.class_name for outline in outlines])
