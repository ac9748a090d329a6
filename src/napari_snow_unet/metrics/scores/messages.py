"""Texts about arrays that cannot be compared, and the steps of a comparison."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import shape_in_words

SAME_SIZE = "Compare images of the same size, pixel for pixel."
PIXELS_LABEL = "Comparing pixels"
NUCLEI_LABEL = "Comparing nuclei"
DISTANCE_LABEL = "Calculating distances"


def other_shape(shape: tuple[int, ...], truth: tuple[int, ...]) -> Message:
    """Return the refusal of an array whose shape is not that of the ground truth."""
    sizes = f"{shape_in_words(shape)}, that of the ground truth {shape_in_words(truth)}"
    return Message(f"The size of the array is {sizes}.", SAME_SIZE)


def not_integers(side: str, dtype: str) -> Message:
    """Return the refusal of labels that are not integers."""
    return Message(
        f"The {side} has the data type {dtype}, but labels are integers.",
        "Apply a threshold to a probability map first.",
    )


def map_not_8_bit(dtype: str) -> Message:
    """Return the refusal of a probability map of another data type than uint8."""
    return Message(
        f"The probability map has the data type {dtype}, not uint8.",
        "Scale probabilities of 0 to 1 to 0 to 255.",
    )
