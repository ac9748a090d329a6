"""Outlines from the XML of Aperio's ImageScope, as MoNuSeg and MoNuSAC have it, and of ASAP.

No document type and so no entity is read: what could unpack to gigabytes is refused.

References
----------
.. [1] N. Kumar et al., "A Multi-Organ Nucleus Segmentation Challenge", IEEE Transactions on
       Medical Imaging 39, 2020; the elements as ImageScope writes them.
.. [2] G. Litjens et al., "1399 H&E-stained sentinel lymph node sections of breast cancer
       patients: the CAMELYON dataset", GigaScience 7, 2018; ASAP's elements.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from xml.parsers import expat

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.frames import holes_into
from napari_snow_unet.data.annotations.outlines import (
    EXCLUDED,
    Annotations,
    Outline,
    ellipse,
    rectangle,
    ring_of,
    without_outline,
)

IMAGESCOPE, ASAP = "Annotations", "ASAP_Annotations"
ROOTS = (IMAGESCOPE, ASAP)
_RECTANGLES = {"1", "rectangle"}
_ELLIPSES = {"2", "ellipse"}
_NOT_CLOSED = {"3", "4", "5", "arrow", "ruler", "counter", "dot", "pointset", "none"}


class NoOutlinesError(ValueError):
    """The XML has another root element, which the error names."""


@dataclass
class _Progress:
    """The state of reading a file."""

    outlines: list[Outline] = field(default_factory=list)
    depth: int = 0
    layer: str = ""  # class of the layer
    attributes: dict[str, str] = field(default_factory=dict)  # of the region
    points: list[tuple[str, str]] = field(default_factory=list)
    hidden: int = 0
    passed: int = 0


def root_of(start: bytes) -> str:
    """Return the name of the first element of XML; the first bytes suffice."""
    names: list[str] = []

    def note(name: str, _: dict[str, str]) -> None:
        names.append(name)

    parser = _parser()
    parser.StartElementHandler = note
    with suppress(expat.ExpatError, ValueError):
        parser.Parse(start)
    return names[0] if names else ""


def read_xml(data: bytes) -> Annotations:
    """Return what is outlined, in the order of the file; a layer's name is the class.

    ImageScope's negative region is a hole where it lies in an outline of its layer, else excluded.
    """
    notes: tuple[str, ...] = ()
    try:
        read = _parsed(data, None)
    except expat.ExpatError as error:
        if error.code != expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]:
            raise
        read, notes = _parsed(data, "iso-8859-1"), (messages.LEGACY,)
    outlines = holes_into(read.outlines)
    notes = (*notes, *without_outline(read.passed, len(outlines), "regions"))
    if read.hidden:
        notes = (*notes, messages.hidden_layers(read.hidden))
    return Annotations(outlines, None, notes)


def _parser(encoding: str | None = None) -> expat.XMLParserType:
    parser = expat.ParserCreate(encoding)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise InputError(messages.DOCTYPE)


def _parsed(data: bytes, encoding: str | None) -> _Progress:
    read = _Progress()
    parser = _parser(encoding)

    def start(name: str, attributes: dict[str, str]) -> None:
        if read.depth == 0 and name not in ROOTS:
            raise NoOutlinesError(name)
        read.depth += 1
        _START.get(name, _pass)(read, attributes)

    def end(name: str) -> None:
        read.depth -= 1
        if name == "Region" or (name == "Annotation" and "Type" in read.attributes):
            _close(read)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return read


def _pass(read: _Progress, attributes: dict[str, str]) -> None:
    """Pass an element over."""


def _annotation(read: _Progress, attributes: dict[str, str]) -> None:
    """Begin a layer of ImageScope, or an outline of ASAP."""
    if "PartOfGroup" in attributes:
        group = attributes["PartOfGroup"]
        read.layer = "" if group == "None" else group
        read.attributes, read.points = dict(attributes, Type=attributes.get("Type", "")), []
    else:
        read.layer, read.attributes = attributes.get("Name", "").strip(), {}
        read.hidden += attributes.get("Visible", "1") == "0"


def _attribute(read: _Progress, attributes: dict[str, str]) -> None:
    """Take the class of a layer without a name: MoNuSAC's attribute, or a description."""
    name = attributes.get("Name", "").strip()
    if not read.layer and not read.attributes:
        read.layer = attributes.get("Value", "").strip() if name == "Description" else name


def _region(read: _Progress, attributes: dict[str, str]) -> None:
    read.attributes, read.points = dict(attributes, Region="1"), []


def _vertex(read: _Progress, attributes: dict[str, str]) -> None:
    read.points.append((attributes["X"], attributes["Y"]))


_START = {
    "Annotation": _annotation,
    "Attribute": _attribute,
    "Region": _region,
    "Vertex": _vertex,
    "Coordinate": _vertex,
}


def _close(read: _Progress) -> None:
    """Take the outline that has just ended."""
    attributes, read.attributes = read.attributes, {}
    points, read.points = read.points, []
    kind = attributes.get("Type", "0").lower()
    if kind in _NOT_CLOSED or len(points) < 2:
        read.passed += 1
        return
    ring = ring_of([(float(x), float(y)) for x, y in points])
    if kind in _ELLIPSES and len(ring) <= 4:
        low, high = ring.min(axis=0), ring.max(axis=0)
        ring = ellipse(tuple((low + high) / 2), tuple((high - low) / 2))
    elif len(ring) == 2 and kind in _RECTANGLES:
        ring = rectangle(tuple(ring[0]), tuple(ring[1]))
    excluded = attributes.get("NegativeROA", "0") == "1"
    read.outlines.append(Outline(([ring],), read.layer, EXCLUDED if excluded else ""))
