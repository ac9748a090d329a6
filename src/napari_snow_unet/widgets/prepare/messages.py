"""Texts of the dock that prepares datasets."""

from __future__ import annotations

from napari_snow_unet.base.words import counted

TIP = "Prepare the dataset, or continue one that was stopped. The sources are never changed."
CANCEL_TIP = "Stop after the current tiles. Press Prepare again to continue."
CHECK_TIP = (
    "Check every pair: sizes, types, duplicates, leakage between subsets. No file is changed."
)
SAMPLE_TIP = "Show nine random pairs side by side, to see whether the masks fit."
OPEN_TIP = "Open all tiles as a stack of images and a stack of masks."
SOURCES_TIP = "Folders and zip archives of images and masks. Drop them here."
REMOVE_TIP = "Remove the selected sources from the list. No file is deleted."
NO_SOURCE = "Add the folders or archives of images and masks."
NO_DATASET = "Choose a folder for the dataset."
NOT_A_FOLDER = "Choose a folder of images and masks, or prepare one."
BUSY = "Wait until the current task has ended, or cancel it."
PREPARING = "You can cancel at any time and press Prepare again to continue."
STOPPED = "Stopped. Finished tiles are kept; press Prepare again to continue."
LISTING_TILES = "Listing tiles..."
PREPARE_LABEL = "Prepare"
CHECK_LABEL = "Check"
SAMPLE_LABEL = "Show nine pairs"
OPEN_LABEL = "Open as stack"
SOURCES_LABEL = "Sources"
DATASET_LABEL = "Dataset"
ADD_ARCHIVES_LABEL = "Add archives…"
ADD_FOLDER_LABEL = "Add folder…"
REMOVE_LABEL = "Remove"
ADD_SOURCES_LABEL = "Add sources"
ARCHIVES_LABEL = "Zip archives (*.zip)"
NO_GROUPS_LABEL = "no groups"
PIXEL_SIZE_OF_IMAGES_LABEL = "from the images"
SKIPPED_LABEL = "skipped"


def skipped_files(count: int) -> str:
    """Report files that could not be used."""
    return f"{counted(count, 'file')} could not be used: see problems.csv."


def shown_pairs(names: tuple[str, ...]) -> str:
    """Name the pairs of a mosaic."""
    return f"Shown row by row: {', '.join(names)}."


def opened_pairs(count: int) -> str:
    """Report the size of a stack."""
    return f"Opened {counted(count, 'pair')} as a stack."


def more_findings(count: int) -> str:
    """Report the number of findings that are not shown."""
    return f"{count:,} more are not shown."
