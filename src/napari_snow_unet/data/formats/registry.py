"""The formats that labels are written in, in plain values: known before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats import messages


@dataclass(frozen=True)
class Format:
    """A format that labels are written in."""

    title: str  # what a dialog calls it
    most_axes: float = inf  # that there is room for
    any_size: bool = False  # also labels that are larger than the memory


#: What a person can ask for, by the suffix of its files.
FORMATS = {
    "png": Format("Label image (*.png)"),
    "tif": Format("Label image (*.tif)", any_size=True),
    "mat": Format("HoVer-Net nuclei (*.mat)", most_axes=2),
    "geojson": Format("Outlines for QuPath (*.geojson)", most_axes=2),
    "zarr": Format("OME-Zarr labels (*.zarr)", most_axes=5, any_size=True),
    "csv": Format("Measurements of nuclei (*.csv)"),
}


def formats_to_offer(axes: int, last: str = "") -> list[str]:
    """Return the `FORMATS` that hold labels of so many axes, the one to offer first in front.

    That is what was written last where it fits, else GeoJSON, or TIFF for a stack.
    """
    fitting = [name for name in FORMATS if axes <= FORMATS[name].most_axes]
    if axes > 2:
        fitting.remove("png")  # a stack goes to .tif in its place
    first = last if last in fitting else "geojson" if axes == 2 else "tif"
    return [first, *(name for name in fitting if name != first)]


def check_format(name: str, axes: int, path: str | os.PathLike[str]) -> None:
    """Refuse a format that is unknown, or has no room for labels of so many axes."""
    if name not in FORMATS:
        raise InputError(messages.unknown_format(name, tuple(FORMATS)), path=path)
    if axes > (most := FORMATS[name].most_axes):
        raise InputError(messages.too_many_axes(name, axes, most), path=path)


def known_formats(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return formats by their names, ``.PNG`` too, each once; refuse one that does not exist."""
    names = [names] if isinstance(names, str) else names
    formats = tuple(dict.fromkeys(name.lower().removeprefix(".") for name in names))
    for name in formats:
        if name not in FORMATS:
            raise InputError(messages.unknown_format(name, tuple(FORMATS)))
    return formats


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's name asks for, whether there is such a one or not."""
    path = Path(path)
    suffix = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    return suffix.lower().removeprefix(".").replace("tiff", "tif")
