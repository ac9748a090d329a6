"""OME-Zarr pyramids of versions 0.1 to 0.5, read with zarr.

J. Moore et al., "OME-Zarr: a cloud-optimized bioimaging file format with international community
support", Histochemistry and Cell Biology 160:223-251, 2023; https://ngff.openmicroscopy.org/0.5/.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.messages import damaged
from napari_snow_unet.data.pixels.pixel_size import plausible_um, unit_um
from napari_snow_unet.data.slides import messages
from napari_snow_unet.data.slides.levels import Level, as_dask, check_tile

_AXES = "TCZYX"  # of versions that do not name them
#: Codecs of pixels. numcodecs knows others too, one of which unpacks programs (pickle).
_CODECS = {
    *("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"),
    *("bitshuffle", "bytes", "delta", "fixedscaleoffset", "packbits", "shuffle", "transpose"),
    *("adler32", "crc32", "crc32c", "fletcher32", "sharding_indexed"),
}


def open_zarr(folder: Path) -> tuple[list[Any], tuple[float, float] | None]:
    """Open the first image of an OME-Zarr: its levels, and a pixel's height and width in um."""
    facts = zarr_attributes(folder)
    if "multiscales" not in facts and "bioformats2raw.layout" in facts:
        folder = folder / "0"
        facts = zarr_attributes(folder)
    image, paths = _multiscale(facts, "image")
    names = [_name(axis) for axis in image.get("axes", ())]
    levels = [_level(folder, path, "".join(names)) for path in paths]
    return levels, _spacing_um(image, names)


def open_zarr_labels(folder: Path) -> tuple[list[Any], tuple[float, float] | None]:
    """Open labels as this package writes them, (..., Y, X): levels, and a pixel's size in um."""
    import dask.array as da

    image, paths = _multiscale(zarr_attributes(folder), "labels")
    levels = []
    for path in paths:
        array = _array(folder, path)
        level = Level(folder / path, array.shape, array.dtype, array.__getitem__)
        check_tile(level, array.chunks)
        if level.dtype.kind not in "iu":
            raise InputError(messages.zarr_of_other_type(str(level.dtype)))
        name = f"labels-{uuid.uuid4().hex}"
        levels.append(da.from_array(level, chunks=array.chunks, name=name, asarray=False))
    return levels, _spacing_um(image, [_name(axis) for axis in image.get("axes", ())])


def _multiscale(facts: Mapping[str, Any], content: str) -> tuple[dict[str, Any], list[str]]:
    """Return the metadata of the first pyramid, and the paths of its levels."""
    try:
        image = facts["multiscales"][0]
        return image, [str(dataset["path"]) for dataset in image["datasets"]]
    except (LookupError, TypeError) as error:
        raise InputError(messages.zarr_without(content)) from error


def _level(folder: Path, path: str, axes: str) -> Any:
    array = _array(folder, path)
    axes = axes or _AXES[-array.ndim :]
    if len(axes) != array.ndim:
        raise InputError(damaged(f"it names {len(axes)} of {array.ndim} axes"))
    level = Level(folder / path, array.shape, array.dtype, array.__getitem__)
    return as_dask(level, array.chunks, axes)


def _array(folder: Path, path: str) -> Any:
    """Open a level, after checking that it lies in its folder and in its codecs."""
    import zarr

    place = PurePosixPath(path)
    inner = folder.joinpath(*place.parts)
    if place.is_absolute() or ".." in place.parts or "\\" in path or ":" in path:
        raise InputError(messages.level_outside(path))
    _check_codecs(inner)
    return zarr.open_array(inner, mode="r")


def _name(axis: Any) -> str:
    name = axis["name"] if isinstance(axis, Mapping) else axis
    return str(name).upper()[:1]


def zarr_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of a group, in version 0.5 those of OME; InputError without any."""
    for name in (".zattrs", "zarr.json"):
        if (folder / name).is_file():
            content = _json(folder / name)
            content = content.get("attributes", {}) if name == "zarr.json" else content
            return dict(content.get("ome", content))
    raise InputError(messages.NOT_ZARR)


def _json(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise InputError(damaged(f"{file.name} is not a list of properties"))
    return content


def _check_codecs(array: Path) -> None:
    """Refuse an unknown codec before zarr looks for it."""
    for name in (".zarray", "zarr.json"):
        if (array / name).is_file():
            foreign = sorted(set(_codecs(_json(array / name))) - _CODECS)
            if foreign:
                raise InputError(messages.unknown_codecs(tuple(foreign)))


def _codecs(facts: Any) -> Iterator[str]:
    for key, value in facts.items():
        if key in ("compressor", "filters", "codecs", "index_codecs"):
            for codec in value if isinstance(value, list) else [value] if value else []:
                name = str(codec.get("id") or codec.get("name"))
                yield name.removeprefix("numcodecs.")
                yield from _codecs(codec.get("configuration") or {})


def _spacing_um(image: Mapping[str, Any], axes: list[str]) -> tuple[float, float] | None:
    scale = np.ones(len(axes))
    for owner in (image["datasets"][0], image):
        for transform in owner.get("coordinateTransformations", ()):
            if transform.get("type") == "scale":
                scale = scale * np.asarray(transform["scale"], float)
    sides = []
    for number in (axes.index(axis) for axis in "YX" if axis in axes):
        axis = image["axes"][number]
        unit = unit_um(str(axis.get("unit", ""))) if isinstance(axis, Mapping) else None
        side = None if unit is None else plausible_um(float(scale[number]) * unit)
        if side is None:
            return None
        sides.append(side)
    return (sides[0], sides[1]) if len(sides) == 2 else None
