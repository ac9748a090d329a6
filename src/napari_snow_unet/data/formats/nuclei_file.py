"""Nuclei to a file of any of the formats, by its suffix."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.messages import FILE_EXISTS
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
from napari_snow_unet.data.formats.registry import check_format, format_of
from napari_snow_unet.data.names.folder_names import AUTOMATIC
from napari_snow_unet.data.pixels.images import ABOUT


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Labels with their image, placement and provenance."""

    labels: npt.NDArray[Any]  # (Y, X) or (..., Y, X): ids, 0 for background
    image: npt.NDArray[Any] | None = None  # (..., Y, X) or (..., Y, X, C)
    probability: npt.NDArray[np.uint8] | None = None  # of nucleus times 255, (..., Y, X)
    spacing_um: tuple[float, float] | None = None  # height and width of a pixel
    downsample: float = 1.0  # pixels of the slide at full resolution per pixel
    # x and y of the corner in the slide, at full resolution
    origin: tuple[float, float] = (0.0, 0.0)
    classes: Mapping[int, str] | None = None  # of a label, where it has one
    types: Mapping[int, int] | None = None  # HoVer-Net's number of it, written to .mat
    provenance: Mapping[str, Any] = field(default_factory=dict)  # written to PNG, TIFF and OME-Zarr

    @property
    def about(self) -> dict[str, Any]:
        """The facts that their file records."""
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


def file_for(path: str | os.PathLike[str], nuclei: Nuclei) -> Path:
    """Return what `write_nuclei` will write: a ``.tif`` where a ``.png`` cannot hold the labels."""
    return image_that_holds(nuclei.labels, Path(path))


def write_nuclei(path: str | os.PathLike[str], nuclei: Nuclei, *, overwrite: bool = False) -> Path:
    """Write nuclei in the format that the file's name asks for; return the file, see `file_for`."""
    path, name = file_for(path, nuclei), format_of(path)
    check_format(name, nuclei.labels.ndim, path)
    return _WRITERS[name](path, nuclei, overwrite)


def write_corrected(
    path: str | os.PathLike[str], nuclei: Nuclei, automatic: Nuclei, *, overwrite: bool = False
) -> list[Path]:
    """Write corrected nuclei and, in a folder ``automatic_labels`` beside, the automatic ones.

    The automatic labels are an image; a ``.json`` beside it records where both come from, and what
    was edited, also for formats without room for it. Returns the three files.
    """
    path = file_for(path, nuclei)
    check_format(format_of(path), nuclei.labels.ndim, path)
    suffix = "" if format_of(path) in ("png", "tif") else ".png"
    before = file_for(path.parent / AUTOMATIC / f"{path.name}{suffix}", automatic)
    if automatic.labels.ndim > 2:
        before = before.with_suffix(".tif")
    record = before.with_suffix(".json")
    for each in (path, before, record):
        if each.exists() and not overwrite:
            raise InputError(FILE_EXISTS, path=each)
    _write_image(before, automatic, overwrite)
    with written_whole(record, overwrite=overwrite) as temporary:
        text = json.dumps({"file": path.name} | automatic.about, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
    return [write_nuclei(path, nuclei, overwrite=overwrite), before, record]


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


_WRITERS: dict[str, Callable[[Path, Nuclei, bool], Path]] = {
    "png": _write_image,
    "tif": _write_image,
    "mat": _write_mat,
    "geojson": _write_geojson,
    "zarr": _write_zarr,
    "csv": _write_csv,
}


def write_stack(
    path: str | os.PathLike[str],
    planes: npt.NDArray[Any],
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write planes, (N, Y, X) or (N, Y, X, 3), as one compressed TIFF, named ``.tif``."""
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
