"""What a person reads about files of outlines: why one is refused, and how it was read."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

_NAMED = 3
_FORMATS = (
    "Use QuPath's GeoJSON (File > Export objects as GeoJSON), XML of ImageScope or ASAP, or JSON "
    "of HoVer-Net, CellViT, COCO or LabelMe."
)
_AS_COCO = "Export the polygons as COCO from that program."

OVERLAPPING = Message(
    "The outlines cover the image, or each other, many times over.", "Export each nucleus once."
)
DOCTYPE = Message(
    "The XML declares a document type, which is not read.", "Export it without a DOCTYPE line."
)
NO_CONTOURS = Message("The nuclei have positions but no contours.", _FORMATS)
OBJECTS_WITHOUT_IMAGE = Message(
    "The objects belong to none of the images in the file.", "Export the annotations again."
)
MASKS_AS_PIXELS = Message(
    "The masks are stored as pixels, not as polygons.", "Save the shapes as polygons."
)
MASKS_TOO_LARGE = Message("The masks have more pixels than nuclei could have.", _FORMATS)
CROWDS = "All objects are marked as crowds and are read as nuclei."
LEGACY = "The text is not UTF-8; names are read as Windows-1252."


def _not_read(kind: str, remedy: str) -> Message:
    return Message(f"The file is {kind}, which is not read.", remedy)


VIA = _not_read(
    "JSON of the VGG Image Annotator (VIA)",
    "In VIA choose Annotation > Export Annotations (COCO format).",
)
LABEL_STUDIO = _not_read("JSON of Label Studio", _AS_COCO)
SUPERVISELY = _not_read("JSON of Supervisely", _AS_COCO)
CVAT = _not_read("XML of CVAT", _AS_COCO)
PASCAL_VOC = _not_read(
    "XML like Pascal VOC's, with boxes", "Export polygons as COCO, or label images."
)


def no_outlines(content: str) -> Message:
    """Refuse a file that is intact but contains something else."""
    return Message(f"The file contains no outlines of nuclei: {content}.", _FORMATS)


def too_large(most: int) -> Message:
    """Refuse a file that unpacks to more than memory can take."""
    return Message(
        f"The text of the file is larger than {counted(most, 'byte')}.",
        "Export fewer objects to a file.",
    )


def only_others(count: int, things: str, kind: str) -> Message:
    """Refuse a file in which nothing is an outline."""
    return Message(f"The file contains no outlines: its {count} {things} are {kind}.", _FORMATS)


def others_ignored(ignored: int, of: int, things: str, kind: str) -> str:
    """Say how many things of a file are not outlines."""
    return f"{ignored} of {of} {things} {_were(ignored)} ignored ({kind}, not outlines)."


def which_image(names: tuple[str, ...], image: str) -> Message:
    """Refuse a file of several images of which none is the one at hand."""
    some = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    which = f"but none is named '{image}'" if image else "and none of them is selected"
    return Message(
        f"The file has annotations of {counted(len(names), 'image')} ({some}), {which}.",
        "Use the names of the images in the file, or export one file for each image.",
    )


def starred(count: int) -> str:
    """Say how many areas are ignored by their class."""
    areas = "tile or area" if count == 1 else "tiles or areas"
    return f"{count} {areas} of a class with * {_were(count)} ignored."


def excluded(count: int) -> str:
    """Say how many areas do not count."""
    return f"{counted(count, 'area')} {_were(count)} excluded."


def several_polygons(outlines: int, polygons: int) -> str:
    """Say that polygons of merged outlines are one nucleus each."""
    have = "has" if outlines == 1 else "have"
    numbers = f"{counted(outlines, 'outline')} {have} {counted(polygons, 'polygon')}"
    return f"{numbers}: each polygon is one nucleus."


def hidden_layers(count: int) -> str:
    """Say that hidden layers count."""
    return f"{counted(count, 'hidden layer')} {_were(count)} included."


def planes(count: int) -> str:
    """Say that outlines of several planes are put together."""
    return f"Outlines of {counted(count, 'plane')} of a stack are combined."


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
