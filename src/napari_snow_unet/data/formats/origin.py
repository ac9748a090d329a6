"""The provenance of labels, as their files record it.

A PNG has it in a text chunk, a TIFF in its description, an OME-Zarr in its attributes, each under
the name of this package. It names the image, but not its folders.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels import decoding
from napari_snow_unet.data.pixels.images import ABOUT
from napari_snow_unet.data.pixels.opening import path_errors
from napari_snow_unet.data.pixels.tiff_header import main_series
from napari_snow_unet.data.slides.slide import LARGEST_WHOLE, open_slide

SPACING = "spacing_um"  # height and width of a pixel
_PLACES = ("source", "labels")  # of files on the machine that wrote them


@dataclass(frozen=True, eq=False)
class OwnLabels:
    """Labels that this package has written, with their provenance."""

    # int32, (Y, X) or (N, Y, X); of large files a dask pyramid, the largest first
    levels: tuple[Any, ...]
    spacing_um: tuple[float, float] | None  # height and width of a pixel
    facts: dict[str, Any]  # image, model, options, threshold, versions


def facts_for_file(
    facts: Mapping[str, Any], spacing_um: tuple[float, float] | None
) -> dict[str, Any]:
    """Return the provenance for a file of labels, in plain values; may be empty."""
    kept = {name: value for name, value in facts.items() if name not in _PLACES}
    if spacing_um is not None:
        kept[SPACING] = list(spacing_um)
    plain: dict[str, Any] = json.loads(json.dumps(kept, default=str))
    return plain


def origin_of(path: Path) -> dict[str, Any] | None:
    """Read the provenance in a file or Zarr folder of this package; never raises."""
    try:
        facts = _attributes(path) if path.is_dir() else _in_file(path)
    except Exception:  # it is a question, and decoders fail in many ways
        return None
    return facts if isinstance(facts, dict) and facts else None


def read_own_labels(path: Path) -> OwnLabels:
    """Read labels that this package has written; large ones are lazy."""
    facts = origin_of(path) or {}
    spacing = _spacing(facts)
    if path.is_dir():
        from napari_snow_unet.data.slides.zarr import open_zarr_labels

        with path_errors(path):
            levels, stated = open_zarr_labels(path)
        return OwnLabels(tuple(levels), stated, facts)
    if _is_large(path):
        slide = open_slide(path)
        return OwnLabels(slide.levels, spacing or slide.spacing_um, facts)
    return OwnLabels((read_labels(path, stack=True),), spacing, facts)


def _in_file(path: Path) -> Any:
    with path.open("rb") as stream:
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                return json.loads(tif.pages.first.description)[ABOUT]
        image = decoding.open_pillow(stream)
        return None if image is None or ABOUT not in image.info else json.loads(image.info[ABOUT])


def _attributes(folder: Path) -> Any:
    from napari_snow_unet.data.slides.zarr import zarr_attributes

    return zarr_attributes(folder)[ABOUT]


def _is_large(path: Path) -> bool:
    with path_errors(path), path.open("rb") as stream:
        if not decoding.is_tiff(stream):
            return False
        with decoding.open_tiff(stream) as tif:
            series = main_series(tif)
            return bool(math.prod(series.shape) > LARGEST_WHOLE and series.ndim == 2)


def _spacing(facts: Mapping[str, Any]) -> tuple[float, float] | None:
    try:
        height, width = (float(side) for side in facts[SPACING])
    except (KeyError, TypeError, ValueError):
        return None
    return (height, width) if 0 < height < math.inf and 0 < width < math.inf else None
