"""Texts of a report: what the scores leave out or assume."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

FILE_EXISTS = Message(
    "The file already exists.", "Choose another folder, or overwrite the report.", ("overwrite",)
)
NO_PIXEL_INSIDE = "No pixel of any tile is inside the region, so nothing was scored."
_NAMED = 5


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_NAMED]) + (
        f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    )


def _count(names: tuple[str, ...], what: str) -> str:
    return f"{counted(len(names), what)} {'has' if len(names) == 1 else 'have'}"


def without_prediction(names: tuple[str, ...]) -> str:
    """Return which ground truths have no prediction."""
    return f"{_count(names, 'ground truth')} no prediction: {_some(names)}."


def without_truth(names: tuple[str, ...]) -> str:
    """Return which predictions have no ground truth."""
    return f"{_count(names, 'prediction')} no ground truth, so no scores: {_some(names)}."


def without_map(names: tuple[str, ...]) -> str:
    """Return which tiles have no probability map."""
    tiles = f"{_count(names, 'tile')} no probability map: {_some(names)}"
    return f"{tiles}. There is no pooled ROC-AUC."


def assumed_of_maps(assumption: str, names: tuple[str, ...]) -> str:
    """Return what is assumed of the values of probability maps."""
    return f"Probability maps are {assumption}: {_some(names)}."


def note_on(names: tuple[str, ...], note: str) -> str:
    """Return a note on the masks of some tiles."""
    return f"Note on {_some(names)}: {note.removesuffix('.')}."


def not_scored(names: tuple[str, ...], reason: str) -> str:
    """Return why some tiles have no scores."""
    return f"Not scored: {_some(names)}: {reason.removesuffix('.')}."
