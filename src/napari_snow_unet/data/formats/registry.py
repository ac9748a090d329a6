"""Nuclei in every format that others read, by the suffix of the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.formats.geojson_writing import write_geojson
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import image_that_holds, write_labels
from napari_snow_unet.data.formats.measurements import (
    Measurements,
    measure_nuclei,
    write_measurements,
)
from napari_snow_unet.data.formats.ome_zarr import write_ome_zarr_labels
from napari_snow_unet.data.formats.origin import facts_for_file
from napari_snow_unet.data.pixels.images import ABOUT


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Labels and what is known about them.

    Attributes
    ----------
    labels : ndarray of int, shape (Y, X) or (..., Y, X)
        Ids, 0 for background.
    image : ndarray, shape (..., Y, X) or (..., Y, X, C), optional
        The image they were found in.
    probability : ndarray of uint8, shape (..., Y, X), optional
        Probability of nucleus times 255.
    spacing_um : tuple of float, optional
        Height and width of a pixel in micrometres.
    downsample : float
        Pixels of the slide at full resolution per pixel.
    origin : tuple of float
        x and y of the upper left corner in the slide, in pixels at full resolution.
    classes : mapping from int to str, optional
        Class of a label, where it has one.
    types : mapping from int to int, optional
        HoVer-Net's number of the type of a label, where it has one: said in .mat.
    provenance : mapping
        How the labels came about, where that is known: said in PNG, TIFF and OME-Zarr.
    """

    labels: npt.NDArray[Any]
    image: npt.NDArray[Any] | None = None
    probability: npt.NDArray[np.uint8] | None = None
    spacing_um: tuple[float, float] | None = None
    downsample: float = 1.0
    origin: tuple[float, float] = (0.0, 0.0)
    classes: Mapping[int, str] | None = None
    types: Mapping[int, int] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """What their file says of them."""
        return facts_for_file(self.provenance, self.spacing_um)

    @cached_property
    def measurements(self) -> list[Measurements]:
        """What `measure_nuclei` finds in every plane."""
        return [
            measure_nuclei(
                self.labels[index],
                None if self.image is None else self.image[index],
                None if self.probability is None else self.probability[index],
                self.spacing_um,
            )
            for index in np.ndindex(self.labels.shape[:-2])
        ]


def formats_to_offer(axes: int, last: str = "") -> list[str]:
    """Return the formats that labels can be written in, the one to be offered first in front.

    Parameters
    ----------
    axes : int
        Number of axes of the labels.
    last : str, optional
        What was written last, which is offered first where it fits; otherwise GeoJSON is, or TIFF
        for a stack.

    Returns
    -------
    list of str
        Some of `FORMATS`.
    """
    fitting = [name for name in FORMATS if axes <= FORMATS[name].most_axes]
    if axes > 2:
        fitting.remove("png")  # a stack goes to .tif in its place
    first = last if last in fitting else "geojson" if axes == 2 else "tif"
    return [first, *(name for name in fitting if name != first)]


def check_format(name: str, axes: int, path: str | os.PathLike[str]) -> None:
    """Refuse what a format cannot hold.

    Parameters
    ----------
    name : str
        One of `FORMATS`.
    axes : int
        Number of axes of the labels.
    path : path-like
        The file it is about.

    Raises
    ------
    InputError
        If the format is another, or has no room for so many axes.
    """
    if name not in FORMATS:
        raise InputError(
            f"the format {name!r}",
            expected="one of " + ", ".join(FORMATS),
            remedy="Choose one of these.",
            path=path,
        )
    if axes > (most := FORMATS[name].most_axes):
        raise InputError(
            f"a stack of {axes} axes for .{name}",
            expected="one plane" if most == 2 else f"at most {most:g} axes",
            remedy="Write the stack as .tif or .csv, or one slice of it.",
            path=path,
        )


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's name asks for, whether there is such a one or not."""
    path = Path(path)
    suffix = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    return suffix.lower().removeprefix(".").replace("tiff", "tif")


def file_for(path: str | os.PathLike[str], nuclei: Nuclei) -> Path:
    """Return what `write_nuclei` will write: a ``.tif`` where a ``.png`` cannot hold the labels."""
    return image_that_holds(nuclei.labels, Path(path))


