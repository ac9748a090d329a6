"""Recognise the annotations of programs whose files are not read, and say what to do instead."""

from __future__ import annotations

import re

from napari_snow_unet.base.errors import Message
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.file_text import start_of_text
from napari_snow_unet.data.annotations.xml import root_of

#: Words near the start of JSON, and whose it is.
_JSON = {
    r'"shape_attributes"|"_via_settings"|"_via_img_metadata"': messages.VIA,
    r'"(?:polygon|brush|rectangle|ellipse|keypoint)labels"|"from_name"|"annotation_id"': (
        messages.LABEL_STUDIO
    ),
    r'"geometryType"|"classTitle"': messages.SUPERVISELY,
}
#: The first element of XML, and whose it is.
_XML = {"annotations": messages.CVAT, "annotation": messages.PASCAL_VOC}


def program_of(start: bytes) -> Message | None:
    """Return the refusal of a file by its first bytes; None if its program is not recognised."""
    text = start_of_text(start)
    if text.startswith("<"):
        return _XML.get(root_of(start))
    return next((refusal for sign, refusal in _JSON.items() if re.search(sign, text)), None)


def why_foreign(start: bytes) -> str:
    """Return the text of `program_of`, or ''."""
    refusal = program_of(start)
    return refusal.text() if refusal else ""
