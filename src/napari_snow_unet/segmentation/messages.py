"""What a person is told of an image that is segmented: refusals, doubts, notes."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import shape_in_words

AREA_OF_UNKNOWN_SIZE = Message(
    "The minimum area is in µm², but the pixel size of the image is unknown.",
    "Give the pixel size, or the minimum area in pixels.",
    ("pixel_size_um", "min_area"),
)
NOT_SHOWN_AS_RGB = Message(
    "The image looks like RGB, but its layer is not RGB.",
    "Open it as RGB, in a script with `add_image(..., rgb=True)`.",
)
NO_PLANE = Message("No slice is selected.", "Select at least one slice.")
EMPTY_REGION = Message(
    "The region is empty in the selected slices.", "Draw it where the image should be segmented."
)


def other_channel(channel: str, of_model: str) -> Message:
    """Tell that a network was trained on another channel."""
    return Message(
        f"The model was not trained on the channel {channel}, but on {of_model}.",
        "Leave the channel to the model, or choose another model.",
        ("channel", "model"),
    )


def not_a_plane(shape: tuple[int, ...]) -> Message:
    """Tell that an array is no single image."""
    return Message(
        f"The array is {shape_in_words(shape)}, not a single grey or RGB image.",
        "Segment a stack slice by slice, or pass (Y, X), (Y, X, 3) or (Y, X, 4).",
    )
