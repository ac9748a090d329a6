"""What napari calls to save a Labels layer: .mat, .geojson, OME-Zarr and .csv."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.names.qupath import tile_region
from napari_snow_unet.data.pixels.axes import without_ones
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.pixels.pixel_grid import TOLERANCE, nearest
from napari_snow_unet.data.pixels.placement import layer_unit_um
from napari_snow_unet.data.slides.any_image import read_any_image
from napari_snow_unet.napari_plugin import PLUGIN


def write_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save a Labels layer, of a pyramid the finest level; the suffix says in which format.

    An existing file is overwritten, since napari has asked before.
    """
    return [str(write_nuclei(path, nuclei_of(data, meta), overwrite=True))]


def nuclei_of(
    data: Any,
    meta: Mapping[str, Any],
    image: NDArray[Any] | None = None,
    probability: NDArray[np.uint8] | None = None,
) -> Nuclei:
    """Gather what can be written of a Labels layer, without axes of length 1.

    `probability` is times 255. Without `image` it is read from the file that the metadata name. A
    tile that QuPath exported gets its place in the slide; otherwise a translation by whole pixels
    counts as the origin of a crop.
    """
    labels = np.asarray(data[0] if meta.get("multiscale") or isinstance(data, list) else data)
    given, labels = labels.shape, labels.reshape(without_ones(labels.shape))
    if image is not None:
        image = image.reshape(labels.shape + image.shape[len(given) :])
    if probability is not None:
        probability = probability.reshape(labels.shape)
    facts = meta.get("metadata", {}).get(PLUGIN, {})
    source = facts.get("source")
    region = tile_region(tile_name(Path(source or facts.get("image", ""))))
    return Nuclei(
        labels=labels,
        image=_read(source, labels.shape) if image is None else image,
        probability=probability,
        spacing_um=_spacing_um(meta),
        downsample=1.0 if region is None else region.downsample,
        origin=_crop_origin(meta) if region is None else (region.x, region.y),
        classes=_classes(meta.get("features")),
        types=_types(meta.get("features")),
        provenance=facts,
    )


def _read(source: str | os.PathLike[str] | None, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Read the image again, if it is still there and of the same size, and nothing was turned."""
    if source is None:
        return None
    try:
        image = read_any_image(source)
    except InputError:
        return None
    same = image.array.shape in (shape, (*shape, 3), (*shape, 4))
    return image.array if same and image.orientation == UPRIGHT else None


def _spacing_um(meta: Mapping[str, Any]) -> tuple[float, float] | None:
    units, scale = meta.get("units"), meta.get("scale")
    if units is None or scale is None or not _only_scaled(meta):
        return None
    factors = [
        layer_unit_um(unit) if hasattr(unit, "dimensionality") else None for unit in units[-2:]
    ]
    if len(factors) != 2 or factors[0] is None or factors[1] is None:
        return None
    return float(scale[-2]) * factors[0], float(scale[-1]) * factors[1]


def _only_scaled(meta: Mapping[str, Any]) -> bool:
    """Tell whether the scale alone makes the size of a pixel; turned layers count too."""
    affine, shear = meta.get("affine"), meta.get("shear")
    plain = affine is None or np.allclose(np.asarray(affine)[:-1, :-1], np.eye(len(affine) - 1))
    return plain and (shear is None or not np.any(np.asarray(shear)))


def _crop_origin(meta: Mapping[str, Any]) -> tuple[float, float]:
    scale, translate = meta.get("scale"), meta.get("translate")
    turned = meta.get("rotate") is not None and not np.allclose(
        meta["rotate"], np.eye(len(meta["rotate"]))
    )
    if scale is None or translate is None or turned or not _only_scaled(meta):
        return 0.0, 0.0
    corner = np.asarray(translate, float)[-2:] / np.asarray(scale, float)[-2:]
    y, x = nearest(corner).astype(float).tolist()
    return (x, y) if np.abs(corner - (y, x)).max() <= TOLERANCE else (0.0, 0.0)


def _column(features: Any, name: str) -> list[tuple[int, Any]]:
    """Return label and value, row by row, of a column beside ``index``."""
    if features is None or not {"index", name} <= set(features):
        return []
    return [
        (int(label), value) for label, value in zip(features["index"], features[name], strict=True)
    ]


def _classes(features: Any) -> dict[int, str]:
    """Return the class of every label that has one, from the columns ``index`` and ``class``."""
    rows = _column(features, "class")
    return {label: name for label, name in rows if isinstance(name, str) and name}


def _types(features: Any) -> dict[int, int]:
    """Return HoVer-Net's type of every label, which is 0 or missing if unknown."""
    rows = _column(features, "type")
    numbers = (int, float, np.integer, np.floating)
    numbered = [(label, kind) for label, kind in rows if isinstance(kind, numbers)]
    return {label: int(kind) for label, kind in numbered if float(kind).is_integer()}
