"""Messages of the shell."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

# all commands
STOPPED = "Stopped. Finished results are kept."
NO_MEMORY = "Error: Not enough memory. Use smaller tiles or images."


def renamed(old: str, new: str) -> str:
    """Say that an option of version 0.1 has a new name."""
    return f"The option {old} is now called {new}."


def more_rows(count: int) -> str:
    """Say how many rows of a table are not shown."""
    return f"({count:,} more.)"


def unknown_command(name: str, meant: tuple[str, ...]) -> str:
    """Say that a command does not exist, and which one was probably meant."""
    return f"There is no command {name}.{_did_you_mean(meant)}"


def unknown_option(name: str, meant: tuple[str, ...]) -> str:
    """Say that an option does not exist, and which one was probably meant."""
    return f"There is no option {name}.{_did_you_mean(meant)}"


def _did_you_mean(meant: tuple[str, ...]) -> str:
    return f" Did you mean {' or '.join(meant)}?" if meant else ""


def must_be(form: str) -> str:
    """Say what the value of an option must be."""
    return f"It must be {form}."


def disk_failed(path: Path | None, reason: str) -> str:
    """Say which file could not be read or written, with the reason of the system."""
    return f"Error: {path or 'A file'}: {reason}."


# prepare, check, split, demo
NOT_THE_DEMO_TILE = Message(
    "The file already exists and is not the demo tile.", "Choose another folder with -o."
)
NO_DISPLAY = "There is no display, so napari was not opened."
NO_QT = 'There is no Qt for napari. Install it with `pip install "napari-snow-unet[all]"`.'
PREPARING_LABEL = "Preparing"
CHECKING_LABEL = "Checking"
RUN_AGAIN = "Run the same command again to continue."


def preparing_stopped(done: int, total: int) -> str:
    """Report how many tiles were prepared before Ctrl-C."""
    of = f"{done:,} of " if total > done else ""
    return f"Stopped after {of}{counted(max(done, total), 'tile')}. {RUN_AGAIN}"


def not_used(problem: str) -> str:
    """Report a source that could not be used."""
    return f"Not used: {problem.removesuffix('.')}."


def more_problems(count: int, table: Path) -> str:
    """Report the number of problems that are not printed."""
    return f"{count:,} more: see {table}."


def demo_nuclei(segmented: int, truth: int) -> str:
    """Compare the number of nuclei with the ground truth."""
    return f"{segmented:,} segmented, {truth:,} in the ground truth."


# evaluate
WROTE_LABEL = "Wrote {}"
COMPARING_LABEL = "Comparing {}"


def largest_differences(tiles: tuple[str, ...]) -> str:
    """Return the tiles on which two predictions differ most."""
    return f"Largest differences in Dice: {', '.join(tiles)}."


# reproduce
SEGMENTING_LABEL = "Segmenting: {}"


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
