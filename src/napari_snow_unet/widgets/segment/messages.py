"""What the segment dock says: hints before Run, results, refusals, tooltips."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words

RESULTS_LABEL = "Results folder"
MODEL_TIP = "What finds the nuclei: a neural network, or the classical method (no network)."
BROWSE_TIP = "Open a model from another folder: choose its config.json or its weights file."
BROWSE_LABEL = "Choose a model's config.json or weights file"  # the title of the dialog
MODEL_FILES_LABEL = "Models (config.json *.safetensors *.weights.h5);;All files (*)"
IMAGE_TIP = "The image to segment. Follows the active image layer."
ROI_TIP = (
    "Segment the whole image, the current view, or what a Shapes or Labels layer marks. "
    "Threshold, count and density then refer to that region only."
)
TRUTH_TIP = (
    "Ground-truth labels, if you have any: Dice, precision and recall then follow the threshold. "
    "The Compare with ground truth dock shows all scores."
)
OUTLINES_TIP = (
    "Draw nuclei as outlines, so that the tissue stays visible; ground truth gets a colour of its "
    "own. The layer controls (contour) set their width."
)
DEVICE_TIP = "The device that ran the network, and its number format."
OTSU_TIP = "Choose the threshold with Otsu's method. Moving the slider switches this off."
FILES_TIP = "Click a row to open the image and its labels."

RUN_LAYER = (
    "Segment the image into a new Labels layer. Running again with the same settings updates the "
    "result, unless you edited it by hand: then the result is a new layer."
)
RUN_FOLDER = "Segment every image in the folder and write the results to files."
NO_IMAGE = "No image is open. Drop a file on the viewer, or choose File > Open Sample."
NO_FOLDER = "Choose a folder of images."
NO_RESULTS = f"Choose a folder under {RESULTS_LABEL}."
LOADING = "Loading the network…"
FIRST_TILE = "Computing the first tile…"
WRITING = "Writing files…"
CANCELLING = "Cancelling after this tile…"
FILES_KEPT = "Cancelled. Finished files are kept."
WAIT = "Wait until the run has ended, then click again."

NOT_CHECKED = (
    "Not checked on your tissue: the accuracy of this model was measured on its own test images "
    "only. If you have annotations, open Compare with ground truth."
)
BY_HAND = "The threshold was set by hand, for this image only."
STORED_ON_DISK = "These labels are stored on disk; the sliders take effect at the next Run."
AREA_OF_UNKNOWN_SIZE = (
    "The pixel size was unknown when these labels were made. Press Run again to apply a minimum "
    "area in µm²."
)

SAVE_TIP = "For HoVer-Net, QuPath, spreadsheets or image viewers, chosen by the file extension."
PYTHON_TIP = "Copy a Python script that reproduces these labels."
COMMAND_TIP = "Copy a terminal command that reproduces these labels."
RESULT_TIP = "Save the result, or copy a script that reproduces it."
ALL_FORMATS_LABEL = "All formats, by extension (*)"
NO_RESULT = "This image has no result yet. Press Run first."
NO_FILE = "The image was not opened from a file. Save it, and open that file."
EDITED = "The labels were edited by hand; a command would reproduce only the unedited labels."
CHANGED_OTHERWISE = "A script or another plugin has changed the labels; no script reproduces them."
NO_MAP = "These labels were not made in this session; a script cannot reproduce them."
EDITED_BY_HAND = "Edited by hand."
REGION_ONLY = "Only a region was segmented; a script would segment the whole image."
MIXED = "The slices were segmented with different settings. Tick All slices and press Run."
SOME_SLICES = "Only some slices were segmented; the command would segment all of them."
COPIED = "Copied to the clipboard."

OTHER_AXES = Message(
    "The viewer does not show the image in its own plane.",
    "Switch it to 2D with the axes in their original order, or choose the whole image.",
)

_ENTER_SIZE = (
    "Enter it above (see your scanner's settings): about 0.25 µm for a 40x scan, 0.5 µm for 20x."
)


def unknown_size(model_um: tuple[float, float] | None, objective: float | None) -> str:
    """Say what an unknown pixel size means, for a model or by the power of an objective."""
    if objective is not None:
        return (
            f"The pixel size is unknown. The file states only the objective: {objective:g}x, "
            f"nominally {10 / objective:.2g} µm per pixel. Enter the true pixel size above; with "
            "the nominal value, areas may be off by 30 %."
        )
    if model_um is not None:
        low, high = model_um
        return (
            f"The pixel size is unknown: the model assumes {low:.2g} to {high:.2g} µm per pixel "
            f"and may miss nuclei at any other scale. {_ENTER_SIZE}"
        )
    return (
        "The pixel size is unknown: nuclei per mm² and areas in µm² cannot be calculated. "
        f"{_ENTER_SIZE}"
    )


def model_missing(name: str) -> str:
    """Tell that the model in the settings does not exist."""
    return (
        f"The model '{name}', set under Preferences > SNOW U-Net, does not exist. The default "
        "model is chosen instead."
    )


def model_unusable(reason: str) -> str:
    """Tell that the model in the settings cannot be opened."""
    reason = reason.removesuffix(".")
    return (
        f"The model set under Preferences > SNOW U-Net cannot be used ({reason}). The default "
        "model is chosen instead."
    )


def model_sizes(pixel_size_um: tuple[float, float] | None, channel: str) -> str:
    """Say which pixel sizes and channel a network was trained on."""
    if pixel_size_um is None:
        return (
            f"Trained on the {channel} channel at unknown pixel sizes; images are never resampled."
        )
    low, high = pixel_size_um
    return f"Trained on the {channel} channel at {low:.2g} to {high:.2g} µm per pixel."


def model_in_numbers(parameters: int, size: int) -> str:
    """Say how large a network is, in parameters and bytes."""
    return f"{parameters / 1e6:.2f} million parameters, {size / 1e6:.1f} MB."


def trained_on(data: str) -> str:
    """Say on which data a network was trained; the recipe behind them is left to its card."""
    return f"Training data: {data.partition('. Shown for ')[0].removesuffix('.')}."


def rest_of_stack(done: str) -> str:
    """Say which slices were segmented, and how to get the rest."""
    return f"{done[:1].upper()}{done[1:]} segmented. Tick All slices to segment the rest."


def as_stored(orientation: int) -> str:
    """Tell that labels match pixels that other programs show turned."""
    return (
        f"The image file has an orientation tag ({orientation}) that napari ignores. The labels "
        "match the image as napari shows it; other programs may show it rotated or mirrored."
    )


def folder_done(done: int, images: int, folder: Path) -> str:
    """Say how many images of a folder were segmented."""
    return f"{done:,} of {counted(images, 'image')} segmented. Results are in {folder}."


def failed(name: str, reason: str) -> str:
    """Say why an image failed."""
    return f"Segmenting {name} failed: {reason.removesuffix('.')}."


def also_failed(names: str) -> str:
    """Name further images that failed."""
    return f"Also failed: {names}."


def skipped_files(names: str) -> str:
    """Name files in a folder that are not images."""
    return f"Skipped (not images): {names}."


def skipped_folders(names: str) -> str:
    """Name folders in a folder."""
    return f"Skipped (folders): {names}."


def saved(path: Path) -> str:
    """Say where a result was saved."""
    return f"Saved {path}."


def automatic_beside(path: Path) -> str:
    """Say where the labels from before the edits were saved."""
    return f"The automatic labels, without your edits, are in {path.parent.name}/{path.name}."


def saved_already(folder: Path) -> str:
    """Say where labels on disk are."""
    return f"These labels are already stored in {folder}."


def segmenting(name: str) -> str:
    """Say that an image or folder is being segmented."""
    return f"Segmenting {name}…"


def labelling(name: str) -> str:
    """Say that a result is being labelled anew."""
    return f"Labelling {name}…"


def opening(name: str) -> str:
    """Say that a file is being opened."""
    return f"Opening {name}…"


def reading(name: str) -> str:
    """Say that a file is being read."""
    return f"Reading {name}…"


def writing(name: str) -> str:
    """Say that a file is being written."""
    return f"Writing {name}…"


def region_without_plane(shape: tuple[int, ...]) -> Message:
    """Tell that an image of these axes has no plane in which a region could be."""
    return Message(
        f"A region needs an image whose last axes are y and x; this one is "
        f"{shape_in_words(shape)}.",
        "Choose the whole image under Region.",
    )


def edits_kept(layer: str) -> str:
    """Tell that a slider does not change labels that were edited by hand."""
    return (
        f"The edits of “{layer}” are kept. Only minimum area and edge apply to edited labels. "
        "Press Run for a new result with the other settings."
    )


def new_beside_edited(layers: str) -> str:
    """Tell that a new result has none of the edits of an earlier one."""
    return f"This is a new result without edits. Your edits are kept in {layers}."


def outside_image(layer: str) -> Message:
    """Tell that a layer, or the view if none is named, does not reach the image."""
    what = f"'{layer}'" if layer else "The current view"
    return Message(f"{what} lies outside the image.", "Move it, or choose the whole image.")


def nothing_marked(layer: str) -> Message:
    """Tell that a Labels layer marks nothing on the image."""
    return Message(
        f"'{layer}' has no labels on the image.",
        "Paint where the image should be segmented, or choose another layer under Region.",
    )


def slices_too_large(pixels: int, largest: int) -> Message:
    """Tell that a slice of a stack does not fit into memory."""
    return Message(
        f"Each slice has {pixels / 1e6:,.0f} megapixels; slices of a stack can have at "
        f"most {largest / 1e6:,.0f}.",
        "Choose a smaller region, or open one slice as an image of its own.",
    )


def no_folder_for_large(pixels: int) -> Message:
    """Tell that labels of this size are written to disk, for which no folder is chosen."""
    return Message(
        f"There are {pixels / 1e6:,.0f} megapixels to segment, so the labels are saved to disk.",
        f"Choose a folder under {RESULTS_LABEL}, or a smaller region.",
    )
