"""Texts of the train dock: tooltips, hints, progress, how a training ended."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message

# Texts while something is under way.
CHECKING_LABEL = "Checking the dataset…"
DRAWING_LABEL = "Drawing curves…"
LOOKING_FOR_GPU_LABEL = "Looking for a GPU…"
STOPPING_LABEL = "Stopping after the current batch…"
EPOCH_LABEL = "epoch {} of {}"
BATCH_LABEL = "batch {} of {}"
# Words on buttons and in fields.
AT_EXIT_LABEL = "When napari closes:"
STOP_AT_EXIT_LABEL = "stop training"
KEEP_AT_EXIT_LABEL = "keep training"
FROM_SCRATCH_LABEL = "scratch (random weights)"
NO_PATIENCE_LABEL = "off"

TRAIN = "Start a new training run in the run folder, as a separate process."
STOP = "Stop after the current batch. Finished epochs are kept; press Resume to continue."
RESUME = "Resume the training run in this folder after its last finished epoch."
PREVIEW = (
    "Show the validation tile that is predicted after every epoch: image, ground truth and "
    "prediction side by side. Restores removed layers."
)
NO_PREVIEW = "A preview is available once the run in this folder has finished an epoch."
AT_EXIT = (
    "What happens to a training run when napari closes. Stop: it ends within 5 seconds; finished "
    "epochs are kept, and Resume continues it. Keep: it continues without napari, and this dock "
    "shows it again when you reopen napari. Choose Keep before you press Train."
)
CURVES = "Scores after every epoch, on the training and the validation tiles."

BUSY = "Training is running. Stop it, or wait until it ends."
NOT_RUNNING = "Nothing is being trained."
CHOOSE_DATASET = "Choose a dataset."
DATASET_UNUSABLE = "The dataset cannot be used."
CHOOSE_RUN_FOLDER = "Choose a run folder."
MODEL_GONE = Message(
    "The model to start from no longer exists.", "Choose another one, or random weights."
)
NO_RUN = "The run folder contains no training run yet."
RUN_FINISHED = "The training run in this folder is finished."
TRAIN_AGAIN = "To train again, choose another run folder."
STOPPED_BEFORE_START = "Stopped before training started."
TIME_UNKNOWN = "The remaining time is shown after the first batches."
NEARLY_DONE = "Nearly done."


def run_folder_unusable(reason: str) -> str:
    """Return why no training can start in a folder."""
    return f"The run folder cannot be used ({reason})."


def starting(folder: Path) -> str:
    """Return where a training starts."""
    return f"Starting training. Run folder: {folder}."


def running(left: str, folder: Path) -> str:
    """Return the time left of a training and its folder."""
    return f"{left[:1].upper()}{left[1:]} Run folder: {folder}."


def ended_in(folder: Path) -> str:
    """Return where a training has ended."""
    return f"Run folder: {folder}."


def continues(folder: Path) -> str:
    """Return what happens to a training whose dock was closed."""
    return f"Training in {folder} continues. Open the dock again to follow or stop it."


def not_started(reason: str) -> str:
    """Return why the process did not start."""
    return f"Training could not be started ({reason})."


def killed(signal: int | None) -> str:
    """Return how a process ended that another program killed."""
    number = f" (signal {signal})" if signal else ""
    return (
        f"The training process was killed{number}, possibly because memory ran out. "
        "Finished epochs are kept; press Resume to continue."
    )


def device(kind: str, name: str, how: str, reason: str) -> str:
    """Return the device of a training, its backend and number format, and why it is not a GPU."""
    text = f"{kind.upper()}: {name}{f' ({how})' * bool(how)}. {reason}"
    return f"{text.rstrip('. ')}."


def time_left(left: str, total: str) -> str:
    """Return the estimated time left and that of the whole training."""
    return f"About {left} of {total} left."
