"""Texts that commands print."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

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


# segment
SEGMENT_STOPPED = (
    "Stopped. Finished images are kept; to continue, repeat the command with --resume."
)
OVERWRITE_OR_RESUME = "Use either --overwrite (start again) or --resume (continue)."
DEVICE_OF_WORKERS = "With --scheduler the workers compute, so --device cannot be used."
TWO_AREAS = "Use either --min-area (in pixels) or --min-area-um2 (in µm²)."
SKIPPED_FILES_LABEL = "Skipped (not images)"
SKIPPED_FOLDERS_LABEL = "Skipped (folders)"
FAILED_LABEL = "Failed"


def segmented(done: int, total: int, folder: Path, before: int) -> str:
    """Return how many images of a run have results, and how many of these an earlier run made."""
    earlier = f" ({before:,} of them in an earlier run)" if before else ""
    return f"Segmented {done:,} of {counted(total, 'image')} to {folder}{earlier}."


def continued_label(path: Path) -> str:
    """Return what comes before the options of an interrupted run."""
    return f"Continuing with the options in {path}"


def renamed_entry(path: Path, old: str, new: str) -> str:
    """Return the hint that an entry of a file has another name since 0.1."""
    return f"The entry {old!r} in {path} is now called {new!r}."


def renamed_value(flag: str, old: str, new: str) -> str:
    """Return the hint that a value of a flag has another name since 0.1."""
    return f"The value {old} of {flag} is now called {new}."


def not_one_of(value: str, choices: tuple[str, ...]) -> str:
    """Return the refusal of a value that is none of the choices."""
    return f"{value!r} is not one of {', '.join(choices)}."


# models
DEFAULT_LABEL = "(default)"
UNUSABLE_LABEL = "Cannot be used"
UNKNOWN_LABEL = "unknown"
ANY_LABEL = "any"
UNKNOWN_TRAINING_DATA = "The training data are unknown."


def own_models(folder: Path, variable: str) -> str:
    """Return where the models of the user are."""
    return f"Your own models are in {folder} (set {variable} to change this)."


# export
EXPORT_SUFFIX = "The file name must end in .zip or .onnx."


def exported(path: Path, size: int) -> str:
    """Return what was exported; the size is in bytes."""
    return f"Wrote {path} ({size / 1e6:.1f} MB)."
