"""What the dock that prepares datasets says: hints, tooltips, how work has ended."""

from __future__ import annotations

from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets.check.dataset import CheckReport
from napari_snow_unet.data.datasets.prepare.ledger import Prepared

TIP = "Make the dataset, or go on with one that was stopped. The sources are only read."
CANCEL_TIP = "Stop after the tiles in work. What is done stays; Prepare goes on from there."
CHECK_TIP = (
    "Look at every pair: sizes, types, duplicates, leakage between the parts. Nothing is changed."
)
SAMPLE_TIP = "Lay nine random pairs side by side, to see whether masks fit."
OPEN_TIP = "Open all tiles as one stack of images and one of masks."
NO_SOURCE = "Add the folders or archives that hold images and masks."
NO_DATASET = "Choose a folder for the dataset."
NOTHING_THERE = "Choose a folder with images and masks, or prepare one."
PREPARING = "May be cancelled: what is done stays, and Prepare goes on from there."
STOPPED = "Stopped. What is done is kept: press Prepare again to go on."


def told_prepared(prepared: Prepared) -> str:
    """Say what was made, and that something was left out."""
    filled = {subset: count for subset, count in prepared.subsets.items() if count}
    subsets = ", ".join(f"{subset} {count:,}" for subset, count in filled.items())
    tiles = f"{counted(len(prepared.tiles), 'tile')} ({subsets}), {prepared.new:,} of them new"
    said = [f"{tiles}, in {prepared.folder}.", *prepared.messages]
    if prepared.problems:
        said.append(f"{len(prepared.problems):,} could not be used; see problems.csv.")
    return " ".join(said)


def told_checked(report: CheckReport) -> str:
    """Say how many problems and notes there are."""
    count = len(report.problems)
    notes = len(report.findings) - count
    said = [
        counted(report.tiles, "tile"),
        counted(count, "problem") if count else "no problem",
    ]
    return ", ".join([*said, counted(notes, "note")] if notes else said) + "."
