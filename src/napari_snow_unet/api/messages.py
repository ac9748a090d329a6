"""Texts of the public API: refusals, and the hint for a misspelt option."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words, with_article

_MOST_NAMES = 50

NOT_AN_IMAGE_LAYER = Message("The layer is not an image.", "Pass an Image layer.")
IS_A_FOLDER = Message(
    "The path is a folder, not a file.",
    "Use `segment_folder` or `evaluate_folder` for all files of a folder.",
)
NOT_PIXELS = Message(
    "The image is neither an array of numbers nor a file.",
    "Pass one image; `segment_folder` takes several files.",
)
NOT_PATHS = Message(
    "The images are not files.",
    "Pass files, folders or patterns; `segment` takes arrays and layers.",
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


def unknown_keyword(name: str, nearest: str, function: str) -> str:
    """Return the refusal of a keyword, with the one that was meant, if there is one."""
    hint = _did_you_mean(nearest) or f" `help(snow.{function})` lists the options."
    return f"There is no option '{name}'.{hint}"


def no_such_name(name: object, nearest: str, names: tuple[str, ...]) -> str:
    """Return the refusal of a key of a result, with those that exist."""
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    listed = ", ".join(map(repr, names[:_MOST_NAMES])) or "none"
    return f"There is no {name!r}.{_did_you_mean(nearest)} There are: {listed}{more}."


def _did_you_mean(nearest: str) -> str:
    return f" Did you mean '{nearest}'?" if nearest else ""


def not_one_path(name: str, kind: str) -> Message:
    """Refuse something else where one path is expected."""
    return Message(
        f"`{name}` must be one path, not {with_article(kind)}.",
        "Pass one file or folder. Only `segment_folder` takes several images, and "
        "`prepare` several folders.",
    )


def not_at_the_end(name: str) -> Message:
    """Refuse the result of steps that are not finished."""
    return Message(
        f"`{name}` has not finished, so it has no result yet.",
        f"Loop over its steps to the end, or call `{name.removesuffix('_steps')}`.",
    )


def steps_have_no(name: str, attribute: str) -> str:
    """Refuse an attribute of steps, which is probably one of the result."""
    return (
        f"`{name}` returns steps, which have no {attribute!r}. Loop over them to the end and use "
        f"their `result`, or call `{name.removesuffix('_steps')}`."
    )


def steps_label(name: str, *, ended: bool) -> str:
    """Return steps in one line."""
    return f"<{name}: finished, see .result>" if ended else f"<{name}: loop over it, then .result>"


def failed_label(count: int, total: int, first: str) -> str:
    """Return how many images failed, and why the first one did."""
    return f"{count:,} of {total:,} failed: {first}"


def all_failed(total: int, first: str) -> Message:
    """Refuse to return a folder in which nothing was segmented; `first` is the first reason."""
    first = first.removesuffix(".")
    if total == 1:
        return Message(f"The image could not be segmented. {first}.")
    return Message(f"None of the {total:,} images could be segmented. The first: {first}.")


def seen_at_other_scale(low: float, high: float) -> str:
    """Return the note on a pixel size that the network would have resampled the image for."""
    return (
        f"The model was trained at {low:.2g} to {high:.2g} µm per pixel, and its probability map "
        "was computed at another scale. Segment the image again with this pixel size."
    )


def thin_planes(shape: tuple[int, ...], columns: int) -> Message:
    """Refuse an array whose last axis is neither three or four colours nor a side of an image."""
    return Message(
        f"The array is {shape_in_words(shape)}: planes of only {counted(columns, 'column')}.",
        "Pass (..., Y, X) or (..., Y, X, 3). Of other channels choose one: `image[..., 0]`.",
    )


def may_be_channels(shape: tuple[int, ...], planes: int) -> str:
    """Return the note on an array whose first axis may be its colours."""
    return (
        f"The array is {shape_in_words(shape)}: a stack of {planes} grey planes. If these are "
        "the colours of one image, move them to the end: `numpy.moveaxis(image, -3, -1)`."
    )


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
