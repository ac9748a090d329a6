"""Texts of the tools that correct labels."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message

NO_LABELS = Message("There are no labels to correct.", "Press Run, or open a Labels layer.")
MULTISCALE = Message(
    "These labels are a pyramid on disk, which napari does not edit.",
    "Segment a region of the image to correct its nuclei.",
)
ON_DISK = Message(
    "These labels are stored on disk and are not edited here.",
    "Segment a region of the image to correct its nuclei.",
)
READ_ONLY = Message(
    "These labels are read-only.", "Right-click the layer and duplicate it, then correct the copy."
)
LOCKED = Message("This layer is locked.", "Unlock it in the layer list to correct it.")
HIDDEN = Message("This layer is hidden.", "Show it to correct it.")
NOT_FLAT = Message(
    "The tools work on a single slice in 2D.",
    "Switch the viewer to 2D and back to its first view.",
)
OUTSIDE = Message("The current slice lies outside the labels.", "Move the slider below the image.")

DELETE_LABEL = "Delete"
DELETE_TIP = "Delete a nucleus: click it."
MERGE_LABEL = "Merge"
MERGE_TIP = "Merge two nuclei: click one, then the other."
SEPARATE_LABEL = "Separate"
SEPARATE_TIP = "Separate a nucleus: drag a line across it. No pixel is lost."
ADD_LABEL = "Add"
ADD_TIP = "Add a missed nucleus: click its middle. It grows from there to its outline."
OUTLINE_LABEL = "Outline"
OUTLINE_TIP = "Add a missed nucleus: keep the mouse button pressed and draw around it."
FILL_LABEL = "Fill holes"
FILL_TIP = "Fill the holes of a nucleus: click it."
RELABEL_LABEL = "Relabel"
RELABEL_TIP = "Number all nuclei from 1 without gaps. Every number can change."
UNDO_LABEL = "Undo"
UNDO_TIP = "Undo the last edit of the layer (Ctrl+Z)."
REDO_LABEL = "Redo"
REDO_TIP = "Redo the edit that was undone last (Ctrl+Shift+Z)."
SECOND_NUCLEUS = "Now click the nucleus to merge with it. Escape starts over."
LEAVE = "Escape ends the tool."

TRAINING_DATA_LABEL = "Use as training data"
ANOTHER_DATASET_TIP = "Choose another dataset."
CHOOSE_DATASET_LABEL = "Choose a dataset, or an empty folder for a new one"  # title of the dialog
DRAW_LABEL = "Draw without prediction"
DRAW_TIP = (
    "Open an empty layer to draw every nucleus in, and hide the prediction. Use this for "
    "validation and test tiles: scores favour the model whose prediction was corrected."
)
DRAWN_NAME_LABEL = "nuclei (drawn)"  # after the name of the image
DRAW_NOW = "Draw all nuclei in the new layer, with Outline or Add, then use it as training data."
REPLACE_LABEL, KEEP_TILE_LABEL = "Replace", "Keep"
NOT_REPLACED = "The dataset was not changed."
NO_IMAGE_OF_LABELS = Message("The image of these labels is not open.", "Open it first.")
LABELS_BESIDE_IMAGE = Message(
    "The labels do not lie on the image pixel by pixel.",
    "Choose their image, or segment it again.",
)

UNSAVED_LABEL = "Unsaved corrections"
KEEP_LABEL = "Keep for later"
DISCARD_LABEL = "Discard"
CANCEL_LABEL = "Cancel"
PUT_BACK_LABEL = "Put back"
OPEN_LABEL = "Open"
KEEP_TIP = (
    "Kept corrections are offered when you open the dock in a new napari. To save them to a file, "
    "choose Result > Save as."
)
OPEN_TIP = "Open the corrected labels as a layer."
DISCARD_TIP = "Remove these corrections from the disk."
KEEPING = "Keeping corrections…"
KEPT_DAMAGED = Message(
    "These kept corrections are damaged and cannot be opened.", "Delete their folder."
)


def summary(
    now: int, automatic: int, added: int, deleted: int, separated: int, merged: int, reshaped: int
) -> str:
    """Return how many nuclei there are and what was edited."""
    count = f"{now:,} {'nucleus' if now == 1 else 'nuclei'}"
    kinds = {
        "added": added,
        "deleted": deleted,
        "separated": separated,
        "merged": merged,
        "reshaped": reshaped,
    }
    edits = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items() if number)
    return f"Edited: {count}, was {automatic:,} ({edits})." if edits else f"{count}."


def training_data_tip(folder: Path | None) -> str:
    """Say what the button copies, and where to."""
    where = "a dataset, which you choose once" if folder is None else f"the dataset {folder}"
    return (
        f"Copy the image and its labels into {where}. If a region is chosen, only that part counts "
        "in training and scores."
    )


def adding_to(dataset: str) -> str:
    """Say which dataset a tile is added to."""
    return f"Adding to {dataset}…"


def replace_tile(tile: str, dataset: str) -> str:
    """Ask whether to replace a tile."""
    return f"The dataset {dataset} has this image already, as tile {tile}. Replace its labels?"


def will_favour(dataset: str, subset: str) -> str:
    """Say before labels are corrected what scores on them will be worth."""
    kind = "validation" if subset == "val" else subset
    return (
        f"This is a {kind} tile of {dataset}: scores on it favour the model whose prediction you "
        "correct."
    )


def closing(layers: str) -> str:
    """Ask what to do with unsaved edits before napari closes."""
    return f"The corrections of {layers} are not saved. Keep them when napari closes?"


def dock_closed(layers: str) -> str:
    """Ask what to do with unsaved edits when the dock was closed."""
    return (
        f"The corrections of {layers} are not saved. The layers stay open, but without the dock "
        "further edits are neither counted nor kept. Keep a copy of the corrections so far?"
    )


def removed(layers: str) -> str:
    """Ask what to do with unsaved edits of layers that were removed."""
    return f"Unsaved corrections: {layers} was removed. Keep the corrections?"


def left(image: str, time: str, now: int, automatic: int) -> str:
    """Offer corrections that were left unsaved."""
    return f"Unsaved corrections of {image} from {time}: {now:,} nuclei, was {automatic:,}."


def opened(layer: str) -> str:
    """Tell that kept corrections were opened."""
    return f"Opened “{layer}” with its corrections, which are not saved yet."


def image_missing(image: str) -> str:
    """Tell that the image of opened corrections is not open."""
    return f"Its image “{image}” is not open."


def image_differs(image: str) -> str:
    """Tell that the open image is not the one that was corrected."""
    return f"The open image “{image}” has other pixels than the one that was corrected."
