"""Texts of a training: refusals, and the lines of its log."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words

FINDS_NOTHING = (
    "The network finds no nuclei yet. Train longer, or start from a model that already finds some."
)


def mixed_sizes(height: int, width: int, sizes: int, most_tiles: tuple[int, int]) -> Message:
    """Return the refusal of whole tiles that do not fit into one batch."""
    return Message(
        f"This tile has {height} x {width} px, most have {shape_in_words(most_tiles)}; whole "
        f"tiles must have one size, and there are {sizes}.",
        "Train on crops, for example of 256 pixels, or remove the other tiles.",
        ("crop",),
    )


def not_one_plane(shape: tuple[int, ...]) -> Message:
    """Return the refusal of an image that is a stack."""
    return Message(
        f"The image has the shape {shape}, which is not a single grey, RGB or RGBA image.",
        "Save one plane of it.",
    )


def planned_epochs(wanted: int, planned: int) -> Message:
    """Return the refusal of another number of epochs."""
    return Message(
        f"This training run is planned for {counted(planned, 'epoch')}, and {wanted} were "
        "requested. Its learning rate depends on the number.",
        "Start a new training run from this one's model.",
        ("fine_tune",),
    )


def started(epoch: int, train: int, validation: int, where: str) -> str:
    """Return the first line of a training that is new (epoch 0) or continues."""
    start = f"Resumed after epoch {epoch}" if epoch else "Started"
    tiles = f"{counted(train, 'training tile')}, {counted(validation, 'validation tile')}"
    return f"{start}: {tiles}; {where}."


def no_gpu(reason: str) -> str:
    """Return why the training runs on the CPU."""
    return f"No GPU is used. {reason}".rstrip(".") + "."


def epoch_done(epoch: int, epochs: int, scores: str, best: bool) -> str:
    """Return the line of a finished epoch."""
    return f"Epoch {epoch} of {epochs}: {scores}{', the best so far' if best else ''}."


def stopped(epoch: int, epochs: int, reason: str) -> str:
    """Return the last line of a stopped training."""
    return f"Stopped after {epoch} of {counted(epochs, 'epoch')}{f' ({reason})' * bool(reason)}."


def interrupted(epochs: int) -> str:
    """Return the last line of an interrupted training."""
    return f"Interrupted. {counted(epochs, 'finished epoch')} kept."


def finished(epochs: int, best: int, dice: float | None) -> str:
    """Return the last line of a training that ran all its epochs."""
    every = "all " if epochs > 1 else ""
    return f"Finished {every}{counted(epochs, 'epoch')}. {_best(best, dice)}"


def finished_early(epochs: int, best: int, dice: float | None) -> str:
    """Return the last line of a training that no longer improved."""
    ended = f"Finished after {counted(epochs, 'epoch')} by early stopping"
    return f"{ended}: validation loss no longer improved. {_best(best, dice)}"


def failed(kind: str, reason: str) -> str:
    """Return the last line of a training with an unforeseen error."""
    return f"The training failed ({kind}: {reason})."


def not_listed(reason: str) -> str:
    """Return why the segment dock and the shell do not list the model."""
    return f"The model could not be added to the list of models ({reason})."


def _best(epoch: int, dice: float | None) -> str:
    score = "" if dice is None else f" (validation Dice {dice:.2f})"
    return f"Best: epoch {epoch}{score}."
