"""Size, place, shape and colour of every nucleus, and the CSV table of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.files import write_table

#: Columns by name, each of one entry for every nucleus.
Measurements: TypeAlias = dict[str, npt.NDArray[Any]]
_SHAPE = ("label", "area", "centroid", "eccentricity")


def measure_nuclei(
    labels: npt.NDArray[np.integer[Any]],
    image: npt.NDArray[Any] | None = None,
    probability: npt.NDArray[np.uint8] | None = None,
    spacing_um: tuple[float, float] | None = None,
) -> Measurements:
    """Measure every nucleus of a plane; the centre of the first pixel is (0, 0).

    ``label``, ``centroid_y_px``, ``centroid_x_px``, ``area_px``; ``eccentricity`` of the ellipse
    with the same second moments, 0 for a circle; with a spacing (height and width of a pixel)
    ``centroid_y_um``, ``centroid_x_um`` and ``area_um2``; with an image, which may be lazy,
    ``mean_red``, or ``mean_grey`` of one without colours, in its own values; with a probability
    times 255 ``mean_probability``, 0..1.
    """
    from skimage.measure import regionprops_table

    values, names = [], []
    if image is not None:
        values.append(np.asarray(image[..., 0] if image.ndim > 2 else image))
        names.append("mean_red" if image.ndim > 2 else "mean_grey")
    if probability is not None:
        values.append(probability / np.float32(255))
        names.append("mean_probability")
    intensity = np.stack(values, axis=-1).astype(np.float32) if values else None
    wanted = (*_SHAPE, "intensity_mean") if values else _SHAPE
    props = regionprops_table(np.asarray(labels), intensity, properties=wanted)
    table: Measurements = {
        "label": props["label"],
        "centroid_y_px": props["centroid-0"],
        "centroid_x_px": props["centroid-1"],
        "area_px": props["area"].astype(np.int64),
        "eccentricity": props["eccentricity"],
    }
    if spacing_um is not None:
        height, width = spacing_um
        table["centroid_y_um"] = table["centroid_y_px"] * height
        table["centroid_x_um"] = table["centroid_x_px"] * width
        table["area_um2"] = table["area_px"] * (height * width)
    return table | {name: props[f"intensity_mean-{at}"] for at, name in enumerate(names)}


def write_measurements(
    path: str | os.PathLike[str], planes: Sequence[Measurements], *, overwrite: bool = False
) -> Path:
    """Write CSV, a row for every nucleus; of several planes it begins with the plane, from 0."""
    write_table(Path(path), _rows(planes), overwrite=overwrite, end="\r\n")
    return Path(path)


def _rows(planes: Sequence[Measurements]) -> Iterator[Sequence[Any]]:
    several = len(planes) > 1
    yield [*(["plane"] if several else []), *planes[0]]
    for number, table in enumerate(planes):
        columns = (map(_text, column.tolist()) for column in table.values())
        for row in zip(*columns, strict=True):
            yield [number, *row] if several else row


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"
