"""Notes on masks: assumptions, each with a gist that is the same for many masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from napari_snow_unet.data.masks import messages

_NAMED = 5


@dataclass(frozen=True)
class Note:
    """An assumption about a mask."""

    gist: str  # a sentence without its full stop, in the same words for every mask
    detail: str = ""  # what is true of this mask only
    # whether it decides which pixels are nucleus, not only which nucleus they belong to
    of_pixels: bool = True

    def __str__(self) -> str:
        return f"{self.gist} ({self.detail})" if self.detail else self.gist


def note_of(sentence: str, detail: str = "", *, of_pixels: bool = True) -> Note:
    """Return a note from a whole sentence."""
    return Note(sentence.removesuffix("."), detail, of_pixels)


NOTHING = note_of(messages.EMPTY)
EVERYTHING = note_of(messages.NO_BACKGROUND)
OPAQUE = note_of(messages.OPAQUE)
OUTLINES = note_of(messages.OUTLINES)
CUT = note_of(messages.CUT)
IN_PIECES = note_of(messages.SEVERAL_PARTS).gist


def about_white(foreground: float, limit: float) -> tuple[Note, ...]:
    """Doubt a binary mask that is mostly nucleus."""
    return (note_of(messages.MOSTLY_NUCLEUS, f"{foreground:.0%}"),) if foreground > limit else ()


def soft_edges(values: npt.NDArray[Any]) -> Note:
    """Note a binary mask with grey edges."""
    return note_of(messages.SOFT_EDGES, f"{values.size} values")


def void(value: int) -> Note:
    """Note a value for "not annotated"."""
    return note_of(messages.void(value))


def lowest(value: int) -> Note:
    """Note which value is background in a mask without 0."""
    return note_of(messages.LOWEST_IS_BACKGROUND, f"{value}")


def classes(values: npt.NDArray[Any]) -> Note:
    """Note a class map."""
    return note_of(messages.CLASSES, values_in_words(values), of_pixels=False)


def ids_again(values: npt.NDArray[Any]) -> Note:
    """Note IDs of which most occur in several places, as when 8 bits do not suffice."""
    return note_of(messages.REUSED_IDS, f"{values.size} IDs", of_pixels=False)


def clipped(value: int) -> Note:
    """Note IDs that a file type was too small for."""
    return note_of(messages.clipped(value), of_pixels=False)


def far_larger(value: int, share: float) -> Note:
    """Doubt an ID that covers much of the image beside many that do not."""
    return note_of(messages.FAR_LARGER, f"{value}, {share:.0%}")


def in_parts(values: npt.NDArray[Any]) -> Note:
    """Note IDs with several parts."""
    return note_of(messages.SEVERAL_PARTS, values_in_words(values), of_pixels=False)


def nested(border: int, inside: npt.NDArray[Any]) -> Note:
    """Note an ID that lies inside another."""
    detail = f"{values_in_words(inside)} in {border}"
    return note_of(messages.NESTED_IDS, detail, of_pixels=False)


def by_gist(noted: Mapping[str, Iterable[Note]]) -> dict[str, list[str]]:
    """Return the masks of each gist, with their details: ``a (classes 1 and 2)``."""
    masks: dict[str, list[str]] = {}
    for name, notes in noted.items():
        for note in notes:
            detail = f" ({note.detail})" if note.detail else ""
            masks.setdefault(note.gist, []).append(f"{name}{detail}")
    return masks


def summarised(noted: Mapping[str, Iterable[Note]]) -> list[str]:
    """Return one sentence for each gist, with an example."""
    return [
        messages.one_example(len(names), names[0], gist) for gist, names in by_gist(noted).items()
    ]


def values_in_words(values: npt.NDArray[Any]) -> str:
    """Return ``1, 2 and 3``."""
    some = [f"{value}" for value in values[:_NAMED]]
    if values.size > _NAMED:
        return ", ".join(some) + f" and {values.size - _NAMED} more"
    return " and ".join(filter(None, [", ".join(some[:-1]), some[-1]]))
