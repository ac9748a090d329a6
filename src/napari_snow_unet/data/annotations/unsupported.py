"""Annotations of programs whose files are not read: told by their content, each with a way out."""

from __future__ import annotations

import re

from napari_snow_unet.data.annotations.file_text import start_of_text
from napari_snow_unet.data.annotations.xml import root_of

_COCO = "Export the polygons as COCO there"
#: What stands near the beginning of JSON, whose it is, and what to do.
_JSON = (
    (
        r'"shape_attributes"|"_via_settings"|"_via_img_metadata"',
        "JSON of the VGG Image Annotator (VIA)",
        "There choose Annotation > Export Annotations (COCO format)",
    ),
    (
        r'"(?:polygon|brush|rectangle|ellipse|keypoint)labels"|"from_name"|"annotation_id"',
        "JSON of Label Studio",
        _COCO,
    ),
    (r'"geometryType"|"classTitle"', "JSON of Supervisely", _COCO),
)
#: The first element of XML, whose it is, and what to do.
_XML = {
    "annotations": ("XML of CVAT", _COCO),
    "annotation": (
        "XML of the kind of Pascal VOC, which has boxes",
        "Export polygons as COCO, or label images",
    ),
}


def why_foreign(start: bytes) -> str:
    """Say from a file's first bytes whose it is that is not read, and the remedy; or ''."""
    text = start_of_text(start)
    if text.startswith("<"):
        found = [_XML[root]] if (root := root_of(start)) in _XML else []
    else:
        found = [(what, remedy) for sign, what, remedy in _JSON if re.search(sign, text)]
    return f"{found[0][0]} is not read. {found[0][1]}" if found else ""
