"""Texts of the dock that compares with the ground truth."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.words import counted

RUN_TIP = "Calculate scores, show errors in a layer and list all nuclei."
COMPARING_LABEL = "Comparing {}"
PREDICTION_TIP = "Predicted labels, or a probability map (a grey image)."
TRUTH_TIP = "Ground-truth labels."
REGION_TIP = (
    "The annotated region: closed shapes (those drawn in one slice apply to that slice) or labels "
    "other than 0. Pixels outside it and nuclei cut by its edge do not count."
)
NO_LABELS = "Open a prediction and its ground truth: two Labels layers, or Labels and a grey image."
ONE_LAYER = "Only one Labels layer is open. Open the labels to compare it with."
SAME_LAYER = "Prediction and ground truth are the same layer. Choose two different layers."

OUTDATED = "Outdated: a layer has changed since. Press Run to update."
COPY_TIP = "Copy the table for a spreadsheet, with all decimals."
SAVE_TIP = "Save the table as a CSV file, with all decimals."
COPIED = "Copied to the clipboard."
AGREEMENT_LABEL = "in both"
PREDICTION_ONLY_LABEL = "prediction only"
TRUTH_ONLY_LABEL = "ground truth only"

NO_AUC = "ROC-AUC needs a probability map, and a ground truth with nuclei and background."
UNDEFINED = "Undefined: the denominator is zero."
DISTANCE_NOT_POOLED = "Distances of several slices cannot be pooled."

WHICH_NUCLEI_TIP = "Nuclei to list."
NUCLEI_TIP = "Click a row to go to the nucleus, or a column title to sort."
COLUMN_TIPS = {
    "status": "matched: IoU above 0.5. missed: ground-truth nucleus without a match. spurious: "
    "predicted nucleus without a match. split: one ground-truth nucleus, several predictions. "
    "merged: one prediction, several ground-truth nuclei.",
    "id": "The label of the nucleus in its layer.",
    "layer": "The layer that contains the nucleus.",
    "iou": "Intersection over union with the nucleus of the other layer that overlaps it most.",
    "area": "Area of the nucleus, in pixels or square micrometres (µm²).",
    "plane": "Slice of the stack, as numbered by the slider below the image.",
}


def caption(prediction: str, truth: str, slices: str) -> str:
    """Return which layers, and which slices of them, were compared."""
    return f"'{prediction}' compared with '{truth}'{slices and f', {slices}'}."


def scores(dice: str, pq: str, aji: str) -> str:
    """Return the most important scores."""
    return f"Dice {dice}, PQ {pq}, AJI {aji}."


def nuclei(truth: int, missed: int, split: int, spurious: int, merged: int) -> str:
    """Return how many nuclei there are and how many are wrong."""
    nuclei = f"{truth:,} {'nucleus' if truth == 1 else 'nuclei'}"
    return (
        f"Ground truth: {nuclei}, {missed:,} missed, {split:,} split. "
        f"Prediction: {spurious:,} spurious, {merged:,} merged."
    )


def without_region(slices: int) -> str:
    """Return how many slices were left out since the region is empty there."""
    were = "was" if slices == 1 else "were"
    return f"{counted(slices, 'slice')} without a region {were} left out."


def nothing_predicted(slices: int) -> str:
    """Return in how many slices the prediction is empty."""
    return f"The prediction is empty in {counted(slices, 'slice')}."


def assumed_of_map(assumption: str) -> str:
    """Return what is assumed of the values of the probability map."""
    return f"The probability map is {assumption}."


def saved(path: Path) -> str:
    """Return where a table was saved."""
    return f"Saved {path}."


def not_saved(path: Path, reason: str) -> str:
    """Return why a table was not saved."""
    return f"The table could not be saved ({reason}). Choose a folder other than {path.parent}."