def write_nuclei(path: str | os.PathLike[str], nuclei: Nuclei, *, overwrite: bool = False) -> Path:
    """Write nuclei in the format that the file's name asks for.

    Parameters
    ----------
    path : path-like
        The file to write; ``.png``, ``.tif``, ``.mat``, ``.geojson``, ``.geojson.gz``, ``.zarr``
        or ``.csv``.
    nuclei : Nuclei
        Labels and what is known about them.
    overwrite : bool, default: False
        Replace what is already there.

    Returns
    -------
    pathlib.Path
        What was written, see `file_for`.

    Raises
    ------
    InputError
        If the suffix is another, the format cannot hold the labels, or the file exists and may
        not be overwritten.
    """
    path, name = file_for(path, nuclei), format_of(path)
    check_format(name, nuclei.labels.ndim, path)
    return FORMATS[name].write(path, nuclei, overwrite)


def _write_image(path: Path, nuclei: Nuclei, overwrite: bool) -> Path:
    if nuclei.labels.ndim == 2:
        return write_labels(path, nuclei.labels, about=nuclei.about, overwrite=overwrite)
    return write_stack(path, nuclei.labels, about=nuclei.about, overwrite=overwrite)


def _write_mat(path: Path, nuclei: Nuclei, overwrite: bool) -> Path:
    return write_hovernet_mat(path, nuclei.labels, types=nuclei.types, overwrite=overwrite)


def _write_geojson(path: Path, nuclei: Nuclei, overwrite: bool) -> Path:
    return write_geojson(
        path,
        nuclei.labels,
        downsample=nuclei.downsample,
        origin=nuclei.origin,
        measurements=nuclei.measurements[0],
        classes=nuclei.classes,
        overwrite=overwrite,
    )


def _write_zarr(path: Path, nuclei: Nuclei, overwrite: bool) -> Path:
    return write_ome_zarr_labels(
        path,
        nuclei.labels,
        spacing_um=nuclei.spacing_um,
        about=nuclei.about,
        overwrite=overwrite,
    )


def _write_csv(path: Path, nuclei: Nuclei, overwrite: bool) -> Path:
    return write_measurements(path, nuclei.measurements, overwrite=overwrite)


@dataclass(frozen=True)
class Format:
    """A format that labels are written in.

    Attributes
    ----------
    title : str
        What a dialog calls it.
    write : callable
        Takes a path, `Nuclei`, and whether a file may be overwritten; returns what was written.
    most_axes : float
        Axes that there is room for.
    any_size : bool
        Whether labels larger than the memory can be written.
    """

    title: str
    write: Callable[[Path, Nuclei, bool], Path]
    most_axes: float = inf
    any_size: bool = False


#: What a person can ask for, by the suffix of its files.
FORMATS = {
    "png": Format("Label image (*.png)", _write_image),
    "tif": Format("Label image (*.tif)", _write_image, any_size=True),
    "mat": Format("HoVer-Net nuclei (*.mat)", _write_mat, most_axes=2),
    "geojson": Format("Outlines for QuPath (*.geojson)", _write_geojson, most_axes=2),
    "zarr": Format("OME-Zarr labels (*.zarr)", _write_zarr, most_axes=5, any_size=True),
    "csv": Format("Measurements of nuclei (*.csv)", _write_csv),
}


def write_stack(
    path: str | os.PathLike[str],
    planes: npt.NDArray[Any],
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write planes as one compressed TIFF.

    Parameters
    ----------
    path : path-like
        The file to write; any other suffix than ``.tif`` and ``.tiff`` gives way to ``.tif``.
    planes : ndarray, shape (N, Y, X) or (N, Y, X, 3)
        Labels, grey or RGB.
    about : mapping, optional
        How labels came about; it is said in the file.
    overwrite : bool, default: False
        Replace a file that is already there.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If the file exists and may not be overwritten.
    """
    import tifffile

    path = Path(path)
    path = path if path.suffix.lower() in (".tif", ".tiff") else path.with_suffix(".tif")
    photometric = "rgb" if planes.dtype == np.uint8 and planes.shape[-1] in (3, 4) else "minisblack"
    with written_whole(path, overwrite=overwrite) as temporary:
        tifffile.imwrite(
            temporary,
            planes,
            compression="zlib",
            photometric=photometric,
            metadata={ABOUT: about} if about else {},
        )
    return path
