"""Images and labels from files and to files, for the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.api.calls import takes
from napari_snow_unet.api.results import SegmentedImage
from napari_snow_unet.batch.writing import file_facts, nuclei_for_file, write_found
from napari_snow_unet.data.formats import label_images
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei
from napari_snow_unet.data.formats.origin import origin_of, read_own_labels
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.data.slides.any_image import read_any_image


@takes()
def read_image(path: str | os.PathLike[str]) -> ImageFile:
    """Read an image file.

    Parameters
    ----------
    path : path-like
        PNG, JPEG, TIFF (OME-TIFF and ImageJ too) or BMP; or a slide of at most 67 megapixels.

    Returns
    -------
    ImageFile
        ``array`` has the shape (Y, X), (Y, X, 3|4), (N, Y, X) or (N, Y, X, 3|4) and the data type
        of the file; ``pixel_size_um`` is in micrometres, or None if the file does not state it.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged or is not an image.

    Examples
    --------
    >>> import napari_snow_unet as snow
    >>> snow.read_image("tile.png").array.shape      # doctest: +SKIP
    """
    return read_any_image(path)


@takes()
def read_labels(
    path: str | os.PathLike[str], shape: tuple[int, int] | None = None
) -> NDArray[np.int32]:
    """Read a label image, mask or outlines.

    Parameters
    ----------
    path : path-like
        PNG, TIFF or BMP with one number per nucleus, HoVer-Net ``.mat``, GeoJSON and other
        outlines, or an OME-Zarr that this package has written.
    shape : tuple of int, optional
        Height and width of the image that outlines belong to. By default those of the image with
        the same name in the same folder.

    Returns
    -------
    ndarray of int32, shape (Y, X) or (N, Y, X)
        The numbers as stored, 0 for background: of a binary mask 0 and 255. Labels of more than
        67 megapixels are a dask array, which is read where it is used.

    Raises
    ------
    InputError
        If the file cannot be read, or holds anything but whole numbers from 0.
    """
    path = Path(path)
    if origin_of(path) is None:
        return label_images.read_labels(path, shape, stack=True)
    labels: NDArray[np.int32] = read_own_labels(path).levels[0]
    return labels


@takes()
def write_labels(
    path: str | os.PathLike[str],
    labels: SegmentedImage | NDArray[np.integer[Any]],
    *,
    pixel_size_um: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Write labels in the format that the file name asks for.

    Parameters
    ----------
    path : path-like
        ``.png``, ``.tif``, ``.mat`` (HoVer-Net), ``.geojson`` (QuPath), ``.zarr`` (OME-Zarr) or
        ``.csv`` (area, shape and stain of every nucleus). A PNG that cannot hold the labels, or a
        stack, becomes ``.tif``.
    labels : SegmentedImage or ndarray of int, shape (..., Y, X)
        What `segment` returned, written with its pixel size and provenance; or labels, 0 for
        background. The stain can be measured only of what `segment` returned.
    pixel_size_um : float, optional
        Micrometres per pixel of an array. A result has its own.
    overwrite : bool, default: False
        Overwrite an existing file.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    InputError
        If the format is unknown or cannot hold the labels, or the file exists.

    Notes
    -----
    The file of a result contains the name of its image.

    Examples
    --------
    >>> import napari_snow_unet as snow
    >>> result = snow.segment("tile.png", "classical")       # doctest: +SKIP
    >>> snow.write_labels("tile.geojson", result)            # doctest: +SKIP
    """
    path = Path(path)
    if not isinstance(labels, SegmentedImage):
        spacing = None if pixel_size_um is None else (pixel_size_um, pixel_size_um)
        nuclei = Nuclei(labels=np.asarray(labels), spacing_um=spacing)
        return write_nuclei(path, nuclei, overwrite=overwrite)
    pixels, about = labels.pixels, labels.provenance
    if pixels.path is not None:
        about = file_facts(pixels.path, about, labels.threshold)
    nuclei = nuclei_for_file(
        pixels.path, labels.labels, np.asarray(pixels.array), labels.probability, about
    )
    mask = labels.options.output == "mask"
    return write_found(path, nuclei, mask=mask, overwrite=overwrite)
