"""Texts about an image that is segmented: refusals, notes, progress."""

from __future__ import annotations

from typing import Literal

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words

AREA_OF_UNKNOWN_SIZE = Message(
    "The minimum area is in µm², but the pixel size of the image is unknown.",
    "Give the pixel size, or the minimum area in pixels.",
    ("pixel_size_um", "min_area"),
)
UNKNOWN_SIZE = "The pixel size is unknown."
NOT_SHOWN_AS_RGB = Message(
    "The image looks like RGB, but its layer is not RGB.",
    "Open it as RGB, in a script with `add_image(..., rgb=True)`.",
)
NO_PLANE = Message("No slice is selected.", "Select at least one slice.")
EMPTY_REGION = Message(
    "The region is empty in the selected slices.", "Draw it where the image should be segmented."
)
NO_NUCLEI = "No nuclei were found."
LOOKS_LIKE_LABELS = (
    "The image looks like labels or a mask, not like tissue. Segment the image that they were made "
    "from, or compare them with ground truth."
)
TRAINING_IMAGES_LABEL = "the images that the model was trained on"


def other_channel(channel: str, of_model: str) -> Message:
    """Return the refusal of a channel that a network was not trained on."""
    return Message(
        f"The model was trained on the channel {of_model}, not on {channel}.",
        "Use the default channel, or another model.",
        ("channel", "model"),
    )


def not_a_plane(shape: tuple[int, ...]) -> Message:
    """Return the refusal of an array with too many axes."""
    return Message(
        f"The array is {shape_in_words(shape)}, not a single grey or RGB image.",
        "Segment a stack slice by slice, or pass (Y, X), (Y, X, 3) or (Y, X, 4).",
    )


def no_pixels(shape: tuple[int, ...]) -> Message:
    """Return the refusal of an array without rows or columns."""
    return Message(
        f"The image has no rows or no columns: its shape is ({', '.join(map(str, shape))}).",
        "Choose another image.",
    )


def unknown_pixel_size(low: float, high: float) -> str:
    """Return the note on an image of unknown pixel size, for a model trained at a range of them."""
    return (
        f"{UNKNOWN_SIZE} The model assumes {_range(low, high)} and may miss nuclei at "
        "any other scale. Enter the pixel size: about 0.25 µm for a 40x scan, 0.5 µm for 20x."
    )


def resampled(from_um: float, to_um: float, low: float, high: float) -> str:
    """Return the note on an image whose pixel size lies outside a model's range."""
    return (
        f"The image was resampled from {from_um:g} to {to_um:.3g} µm per pixel for the model, "
        f"which was trained at {_range(low, high)}."
    )


def _range(low: float, high: float) -> str:
    return f"{low:.2g} to {high:.2g} µm per pixel"


def result_label(
    nuclei: int, nuclei_per_mm2: float | None, area_fraction: float, threshold: str
) -> str:
    """Return nuclei, their density and area, and the threshold in one line."""
    density = "" if nuclei_per_mm2 is None else f" ({nuclei_per_mm2:,.0f} per mm²)"
    return (
        f"{nuclei:,} {'nucleus' if nuclei == 1 else 'nuclei'}{density}, "
        f"{area_fraction:.1%} of the area, threshold {threshold}"
    )


def thresholds_label(low: str, high: str) -> str:
    """Return the lowest and highest threshold of several slices."""
    return low if low == high else f"{low} to {high}"


def slices_label(count: int, total: int | None) -> str:
    """Return how many slices something concerns, of how many."""
    return counted(count, "slice") if total is None else f"{count} of {counted(total, 'slice')}"


def one_slice_label(index: tuple[int, ...], total: int) -> str:
    """Return which slice of a stack was segmented, counted from 0 as napari does."""
    if len(index) == 1:
        return f"slice {index[0]} (of 0 to {total - 1})"
    return f"slice ({', '.join(map(str, index))}) of {total}"


def step_label(what: Literal["tile", "slice"], done: int, total: int) -> str:
    """Return the progress over the windows of a plane or the slices of a stack."""
    return f"{what} {done} of {total}"


def block_label(
    work: Literal["joining blocks", "labelling", "resampling", "writing"], done: int, total: int
) -> str:
    """Return the progress over the blocks of a large image."""
    return f"{work}, block {done} of {total}"
