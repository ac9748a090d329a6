"""Texts that commands print."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message

# prepare, check, split, demo
NOT_THE_DEMO_TILE = Message(
    "The file already exists and is not the demo tile.", "Choose another folder with -o."
)

# evaluate
WROTE_LABEL = "Wrote {}"
COMPARING_LABEL = "Comparing {}"


def largest_differences(tiles: tuple[str, ...]) -> str:
    """Return the tiles on which two predictions differ most."""
    return f"Largest differences in Dice: {', '.join(tiles)}."


# reproduce
PREPARING_LABEL = "Preparing"
SEGMENTING_LABEL = "Segmenting: {}"
CONTINUE_EXPERIMENT = "Run the same command again to continue."


def tile_not_used(problem: str) -> str:
    """Return why a tile of an experiment is not used."""
    return f"Not used: {problem.removesuffix('.')}."


# train
NAME_DATASET_AND_RUN = "Give a DATASET and an output folder (-o), or --resume RUN."
FOLDS_START_FROM_SCRATCH = (
    "Every fold starts from random weights. Omit --fine-tune, or name one fold."
)
PARALLEL_NEEDS_FOLDS = "It can only be used with --fold all."
FOLD_OR_ALL = "It must be a number or 'all'."
FOLDS_KEEP_EPOCHS = "The folds of a cross-validation keep their number of epochs."


def kept_when_resumed(options: tuple[str, ...]) -> str:
    """Return the refusal of options that a resumed training keeps."""
    return f"A resumed training keeps its own {', '.join(options)}."


def use_model(folder: Path) -> str:
    """Return how to segment with a trained model."""
    return f"To use the model: `napari-snow-unet segment --model {folder}`."


def resume_training(folder: Path) -> str:
    """Return how to continue a training."""
    return f"To continue: `napari-snow-unet train --resume {folder}`."
