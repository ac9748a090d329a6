"""What a person reads about masks: why one is refused, what is assumed, what is doubtful.

A note follows the name of its mask, and details follow it in brackets; see `masks.notes`.
"""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words

_EXPORT_AGAIN = "Export the labels again as PNG or TIFF, and resample them by nearest neighbour."
_BINARY = ("masks_are",)

_WHOLE_NUMBERS = "Check how the file was written: labels are whole numbers from 0, one per pixel."
JPEG = Message(
    "JPEG compression changes pixel values, so a .jpg file cannot be a mask.",
    "Save masks as PNG.",
)
FRACTIONS = Message(
    "The mask contains fractions, so it holds neither labels nor classes.",
    "Use whole numbers, or apply a threshold first.",
)
NO_NUCLEI = "No mask has a nucleus in it."
ALL_NUCLEUS = "Every mask marks the whole image: background must be 0."

EMPTY = "The mask is empty."
NO_BACKGROUND = "The mask has no background: all of it is one nucleus."
OPAQUE = "The mask has one colour: what is opaque is nucleus."
OUTLINES = "The mask shows outlines with empty insides: fill them to mark whole nuclei."
CUT = "The mask is cut at half of its maximum, as a binary mask."
SOFT_EDGES = (
    "Grey edges, from resampling or JPEG, are cut at half of the maximum, as in a binary mask."
)
MOSTLY_NUCLEUS = "The mask is mostly nucleus: invert it if nuclei are 0."
LOWEST_IS_BACKGROUND = "No pixel is 0, so the lowest value is background."
CLASSES = "Class map: each connected region is one nucleus."
REUSED_IDS = "Most IDs occur in several places: each place is one nucleus."
SEVERAL_PARTS = "Some IDs have several separate parts: each ID is one nucleus."
NESTED_IDS = "One ID lies inside another: each ID is one nucleus."
FAR_LARGER = "One ID is far larger than the others: set it to 0 if it is not a nucleus."


def void(value: int) -> str:
    """Say how "not annotated" is taken."""
    return f"Pixels of value {value} count as background, since they were not annotated."


def clipped(value: int) -> str:
    """Say how IDs are taken that a file type was too small for."""
    return f"IDs end at {value}, which many nuclei share: each place is one nucleus."


def one_example(masks: int, example: str, note: str) -> str:
    """Say a note of many masks once."""
    return f"{counted(masks, 'mask')}, such as {example}: {note}."


def wrong_shape(what: str, shape: tuple[int, ...]) -> Message:
    """Refuse labels by their shape."""
    return Message(f"The {what} has the shape {shape_in_words(shape) or '()'}.", _WHOLE_NUMBERS)


def wrong_type(what: str, dtype: str) -> Message:
    """Refuse labels by their data type."""
    return Message(f"The {what} has the type {dtype}.", _WHOLE_NUMBERS)


def wrong_values(what: str, low: str, high: str) -> Message:
    """Refuse labels by their range."""
    return Message(f"The {what} has values from {low} to {high}.", _WHOLE_NUMBERS)


def has_fractions(what: str) -> Message:
    """Refuse labels that are not whole numbers."""
    return Message(f"The {what} contains fractions.", _WHOLE_NUMBERS)


def in_slice(number: int, refusal: Message) -> Message:
    """Say in which plane of a stack a mask is refused."""
    return refusal._replace(problem=f"Slice {number}: {refusal.problem}")


def spoilt_labels(levels: int, regions: int) -> Message:
    """Refuse labels that were changed by resampling or JPEG."""
    return Message(
        f"The mask looks like labels that were resampled or saved as JPEG "
        f"({_greys(levels, regions)}).",
        _EXPORT_AGAIN,
    )


def grey_map(kind: str, levels: int, regions: int) -> Message:
    """Refuse a map of grey values; `kind` is "probability" or "distance"."""
    return Message(
        f"The mask looks like a {kind} map ({_greys(levels, regions)}).",
        "Apply a threshold first, or declare the mask as binary, which cuts it at half of its "
        "maximum. A probability map is compared with ground truth beside its labels.",
        _BINARY,
    )


def _greys(levels: int, regions: int) -> str:
    return f"{counted(levels, 'grey level')} in {counted(regions, 'region')}"


def nested_classes(values: str) -> Message:
    """Refuse values that lie within each other, which classes do not."""
    return Message(
        f"The values {values} lie within each other, as after resampling.", _EXPORT_AGAIN
    )


def border(value: int, inside: str) -> Message:
    """Refuse a value that is neither nucleus nor background."""
    return Message(
        f"The value {value} is a border around {inside}, neither nucleus nor background.",
        "Set the border to nucleus or background, or declare the mask as binary: then everything "
        "except 0 is nucleus.",
        _BINARY,
    )


def no_background(zero: float, likely: int, share: float) -> Message:
    """Refuse a mask in which nearly all pixels would be nucleus."""
    few = f"Only {zero:.1%} of the pixels are 0" if zero else "No pixel of the mask is 0"
    return Message(
        f"{few}, so all others would be nucleus. The background may be {likely} "
        f"({share:.0%} of the pixels).",
        "Set the background to 0, or declare the mask as binary: then the lowest value is "
        "background.",
        _BINARY,
    )


def may_be_inverted(inverted: int, tiles: int) -> str:
    """Doubt masks that mark the bright majority of tiles."""
    return (
        f"The masks may be inverted: in {inverted:,} of {counted(tiles, 'tile')} they mark more "
        "than half of the image, and what they mark is brighter than the rest. Nuclei are dark, "
        "and background is 0 in a mask."
    )


def marks_most(mostly: int, tiles: int, limit: float) -> str:
    """Doubt masks that mark most of every tile."""
    return (
        f"In {mostly:,} of {counted(tiles, 'mask')} more than {limit:.0%} is nucleus. Check that "
        "they mark nuclei, not cells or background."
    )
