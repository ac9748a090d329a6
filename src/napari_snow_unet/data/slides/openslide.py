"""The formats of slide scanners, read by OpenSlide.

OpenSlide and its Python binding are LGPL-2.1. They are an extra of this package and are called
through their public interface. A. Goode et al., "OpenSlide: A vendor-neutral software foundation
for digital pathology", Journal of Pathology Informatics 4:27, 2013.
"""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.pixel_grid import nearest
from napari_snow_unet.data.pixels.pixel_size import plausible_um
from napari_snow_unet.data.slides import messages
from napari_snow_unet.data.slides.levels import CHUNK, Box, Level, as_dask

_WHITE = "FFFFFF"


def open_scanned(path: Path) -> tuple[list[Any], tuple[float, float] | None]:
    """Open a scanner's file: its levels, (Y, X, 3), and a pixel's height and width in um."""
    openslide = _library(path)
    with path.open("rb"):  # OpenSlide's own words do not tell a missing file from a foreign one
        pass
    if path.suffix.lower() == ".mrxs":
        _check_folder(path)
    scan = _Scan(path, openslide)
    levels = [_level(path, scan, number) for number in range(scan.slide.level_count)]
    return levels, _spacing_um(scan.slide.properties)


def objective_power(path: Path) -> float | None:
    """Return the power of the objective that a scanner's file states, 40 for 40x; never raises."""
    try:
        with import_module("openslide").OpenSlide(str(path)) as slide:
            power = float(slide.properties["openslide.objective-power"])
    except Exception:  # a question: without OpenSlide, a damaged file, no such property
        return None
    return power if 0 < power < math.inf else None


class _Scan:
    """A file open in OpenSlide, and opened anew after an error: one that failed reads no more."""

    def __init__(self, path: Path, openslide: Any) -> None:
        self._path, self._openslide = path, openslide
        self.slide = self._opened()

    def region(
        self, place: tuple[int, int], level: int, size: tuple[int, int]
    ) -> npt.NDArray[np.uint8]:
        """Return pixels as colours and how much of each was scanned; sizes are width and height."""
        try:
            return np.asarray(self.slide.read_region(place, level, size))
        except self._openslide.OpenSlideError:
            self.slide = self._opened()
            raise

    def _opened(self) -> Any:
        try:
            return self._openslide.OpenSlide(str(self._path))
        except self._openslide.OpenSlideError as error:
            raise InputError(messages.refused_by_openslide(str(error))) from error


def _library(path: Path) -> Any:
    try:
        return import_module("openslide")
    except (ImportError, OSError) as error:  # OSError: the binding without the C library
        raise InputError(messages.no_openslide(path.suffix), path=path) from error


def _check_folder(path: Path) -> None:
    """Refuse an MRXS that OpenSlide would not recognise, with a reason, which it lacks."""
    if path.suffix != ".mrxs":
        raise InputError(messages.mrxs_in_capitals(path.suffix), path=path)
    folder = path.with_suffix("")
    if not (folder / "Slidedat.ini").is_file():
        lack = "has no Slidedat.ini" if folder.is_dir() else "is missing"
        raise InputError(messages.mrxs_without_folder(folder.name, lack), path=path)


def _level(path: Path, scan: _Scan, number: int) -> Any:
    slide = scan.slide
    width, height = slide.level_dimensions[number]
    factor = slide.level_downsamples[number]
    # the colour of what was not scanned
    text = slide.properties.get("openslide.background-color", _WHITE)
    background = np.frombuffer(bytes.fromhex(text), np.uint8)

    def read(box: Box) -> npt.NDArray[np.uint8]:
        rows, columns = box[:2]
        left, top = nearest([columns.start * factor, rows.start * factor]).tolist()
        size = (columns.stop - columns.start, rows.stop - rows.start)
        pixels = scan.region((left, top), number, size)
        scanned = pixels[..., 3:] / np.float32(255)
        if scanned.all() and scanned.min() == 1:
            return pixels[..., :3]
        return np.rint(pixels[..., :3] * scanned + background * (1 - scanned)).astype(np.uint8)

    level = Level(path, (height, width, 3), np.uint8, read)
    return as_dask(level, (CHUNK, CHUNK, 3), "YXS")


def _spacing_um(properties: Any) -> tuple[float, float] | None:
    try:
        width, height = (float(properties[f"openslide.mpp-{axis}"]) for axis in "xy")
    except (KeyError, ValueError):
        return None
    if plausible_um(width) is None or plausible_um(height) is None:
        return None
    return height, width
