"""What every dock says: how runs end, what is wrong with layers, tooltips they share."""

from __future__ import annotations

from collections.abc import Sequence

from napari_snow_unet.base.errors import Message

CANCEL_TIP = "Stop after the current tile and discard the unfinished result."
CANCELLED = "Cancelled. Nothing was changed."
TOO_LATE = "It was too late to cancel."
READING = "Reading…"
COUNTING = "Counting pixels of the probability map…"
OTSU_TIP = "Otsu's threshold (for a stack, the mean over its slices)."
SCORES_TIP = (
    "Pixel scores of the probability map at this threshold against the ground truth, before small "
    "nuclei are removed and holes are filled."
)
SIZE_OF_LAYER_LABEL, SIZE_OF_FILE_LABEL = "from the layer", "from the file"
OPEN_AS_LABELS = "Press Open as Labels."
CONVERT_BY_HAND = "Right-click it in the layer list and choose Convert to Labels."
NO_SINGLE_SLICE = Message(
    "The viewer is not showing a single slice of the stack.",
    "Switch it to 2D with the axes in their original order, or tick All slices.",
)
OUTSIDE_IMAGE = Message(
    "The current slice lies outside the image.",
    "Move the slider under the image, or tick All slices.",
)


def no_memory(cause: str) -> str:
    """Tell that memory has run out."""
    return (
        f"There is not enough memory ({cause}). Close other images or programs, or choose a "
        "smaller tile size or fewer slices."
    )


def unexpected(kind: str, cause: str) -> str:
    """Tell of an error that is a fault of ours."""
    return (
        f"An unexpected error occurred ({kind}: {cause}). Nothing was changed. If it happens "
        "again, report it with the text under View Traceback."
    )


def pixel_scores(scores: Sequence[str]) -> str:
    """Return the scores that follow the threshold, each a word and a number."""
    return f"Pixel scores:\n{', '.join(scores)}."


def looks_like_labels(layer: str) -> str:
    """Doubt that an image shows tissue."""
    return (
        f"'{layer}' looks like labels or a mask, not tissue. To use it as ground truth: "
        f"{CONVERT_BY_HAND} To segment, choose the image it was made from."
    )


def labels_as_image(layer: str) -> str:
    """Tell that an image layer holds labels."""
    return f"'{layer}' is an image layer, but it holds labels. {OPEN_AS_LABELS}"


def labels_as_images(layers: Sequence[str]) -> str:
    """Tell how labels that were opened as images become Labels."""
    names = ", ".join(f"'{name}'" for name in layers)
    return f"These image layers hold labels: {names}. {OPEN_AS_LABELS}"


def other_image(name: str, other: str) -> str:
    """Ask whether two layers show the same image."""
    return f"Do both layers show the same image? Their files are named {name} and {other}."


def other_shape(layer: str, shape: str, other: str, its_shape: str) -> str:
    """Tell that two layers differ in shape."""
    return (
        f"'{layer}' is {shape} pixels and '{other}' is {its_shape}. Choose layers of the same "
        "shape."
    )


def apart(layer: str, other: str, pixels: float, pixel_by_pixel: bool) -> str:
    """Tell that two layers of one shape do not cover each other."""
    tick = ", or tick Compare pixel by pixel" if pixel_by_pixel else ""
    distance = "1 pixel" if pixels == 1 else f"{pixels:,.3g} pixels"
    return (
        f"'{layer}' and '{other}' differ in scale or position, by up to {distance}. Give both the "
        f"same scale and position{tick}."
    )


def region_does_not_fit(reason: str) -> Message:
    """Tell that a region is of another place or shape."""
    return Message(
        f"The region does not fit: {reason.removesuffix('.')}.",
        "Choose another layer under Region.",
    )


def no_area(layer: str) -> Message:
    """Tell that a Shapes layer marks no area."""
    return Message(
        f"'{layer}' has no shape with an area.", "Draw a rectangle, an ellipse or a polygon."
    )


def negative_labels(layer: str, lowest: float, plane: str) -> Message:
    """Tell that labels are below 0, in a plane of a stack if it is named."""
    where = f", {plane}" if plane else ""
    return Message(
        f"There are negative values in {layer}{where}; the lowest is {lowest:g}.",
        "Set them to 0, which is background.",
    )
