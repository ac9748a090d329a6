"""Outlines of nuclei from GeoJSON, as QuPath exports them.

Coordinates are pixels of the slide at full resolution, x to the right and y down, with the
origin in the corner of the first pixel (not in its centre).

References
----------
.. [1] H. Butler et al., "The GeoJSON Format", RFC 7946, 2016.
.. [2] P. Bankhead et al., "QuPath", Scientific Reports 7:16878, 2017; names of the properties as
       its GeoJSON export writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.outlines import (
    Annotations,
    Outline,
    ring_of,
    without_outline,
)
from napari_snow_unet.data.annotations.polygons import Polygon

_TYPES = {"FeatureCollection", "Feature", "GeometryCollection", "MultiPolygon", "Polygon"}


def is_geojson(content: Any) -> bool:
    """Tell whether JSON is GeoJSON: an object that says so, or a list of features."""
    if isinstance(content, list):
        return all(isinstance(item, dict) and item.get("type") in _TYPES for item in content)
    return isinstance(content, dict) and content.get("type") in _TYPES


def read_geojson(content: Any) -> Annotations:
    """Return what is outlined, in the order of the file; of a cell its nucleus if it has one."""
    outlines, planes, passed = [], set(), 0
    for feature in _features(content):
        if outline := _outline(feature):
            outlines.append(outline)
            planes.add(_plane(feature))
        elif feature.get("geometry"):
            passed += 1
    notes = without_outline(passed, len(outlines), "features")
    if len(planes) > 1:
        notes.append(messages.planes(len(planes)))
    return Annotations(outlines, notes=tuple(notes))


def _plane(feature: dict[str, Any]) -> tuple[str, str]:
    """Return z and t of the plane that QuPath says an outline lies in."""
    plane = (feature.get("geometry") or {}).get("plane") or {}
    return str(plane.get("z", 0)), str(plane.get("t", 0))


def _features(content: Any) -> Iterator[dict[str, Any]]:
    """Go through all features of a collection, a list, a feature or a geometry; children too."""
    if isinstance(content, list):
        for item in content:
            yield from _features(item)
    elif content["type"] == "FeatureCollection":
        yield from _features(content["features"])
    elif content["type"] == "Feature":
        yield content
        properties = content.get("properties") or {}
        yield from _features(properties.get("childObjects") or properties.get("children") or [])
    else:
        yield {"geometry": content}


def _outline(feature: dict[str, Any]) -> Outline | None:
    properties = feature.get("properties") or {}
    kind = str(properties.get("objectType") or properties.get("object_type") or "")
    legacy = str(feature.get("id"))  # QuPath 0.2 has PathCellObject and the like there
    if not kind and legacy.startswith("Path") and legacy.endswith("Object"):
        kind = legacy[len("Path") : -len("Object")]
    polygons = tuple(_polygons(feature.get("nucleusGeometry") or feature.get("geometry")))
    if not polygons:
        return None
    kind = kind.lower().replace("_", "").replace(" ", "")
    return Outline(polygons, _class_name(properties.get("classification")), kind)


def _polygons(geometry: dict[str, Any] | None) -> Iterator[Polygon]:
    if geometry is None:
        return
    if geometry["type"] == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from _polygons(part)
    elif geometry["type"] == "MultiPolygon":
        yield from (_rings(polygon) for polygon in geometry["coordinates"] if polygon)
    elif geometry["type"] == "Polygon" and geometry["coordinates"]:
        yield _rings(geometry["coordinates"])


def _rings(coordinates: Sequence[Any]) -> Polygon:
    return [ring_of(ring) for ring in coordinates]


def _class_name(classification: Any) -> str:
    if isinstance(classification, dict):
        names = classification.get("names")
        joined = ": ".join(map(str, names)) if isinstance(names, list) else ""
        classification = classification.get("name") or joined
    return str(classification or "")
