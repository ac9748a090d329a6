"""Texts about an experiment that cannot be started or continued."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

FOLDER_IN_USE = Message(
    "The folder already contains other files.",
    "Choose an empty folder, or the folder of an experiment to continue.",
)


def other_experiment(stored: str, wanted: str) -> Message:
    """Return the refusal of a folder with an experiment of other numbers."""
    return Message(
        f"The folder contains an experiment with {stored}, not {wanted}.",
        "Choose another folder, or continue with the numbers of the experiment.",
    )


def unreadable_plan(reason: str) -> Message:
    """Return the refusal of a damaged or foreign experiment.json."""
    return Message(
        f"The file does not describe an experiment ({reason}).", "Choose another folder."
    )


def source_missing(mask: str) -> Message:
    """Return the refusal of sources without the mask of a tile that is drawn."""
    return Message(
        f"The sources do not contain the mask {mask}.",
        "Name all archives or folders from which the dataset was prepared.",
    )


def empty_subsets(tiles: int, subsets: tuple[str, ...]) -> Message:
    """Return the refusal of so few tiles that a subset is empty."""
    left = f"none is left for {' and '.join(subsets)}"
    return Message(
        f"The tiles are too few ({counted(tiles, 'tile')}): {left}.",
        "Use at least 13 tiles: raise the limit, or name more archives.",
        ("limit",),
    )


def tile_not_segmented(reason: str) -> Message:
    """Return the refusal of a test tile that cannot be segmented."""
    return Message(
        f"The test tile could not be segmented: {reason.removesuffix('.')}.",
        "Prepare the dataset again in another folder.",
    )
