"""Texts of the public API: refusals, and the hint for a misspelt option."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import shape_in_words

NOT_AN_IMAGE_LAYER = Message("The layer is not an image.", "Pass an Image layer.")
IS_A_FOLDER = Message(
    "The path is a folder, not a file.",
    "Use `segment_folder` or `evaluate_folder` for all files of a folder.",
)
NOT_PIXELS = Message(
    "The image is neither an array of numbers nor a file.",
    "Pass one image; `segment_folder` takes several files.",
)
NOT_LABELS = Message(
    "The labels are neither an array of numbers nor a file.",
    "Pass one array, file, result or layer; `evaluate_folder` takes folders.",
)
NO_EPOCH = Message(
    "The training has not finished an epoch yet, so it has no model.", "Resume it and wait for one."
)
ONLY_EPOCHS = Message(
    "A training is resumed with its own options; only the number of epochs may change.",
    "Leave the other options out, or start a new training in another folder.",
)
NOT_A_MAP = Message(
    "The probability map is not 8-bit.", "Pass a map of uint8, the probability times 255."
)


def unknown_keyword(name: str, nearest: str) -> str:
    """Return the refusal of a keyword, with the one that was meant, if there is one."""
    hint = f" Did you mean '{nearest}'?" if nearest else ""
    return f"There is no option '{name}'.{hint}"


def two_models(name: str, listed: str, folder: str) -> Message:
    """Refuse a name that a listed model and a folder share."""
    return Message(
        f"The name {name!r} is that of a model in {listed} and of the folder {folder}.",
        "Give the full path of the one that is meant.",
    )


def not_for_relabel(name: str) -> Message:
    """Refuse an option that only the network can follow."""
    return Message(
        f"The option {name} needs the network, which relabelling does not run.",
        "Segment the image again with this option.",
    )


def other_shapes(prediction: tuple[int, ...], truth: tuple[int, ...]) -> Message:
    """Refuse arrays that do not lie on each other pixel for pixel."""
    return Message(
        f"The prediction is {shape_in_words(prediction)}, the ground truth "
        f"{shape_in_words(truth)}.",
        "Compare images of the same size, pixel for pixel.",
    )
