"""Files of outlines: every format is recognised by its structure, whatever its name."""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import coco, geojson, messages, nuclei_json, xml
from napari_snow_unet.data.annotations.file_text import (
    decoded,
    first_bytes,
    read_text,
    start_of_text,
)
from napari_snow_unet.data.annotations.outlines import Annotations
from napari_snow_unet.data.annotations.unsupported import program_of, why_foreign
from napari_snow_unet.data.names.file_names import GEOJSON_SUFFIXES, LOOKED_INTO, OUTLINE_SUFFIXES
from napari_snow_unet.data.pixels.opening import path_errors, source_name

_WORTH_KEEPING = 1 << 20  # bytes of text; less is read again as fast
_NAMED = 6
#: Words near the start of JSON that holds outlines.
_SIGNS = re.compile(
    r'"type"\s*:\s*"Feature|"nuc"\s*:\s*\{|"cells"\s*:\s*\[|"wsi_metadata"|"shapes"\s*:\s*\['
    r'|"segmentation"|"image_id"|"file_name"(?s:.*)"(?:images|annotations|categories)"'
    r'|"(?:images|annotations|categories)"(?s:.*)"file_name"'
)


def is_annotation_path(path: str | os.PathLike[str]) -> bool:
    """Tell by its name whether a file may hold outlines."""
    return os.fspath(path).lower().endswith(OUTLINE_SUFFIXES)


def holds_outlines(name: str, start: bytes) -> bool:
    """Tell from a file's name and first bytes, see `first_bytes`, whether it holds outlines."""
    if name.lower().endswith(".xml"):
        return xml.root_of(start) in xml.ROOTS
    text = start_of_text(start)
    if text[:1] not in ("{", "["):
        return False
    if name.lower().endswith(GEOJSON_SUFFIXES) and '"Feature' in text:
        return True
    return _SIGNS.search(text) is not None


def is_annotation_file(path: str | os.PathLike[str]) -> bool:
    """Tell from a file's name and first bytes whether it holds outlines; never raises.

    True also for an unreadable file with GeoJSON's suffix: reading it raises the reason.
    """
    if not is_annotation_path(path):
        return False
    try:
        with Path(path).open("rb") as stream:
            return holds_outlines(os.fspath(path), first_bytes(stream))
    except ValueError:
        return False
    except OSError:
        return Path(path).is_file() and not os.fspath(path).lower().endswith(LOOKED_INTO)


def why_foreign_file(path: Path) -> str:
    """Return why the annotations of another program are not read, or ''; never raises."""
    try:
        with path.open("rb") as stream:
            return why_foreign(first_bytes(stream))
    except (OSError, ValueError):
        return ""


def may_hold_labels(path: Path) -> bool:
    """Tell whether a file with a suffix of labels holds some; JSON and XML are opened."""
    return not path.name.lower().endswith(LOOKED_INTO) or is_annotation_file(path)


def read_annotations(
    source: str | os.PathLike[str] | BinaryIO, image: str | None = None
) -> Annotations:
    """Read the outlines of one image.

    Parameters
    ----------
    source : path-like or binary file
        Outlines in any known format; GeoJSON may be gzipped.
    image : str, optional
        Name of the image, with a suffix or without, where a file holds several.

    Returns
    -------
    Annotations
        Outlines in the order of the file.

    Raises
    ------
    InputError
        If the file is damaged, holds no outlines, or none of this image.
    """
    with path_errors(source_name(source)):
        data = read_text(source)
        content = (_cached if len(data) >= _WORTH_KEEPING else _read)(data)
        return content if isinstance(content, Annotations) else coco.read_coco(content, image)


def images_named_in(source: str | os.PathLike[str] | BinaryIO) -> list[str]:
    """Return the names of the images that a file of COCO's kind is about; empty for any other."""
    try:
        text, _ = decoded(read_text(source))
        if '"images"' not in text or '"annotations"' not in text:
            return []
        content = json.loads(text)
        return coco.image_names(content) if coco.is_coco(content) else []
    except Exception:  # it is a question, and damaged files fail in many ways
        return []


def _read(data: bytes) -> Annotations | dict[str, Any]:
    """Read the outlines; a file for several images is returned as it is."""
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"<":
        try:
            return xml.read_xml(data)
        except xml.NoOutlinesError as error:
            raise _other_kind(f"its root is '{error}'", data) from error
    text, notes = decoded(data)
    content = json.loads(text)
    if coco.is_coco(content):
        return content
    read = _of_json(content, data)
    return Annotations(read.outlines, read.size, (*notes, *read.notes))


@lru_cache(maxsize=1)
def _cached(data: bytes) -> Annotations | dict[str, Any]:
    """Read a large file once for all tiles of a slide."""
    return _read(data)


def _of_json(content: Any, data: bytes) -> Annotations:
    if geojson.is_geojson(content):
        return geojson.read_geojson(content)
    if nuclei_json.is_nuclei_json(content):
        return nuclei_json.read_nuclei_json(content)
    if coco.is_labelme(content):
        return coco.read_labelme(content)
    if not isinstance(content, dict):
        raise _other_kind(f"its JSON is of type {type(content).__name__}", data)
    keys = [str(key)[:40] for key in content]
    some = ", ".join(keys[:_NAMED]) + (", ..." * (len(keys) > _NAMED))
    raise _other_kind(f"its keys are {some}", data)


def _other_kind(content: str, data: bytes) -> InputError:
    """Return the refusal of an intact file: whose it is, or what it contains."""
    return InputError(program_of(data) or messages.no_outlines(content))
