"""What a person reads in the dialogs and offers that open files."""

from __future__ import annotations

LABELS_BUTTON_LABEL = "Open as Labels"
SLIDE_BUTTON_LABEL = "Reopen as slide"
LABELS_TITLE_LABEL = "Open labels (for OME-Zarr, choose .zattrs in its folder)"
SLIDE_TITLE_LABEL = "Open slide (for OME-Zarr, choose zarr.json or .zattrs in its folder)"
DATASET_TITLE_LABEL = "Open SNOW dataset: choose the folder that contains images and masks"
LABELS_TIP = (
    "Replace the image with a Labels layer. Files written by this plugin keep their pixel size and "
    "provenance; other labels take the position of the image."
)
SLIDE_TIP = (
    "Open the slide in micrometres, as a layer that loads only the part you are viewing. This "
    "layer is hidden; it and its results are aligned with the slide."
)


def opened_as_image(layer: str) -> str:
    """Say that labels are open as an image."""
    return f"'{layer}' contains labels, but is open as an image."


def replaced(layer: str) -> str:
    """Say that Labels replaced the image."""
    return f"'{layer}' replaced the image."


def opened_flat(file: str) -> str:
    """Say that a slide is open without its pyramid and pixel size."""
    return f"'{file}' is open without its pixel size and entirely in memory."


def reopened(layer: str) -> str:
    """Say that a slide was opened in place of the flat layer."""
    return (
        f"The slide is open as '{layer}'. The previous layer is hidden; delete it to free memory."
    )
