"""Texts about files that are compared: which belong together, and why some are not scored."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words
from napari_snow_unet.metrics.scores.messages import SAME_SIZE

NOT_THERE = Message("There is no such file or folder.", "Check the spelling of the path.")
NO_REGION = Message(
    "There is no such file or folder.", "Check the path of the region.", ("region",)
)
NO_REGION_OF_TILE = Message(
    "No region has the name of this tile.",
    "Add its mask or outlines, without any nucleus if nothing was annotated.",
)
MAP_REMEDY = (
    "Give a grey image with integers of 8 or 16 bits or fractions from 0 to 1, such as "
    "NAME_probability.png."
)
MAP_HOLDS_LABELS = Message("The file holds labels, not probabilities.", MAP_REMEDY)


def no_maps(names: str) -> Message:
    """Return the refusal of a folder of probability maps that does not exist."""
    return NOT_THERE._replace(remedy=f"Give a folder with {names}.")


def same_name(name: str, first: str, second: str) -> Message:
    """Return the refusal of two files of labels for one image."""
    return Message(
        f"Two files hold labels of {name}: {first} and {second}.",
        "Remove the outdated one, or compare one folder at a time.",
    )


def several_formats(folder: str, used: str, others: tuple[str, ...]) -> str:
    """Return the note that of several formats only one is compared."""
    compared = f"The {used} of each image is compared, not {' or '.join(others)}"
    return f"The folder {folder} contains labels in several formats. {compared}."


def no_common_name(name: str, predictions: tuple[str, ...], truths: tuple[str, ...]) -> Message:
    """Return the refusal of predictions and ground truths without a common name."""
    return Message(
        f"No prediction of {name} has the name of a ground truth.",
        "Name both after their image, or compare two single files. Predictions are named "
        f"{', '.join(predictions)}, ground truths {', '.join(truths)}.",
    )


def nothing_scored(tiles: int, name: str, reason: str, helps: tuple[str, ...]) -> Message:
    """Return the refusal of tiles none of which could be scored, with the first reason."""
    problem = f"No tile of {name} could be scored ({counted(tiles, 'tile')})."
    return Message(problem, f"First reason: {reason.removesuffix('.')}.", helps)


def other_size(shape: tuple[int, ...], wanted: tuple[int, ...], of: str) -> Message:
    """Return the refusal of a file whose size is not that of another one."""
    axes = " x ".join(("slices", "height", "width")[-len(shape) :])
    sizes = f"{shape_in_words(shape)} ({axes}), but {of} has {shape_in_words(wanted)}"
    return Message(f"The size is {sizes}.", SAME_SIZE)


def map_of_other_size(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Message:
    """Return the refusal of a probability map whose size is not that of the labels."""
    sizes = f"{shape_in_words(shape)}, not {shape_in_words(wanted)}"
    return Message(f"The size of the probability map is {sizes}.", MAP_REMEDY)


def unusable_map(problem: str) -> Message:
    """Return the refusal of a probability map whose values cannot be probabilities."""
    reason = problem.removesuffix(".")
    return Message(f"The file cannot be read as a probability map: {reason}.", MAP_REMEDY)
