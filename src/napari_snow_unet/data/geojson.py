"""Outlines of nuclei from GeoJSON, as QuPath exports them, to label images.

Coordinates are pixels of the slide at full resolution, x to the right and y down, with the
origin in the corner of the first pixel (not in its centre). See `polygons` for which pixels
belong to an outline.

References
----------
.. [1] H. Butler et al., "The GeoJSON Format", RFC 7946, 2016.
.. [2] P. Bankhead et al., "QuPath", Scientific Reports 7:16878, 2017; names of the properties as
       its GeoJSON export writes them.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.naming import GEOJSON_SUFFIXES
from napari_snow_unet.data.polygons import Polygon, area, effort, fill_polygon
from napari_snow_unet.data.qupath import TileRegion

_LARGEST_TEXT = 1 << 30  # bytes, unpacked
_MOST_PACKED = 60  # bytes of GeoJSON per gzipped byte; outlines pack to a fifth or a tenth
_ALWAYS_FINE = 1 << 24  # bytes, unpacked
_FARTHEST = 1e9  # pixels
_MOST_LAYERS = 20
_SMALL_CANVAS = 1 << 18  # pixels
_MOST_CROSSINGS = 1 << 24
_SNIFFED = 1 << 14  # bytes
_GZIP = b"\x1f\x8b"
_EXPECTED = "GeoJSON with polygons (a FeatureCollection or a list of features)"
#: What QuPath calls a thing that is not one nucleus, if the file has better.
_REGIONS = {"annotation", "tmacore", "root", "tile"}
_NUCLEI = {"detection", "cell"}


@dataclass(frozen=True)
class Outline:
    """One nucleus.

    Attributes
    ----------
    polygons : tuple of Polygon
        Its parts, usually one.
    class_name : str
        Its class, empty if it has none.
    kind : str
        'cell', 'detection', 'annotation' and so on; empty if the file does not say.
    """

    polygons: tuple[Polygon, ...]
    class_name: str
    kind: str


def is_geojson_path(path: str | os.PathLike[str]) -> bool:
    """Tell by its name whether a file is GeoJSON, packed or not."""
    return os.fspath(path).lower().endswith(GEOJSON_SUFFIXES)


def is_geojson(path: str | os.PathLike[str]) -> bool:
    """Tell from a file's name and first words whether it holds GeoJSON features; never raises.

    True also for a file of that name that is there and cannot be read: reading says why.
    """
    if not is_geojson_path(path):
        return False
    try:
        with Path(path).open("rb") as stream:
            start = stream.read(_SNIFFED)
        if start.startswith(_GZIP):
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, _SNIFFED)
    except (ValueError, zlib.error):
        return False
    except OSError:
        return Path(path).is_file()
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") and b'"Feature' in start


def read_geojson(
    source: str | os.PathLike[str] | BinaryIO, *, regions: bool = False
) -> list[Outline]:
    """Read the outlines of nuclei, or of regions.

    Of a cell the nucleus is taken where QuPath has it. In a file that has cells or detections
    annotations are regions: either they or the nuclei are left out. Points and lines always are.

    Parameters
    ----------
    source : path-like or binary file
        GeoJSON, gzipped or not.
    regions : bool, default: False
        Read the regions where there are both.

    Returns
    -------
    list of Outline
        In the order of the file.

    Raises
    ------
    InputError
        If the file is damaged or holds no GeoJSON.
    """
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
    else:
        path = str(getattr(source, "name", "the GeoJSON file"))
    try:
        content = json.loads(_text(source))
        outlines = [outline for feature in _features(content) if (outline := _outline(feature))]
    except OSError as error:
        raise _refusal(f"it cannot be read ({error.strerror or error})", path) from error
    except MemoryError as error:
        raise _refusal("it does not fit into memory", path) from error
    except (ArithmeticError, AttributeError, EOFError, LookupError, RecursionError) as error:
        raise _refusal(f"it is no GeoJSON with polygons ({error})", path) from error
    except (TypeError, ValueError, zlib.error) as error:
        raise _refusal(f"it is no GeoJSON with polygons ({error})", path) from error
    if any(outline.kind in _NUCLEI for outline in outlines):
        areas = [outline for outline in outlines if outline.kind in _REGIONS]
        nuclei = [outline for outline in outlines if outline.kind not in _REGIONS]
        return areas or nuclei if regions else nuclei
    return outlines


def draw_labels(
    outlines: Sequence[Outline], shape: tuple[int, int], region: TileRegion | None = None
) -> npt.NDArray[np.int32]:
    """Draw outlines as a label image: the first outline has the id 1, and so on.

    Parameters
    ----------
    outlines : sequence of Outline
        In pixels of the slide.
    shape : tuple of int
        Height and width of the image in pixels.
    region : TileRegion, optional
        Where the image lies in the slide; by default it is the slide.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        0 is background. Where outlines overlap the smaller one lies on top. The id of an outline
        outside the image, or too small to hold the centre of a pixel, is missing.
    """
    labels = np.zeros(shape, np.int32)
    sizes = [sum(map(area, outline.polygons)) for outline in outlines]
    for number in sorted(range(len(outlines)), key=lambda number: -sizes[number]):
        for polygon in outlines[number].polygons:
            window, inside = fill_polygon(_on_tile(polygon, region), shape)
            labels[window][inside] = number + 1
    return labels


def is_too_much(
    outlines: Sequence[Outline], shape: tuple[int, int], region: TileRegion | None = None
) -> bool:
    """Tell whether outlines are far more than nuclei can be, so that drawing would not end.

    Nuclei hardly overlap. Outlines that cover an image many times, or cross its rows millions of
    times, are a mistake or an attack.
    """
    limit, covered = _MOST_LAYERS * (shape[0] * shape[1] + _SMALL_CANVAS), 0
    for outline in outlines:
        for polygon in outline.polygons:
            crossings, window = effort(_on_tile(polygon, region), shape)
            covered += crossings + window
            if crossings > _MOST_CROSSINGS or covered > limit:
                return True
    return False


def extent(outlines: Sequence[Outline]) -> tuple[int, int]:
    """Return height and width of the smallest image, from the origin, that holds all outlines."""
    corners = [ring.max(axis=0) for o in outlines for polygon in o.polygons for ring in polygon]
    x, y = np.ceil(np.max(corners, axis=0)).astype(int) if corners else (1, 1)
    return max(int(y), 1), max(int(x), 1)


def _on_tile(polygon: Polygon, region: TileRegion | None) -> Polygon:
    if region is None:
        return polygon
    return [(ring - (region.x, region.y)) / region.downsample for ring in polygon]


def _text(source: str | os.PathLike[str] | BinaryIO) -> bytes:
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            return _text(file)
    return _unpacked(source)


def _unpacked(stream: BinaryIO) -> bytes:
    start = stream.read(2)
    if start == _GZIP:
        packed = start + _at_most(_LARGEST_TEXT, stream)
        limit = min(max(_MOST_PACKED * len(packed), _ALWAYS_FINE), _LARGEST_TEXT)
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = unpack.decompress(packed, limit + 1)
        if not unpack.eof and len(text) <= limit:
            raise EOFError("the packed file is cut short")
    else:
        limit = _LARGEST_TEXT
        text = start + _at_most(limit, stream)
    if len(text) > limit:
        raise ValueError(f"it is larger than {limit:,} bytes")
    return text


def _at_most(size: int, stream: BinaryIO) -> bytes:
    """Read a stream to its end or a little beyond `size`, in pieces: no memory is taken ahead."""
    pieces, left = [], size
    while left >= 0 and (piece := stream.read(1 << 20)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


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
    return Outline(polygons, _class_name(properties.get("classification")), kind.lower())


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
    rings = [np.array([point[:2] for point in ring], np.float64) for ring in coordinates]
    for ring in rings:
        if ring.ndim != 2 or ring.shape[1] != 2 or not (np.abs(ring) < _FARTHEST).all():
            raise ValueError("a ring has points that are no pairs of numbers")
    return rings


def _class_name(classification: Any) -> str:
    if isinstance(classification, dict):
        names = classification.get("names")
        joined = ": ".join(map(str, names)) if isinstance(names, list) else ""
        classification = classification.get("name") or joined
    return str(classification or "")


def _refusal(received: str, path: str) -> InputError:
    remedy = "Export it again: in QuPath by File > Export objects as GeoJSON."
    return InputError(received, expected=_EXPECTED, remedy=remedy, path=path)
