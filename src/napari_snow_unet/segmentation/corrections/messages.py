"""Why a correction by hand is refused."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

NO_NUCLEUS = Message("There is no nucleus at this place.", "Click inside a nucleus.")
SAME_NUCLEUS = Message("Both clicks are in the same nucleus.", "Click two different nuclei.")
LINE_MISSES = Message(
    "The line does not cross a nucleus.", "Draw it from one side of the nucleus to the other."
)
LINE_DIVIDES_NOTHING = Message(
    "The line does not divide the nucleus.", "Draw it through the middle of the nucleus."
)
NO_HOLES = Message("This nucleus has no holes.")
NEGATIVE = Message("These labels contain numbers below 0, which are not nuclei.")
NOTHING_GROWN = Message(
    "No nucleus could be grown here: it does not stand out from its surroundings.",
    "Draw its outline.",
)
OUTLINE_TOO_SMALL = Message(
    "The outline encloses no pixel.", "Keep the mouse button pressed and draw around the nucleus."
)
OUTLINE_OCCUPIED = Message(
    "The outline contains no free pixel.", "Draw it where there is no nucleus yet."
)
CONSECUTIVE = Message("The nuclei are numbered from 1 without gaps already.")


def too_far_apart(pixels: int) -> Message:
    """Refuse to merge nuclei with a gap between them."""
    return Message(
        f"The two nuclei are {counted(pixels, 'pixel')} apart.",
        "Merge nuclei that touch or almost touch.",
    )


def largest_number(largest: int) -> Message:
    """Refuse a number that the type of the labels cannot hold."""
    return Message(
        f"These labels hold no number above {largest:,}.",
        "Relabel, or convert the layer to another type: right-click it in the layer list.",
    )


def occupied(number: int) -> Message:
    """Refuse to add a nucleus where there is one."""
    return Message(
        f"This place belongs to nucleus {number}.", "Click a place where there is no nucleus yet."
    )
