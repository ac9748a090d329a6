"""What is said of masks: assumptions, each with a gist by which many files are told of at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_NAMED = 5
SAY = "say that masks are binary"
BORDER_REMEDY = (
    f"Make the border nucleus or background, or {SAY}: then everything but 0 is nucleus."
)
BACKGROUND_REMEDY = (
    f"Write 0 where no nucleus is, or {SAY}: then the lowest value is background, as it is of "
    "classes; in labels every value is a nucleus."
)
FRACTIONS_REMEDY = "Give whole numbers, or cut it at a threshold first."
MAP_REMEDY = (
    f"Cut it at a threshold first, or {SAY}, which cuts at half of the maximum. Comparing "
    "with the ground truth takes probability maps as such."
)
SPOILT_REMEDY = (
    "Export the labels again as PNG or TIFF, and resample them by nearest neighbour only."
)


@dataclass(frozen=True)
class Note:
    """An assumption about a mask."""

    gist: str  # in the same words for every mask
    detail: str = ""  # what is only true of this mask
    # whether it decides which pixels are nucleus, not only which nucleus they are of
    of_pixels: bool = True

    def __str__(self) -> str:
        return f"{self.gist} ({self.detail})" if self.detail else self.gist


IN_PIECES = "ids in several pieces: each id is one nucleus"
NOTHING = Note("the mask is empty")
EVERYTHING = Note("no background: all of it is one nucleus")
OPAQUE = Note("all has one colour: what is opaque is nucleus")
OUTLINES = Note("outlines, whose insides are background: fill them to mean whole nuclei")
CUT = Note("cut at half of its maximum, as a binary mask")


def about_white(foreground: float, limit: float) -> tuple[Note, ...]:
    """Doubt a binary mask that is mostly nucleus."""
    if foreground <= limit:
        return ()
    return (Note("mostly nucleus: if nuclei are 0 in it, invert it", f"{foreground:.0%}"),)


def soft_edges(values: npt.NDArray[Any]) -> Note:
    """Say how a binary mask with grey edges is taken."""
    gist = "binary mask with grey edges (resampled, or once a JPEG), cut at half of its maximum"
    return Note(gist, f"{values.size} values")


def void(value: int) -> Note:
    """Say how "not annotated" is taken."""
    return Note(f"{value} means not annotated, and is taken as background")


def lowest(value: int) -> Note:
    """Say which value a person's word makes the background."""
    return Note("no pixel is 0: the lowest value is background", f"{value}")


def classes(values: npt.NDArray[Any]) -> Note:
    """Say how a class map is taken."""
    return Note(
        "class map: each connected region is one nucleus", values_in_words(values), of_pixels=False
    )


def ids_again(values: npt.NDArray[Any]) -> Note:
    """Say how ids are taken of which most lie in several places, as when 8 bits do not suffice."""
    gist = "most ids are used in several places: each place is one nucleus"
    return Note(gist, f"{values.size} ids", of_pixels=False)


def clipped(value: int) -> Note:
    """Say how ids are taken that a file type was too small for."""
    gist = f"ids end at {value}, which many nuclei have: each place is one nucleus"
    return Note(gist, of_pixels=False)


def far_larger(value: int, share: float) -> Note:
    """Doubt an id that covers much of the image beside many that do not."""
    return Note(
        "an id far larger than the others: make it 0 if it is no nucleus", f"{value}, {share:.0%}"
    )


def nested_classes(values: npt.NDArray[Any]) -> tuple[str, str]:
    """Say why values that lie within each other are no classes, and what to do."""
    received = f"the values {values_in_words(values)} lie within each other, as after resampling"
    return received, SPOILT_REMEDY


def in_pieces(values: npt.NDArray[Any]) -> Note:
    """Say how the pieces of an id are taken."""
    return Note(IN_PIECES, values_in_words(values), of_pixels=False)


def nested(border: int, inside: npt.NDArray[Any]) -> Note:
    """Say how a component within another is taken."""
    detail = f"{values_in_words(inside)} in {border}"
    return Note("an id lies inside another: each id is one nucleus", detail, of_pixels=False)


def no_background(labels: npt.NDArray[np.int32], likely: int) -> tuple[str, str]:
    """Say why a mask in which all or nearly all is nucleus is refused, and what to do."""
    zero, share = ((labels == value).mean() for value in (0, likely))
    none = f"only {zero:.1%} of its pixels are 0" if zero else "no pixel of it is 0"
    received = (
        f"{none}, so that all others would be nucleus; {likely}, on {share:.0%} of them, may be "
        "the background"
    )
    return received, BACKGROUND_REMEDY


def by_gist(said: Mapping[str, Iterable[Note]]) -> dict[str, list[str]]:
    """Return which masks each gist is said of, with details: ``a (classes 1 and 2)``."""
    masks: dict[str, list[str]] = {}
    for name, notes in said.items():
        for note in notes:
            detail = f" ({note.detail})" if note.detail else ""
            masks.setdefault(note.gist, []).append(f"{name}{detail}")
    return masks


def told_once(said: Mapping[str, Iterable[Note]]) -> list[str]:
    """Say what is assumed of many masks, each gist once with an example."""
    return [
        f"{len(names):,} mask{'' if len(names) == 1 else 's'}, such as {names[0]}: {gist}."
        for gist, names in by_gist(said).items()
    ]


def values_in_words(values: npt.NDArray[Any]) -> str:
    """Return ``1, 2 and 3``."""
    some = [f"{value}" for value in values[:_NAMED]]
    if values.size > _NAMED:
        return ", ".join(some) + f" and {values.size - _NAMED} more"
    return " and ".join(filter(None, [", ".join(some[:-1]), some[-1]]))
