"""Label images to GeoJSON that QuPath opens as detections.

References
----------
.. [1] H. Butler et al., "The GeoJSON Format", RFC 7946, 2016.
.. [2] P. Bankhead et al., "QuPath", Scientific Reports 7:16878, 2017; names of the properties as
       its GeoJSON export writes them.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.annotations.tracing import TracedNucleus, trace_outlines
from napari_snow_unet.data.formats import messages
from napari_snow_unet.data.formats.measurements import Measurements
from napari_snow_unet.data.masks.labels import as_labels

#: The columns that QuPath shows, by the names that it has for such things.
MEASUREMENTS = {
    "label": "Label",
    "area_px": "Area px^2",
    "area_um2": "Area µm^2",
    "eccentricity": "Eccentricity",
    "mean_red": "Red: Mean",
    "mean_grey": "Grey: Mean",
    "mean_probability": "Probability: Mean",
}


def write_geojson(
    path: str | os.PathLike[str],
    labels: npt.NDArray[np.integer[Any]],
    *,
    downsample: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
    measurements: Measurements | None = None,
    classes: Mapping[int, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write every label as one detection with its outline along the edges of pixels.

    Parameters
    ----------
    path : path-like
        The file to write; gzipped when it ends in ``.gz``.
    labels : ndarray of int, shape (Y, X)
        Ids, 0 for background.
    downsample : float, default: 1.0
        Pixels of the slide at full resolution per pixel of `labels`.
    origin : tuple of float, default: (0, 0)
        Where the upper left corner of `labels` lies in the slide: x and y in its pixels at full
        resolution.
    measurements : dict of ndarray, optional
        What `formats.measurements.measure_nuclei` returned for `labels`.
    classes : mapping from int to str, optional
        Class of a label, where it has one.
    overwrite : bool, default: False
        Overwrite an existing file.

    Returns
    -------
    pathlib.Path
        The file written. Features come by label and one to a line. The same labels under the same
        name have the same ids every time.

    Raises
    ------
    InputError
        If `labels` is not a label image, or the file exists and may not be overwritten.
    """
    path = Path(path)
    labels = as_labels(np.asarray(labels), path=path, what="array")
    if not (math.isfinite(downsample) and downsample > 0):
        raise InputError(messages.downsample(downsample), path=path)
    features = _features(labels, downsample, origin, measurements, classes or {}, path.name)
    with written_whole(path, overwrite=overwrite) as temporary, _opened(temporary) as file:
        file.write('{"type":"FeatureCollection","features":[')
        for number, feature in enumerate(features):
            file.write(",\n" if number else "\n")
            file.write(feature)
        file.write("\n]}\n")
    return path


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    with path.open("wb") as raw:
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        with packed, io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file:
            yield file


def _features(
    labels: npt.NDArray[np.int32],
    downsample: float,
    origin: tuple[float, float],
    measurements: Measurements | None,
    classes: Mapping[int, str],
    name: str,
) -> Iterator[str]:
    """Yield the text of every feature; coordinates are most of it and are made once."""
    text = name.encode("utf-8", "replace").decode()  # names of files may be no UTF-8
    shown, namespace = _shown(measurements), uuid5(NAMESPACE_URL, text)
    for nucleus in trace_outlines(labels):
        geometry = _text(_on_slide(nucleus, downsample, origin))
        number = uuid5(namespace, f"{nucleus.label} {geometry}")
        properties: dict[str, Any] = {"objectType": "detection"}
        if class_name := classes.get(nucleus.label, ""):
            properties["classification"] = {"name": class_name}
        properties["measurements"] = shown.get(nucleus.label, {})
        yield (
            f'{{"type":"Feature","id":"{number}","geometry":{geometry},'
            f'"properties":{_text(properties)}}}'
        )


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def _on_slide(
    nucleus: TracedNucleus, downsample: float, origin: tuple[float, float]
) -> dict[str, Any]:
    """Return the GeoJSON geometry of a nucleus in pixels of the slide."""
    polygons = [
        [_closed(ring * downsample + np.asarray(origin)) for ring in polygon]
        for polygon in nucleus.polygons
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed(ring: npt.NDArray[np.float64]) -> list[list[float]]:
    whole = np.array_equal(ring, np.rint(ring))
    points: list[list[float]] = (ring.astype(np.int64) if whole else ring).tolist()
    return [*points, points[0]]


def _shown(measurements: Measurements | None) -> dict[int, dict[str, float]]:
    """Return the measurements of every label; JSON cannot store NaN or infinity."""
    if measurements is None:
        return {}
    columns = [name for name in MEASUREMENTS if name in measurements]
    rows: Iterator[tuple[float, ...]] = zip(
        *(measurements[name].tolist() for name in columns), strict=True
    )
    titles = [MEASUREMENTS[name] for name in columns]
    return {
        int(row[0]): {
            title: value for title, value in zip(titles, row, strict=True) if math.isfinite(value)
        }
        for row in rows
    }
