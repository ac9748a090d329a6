"""Files of outlines: every format is told by its structure, whatever the file is called."""

from __future__ import annotations

import json
import os
import re
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import coco, geojson, nuclei_json, xml
from napari_snow_unet.data.annotations.file_text import (
    decoded,
    first_bytes,
    read_text,
    start_of_text,
)
from napari_snow_unet.data.annotations.outlines import Annotations
from napari_snow_unet.data.annotations.unsupported import why_foreign
from napari_snow_unet.data.names.file_names import GEOJSON_SUFFIXES, LOOKED_INTO, OUTLINE_SUFFIXES

_EXPECTED = (
    "outlines of nuclei: QuPath's GeoJSON, XML of ImageScope or ASAP, or the JSON of HoVer-Net, "
    "CellViT, COCO or LabelMe"
)
_REMEDY = "Export it again: in QuPath by File > Export objects as GeoJSON."
#: What the readers raise on damage.
_DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, RecursionError),
    *(TypeError, ValueError, zlib.error, expat.ExpatError),
)
_WORTH_KEEPING = 1 << 20  # bytes of text; less is read again as fast
_NAMED = 6
#: What stands near the beginning of JSON that holds outlines.
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

    True also for a file of GeoJSON's name that is there and cannot be read: reading says why.
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
    """Return whose annotations a file holds that are not read, and the remedy; never raises."""
    try:
        with path.open("rb") as stream:
            return why_foreign(first_bytes(stream))
    except (OSError, ValueError):
        return ""


def may_hold_labels(path: Path) -> bool:
    """Tell whether a file of a suffix of labels is one; JSON and XML are looked into."""
    return not path.name.lower().endswith(LOOKED_INTO) or is_annotation_file(path)


def read_annotations(
    source: str | os.PathLike[str] | BinaryIO, image: str | None = None
) -> Annotations:
    """Read what is outlined.

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
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
    else:
        path = str(getattr(source, "name", "the file"))
    try:
        data = read_text(source)
        found = (_kept if len(data) >= _WORTH_KEEPING else _read)(data)
        return found if isinstance(found, Annotations) else coco.read_coco(found, image)
    except OSError as error:
        raise _refusal(f"it cannot be read ({error.strerror or error})", path) from error
    except MemoryError as error:
        raise _refusal("it does not fit into memory", path) from error
    except _OtherError as error:
        if foreign := why_foreign(data):
            what, _, remedy = foreign.partition(" is not read. ")
            raise _refusal(f"it is {what}", path, f"{remedy}.") from error
        raise _refusal(f"it holds no outlines: {error}", path) from error
    except _DAMAGED as error:
        raise _refusal(f"it holds no outlines that can be read ({error})", path) from error


def images_named_in(source: str | os.PathLike[str] | BinaryIO) -> list[str]:
    """Return the names of the images that a file of COCO's kind is about; empty for any other."""
    try:
        text, _ = decoded(read_text(source))
        if '"images"' not in text or '"annotations"' not in text:
            return []
        content = json.loads(text)
        return coco.image_names(content) if coco.is_coco(content) else []
    except (*_DAMAGED, OSError):
        return []


class _OtherError(ValueError):
    """It is whole, and of another kind."""


def _read(data: bytes) -> Annotations | dict[str, Any]:
    """Read what is outlined; what tells several images apart is left as it is."""
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"<":
        try:
            return xml.read_xml(data)
        except xml.NoOutlinesError as error:
            raise _OtherError(str(error)) from error
    text, notes = decoded(data)
    content = json.loads(text)
    if coco.is_coco(content):
        return content
    found = _of_json(content)
    return Annotations(found.outlines, found.size, (*notes, *found.notes))


@lru_cache(maxsize=1)
def _kept(data: bytes) -> Annotations | dict[str, Any]:
    """Read a large file once for all tiles of a slide."""
    return _read(data)


def _of_json(content: Any) -> Annotations:
    if geojson.is_geojson(content):
        return geojson.read_geojson(content)
    if nuclei_json.is_nuclei_json(content):
        return nuclei_json.read_nuclei_json(content)
    if coco.is_labelme(content):
        return coco.read_labelme(content)
    if not isinstance(content, dict):
        raise _OtherError(f"it is a {type(content).__name__}")
    keys = [str(key)[:40] for key in content]
    raise _OtherError("its keys are " + ", ".join(keys[:_NAMED]) + (", ..." * (len(keys) > _NAMED)))


def _refusal(received: str, path: str, remedy: str = _REMEDY) -> InputError:
    return InputError(received, expected=_EXPECTED, remedy=remedy, path=path)
