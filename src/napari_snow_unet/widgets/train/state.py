"""What the train dock allows and shows at one moment, without a window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.unet.runs.create import check_free
from napari_snow_unet.unet.runs.folder import is_run
from napari_snow_unet.unet.runs.progress import State, TrainingProgress, read_progress
from napari_snow_unet.widgets.train import messages


@dataclass(frozen=True)
class Question:
    """A dataset, and the options that decide whether it can be used."""

    dataset: Path
    seed: int
    fold: int | None
    whole_tiles: bool
    masks_are: MasksAre | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to a question: a text, which may be a doubt or say why the answer is no."""

    text: str = ""
    doubtful: bool = False
    problem: bool = False


@dataclass(frozen=True)
class End:
    """How a training ended."""

    state: State  # "finished", "stopped" or "failed"
    message: str


@dataclass(frozen=True)
class TrainState:
    """Facts about the choices and the training, and the texts that follow."""

    has_dataset: bool = False
    problem: str = ""  # with the options or the model to start from
    from_model: bool = False  # whose architecture is kept
    tiles: Answer | None = None  # about the dataset; None while it is checked
    folder_problem: str = ""  # why no training can start in the run folder
    resume_problem: str = ""  # why none can resume there
    has_preview: bool = False
    device: Answer = Answer()
    folder: Path | None = None  # of the training that runs or is shown
    running: bool = False
    can_be_kept: bool = True
    stopping: bool = False
    progress: TrainingProgress | None = None
    epochs: int = 0  # finished ones
    end: End | None = None  # if it has ended while it was shown

    @property
    def why_not_train(self) -> str:
        """Why Train is disabled; empty if it is not."""
        if self.running:
            return messages.BUSY
        if not self.has_dataset:
            return messages.CHOOSE_DATASET
        if self.tiles is not None and self.tiles.problem:
            return messages.DATASET_UNUSABLE
        checking = messages.CHECKING_LABEL if self.tiles is None else ""
        return self.problem or self.folder_problem or checking

    @property
    def why_not_resume(self) -> str:
        """Why Resume is disabled; empty if it is not."""
        return messages.BUSY if self.running else self.resume_problem

    @property
    def why_not_stop(self) -> str:
        """Why Stop is disabled; empty if it is not."""
        if not self.running:
            return messages.NOT_RUNNING
        return messages.STOPPING_LABEL if self.stopping else ""

    @property
    def why_not_preview(self) -> str:
        """Why Preview is disabled; empty if it is not."""
        return "" if self.has_preview else messages.NO_PREVIEW

    @property
    def message(self) -> str:
        """The line under the buttons."""
        if self.running and self.folder is not None:
            if self.stopping:
                return messages.STOPPING_LABEL
            if self.progress is None:
                return messages.starting(self.folder)
            return messages.running(time_left(self.progress), self.folder)
        if self.end is None:
            return self.why_not_train if self.why_not_resume else ""
        texts = [self.end.message]
        if self.end.state != "failed" and self.epochs and self.folder is not None:
            texts.append(messages.ended_in(self.folder))
        if self.end.state == "finished":
            texts.append(messages.TRAIN_AGAIN)
        return " ".join(texts)

    @property
    def failed(self) -> bool:
        """Whether the line under the buttons is about a problem."""
        return not self.running and self.end is not None and self.end.state == "failed"

    @property
    def of_epochs(self) -> Progress:
        """The finished epochs of the training; without a total before its first progress."""
        progress = self.progress or TrainingProgress()
        done = max(self.epochs, progress.epoch - 1)
        text = messages.EPOCH_LABEL.format(max(progress.epoch, 1), progress.epochs)
        return Progress(done, progress.epochs, text if progress.epochs else "")

    @property
    def of_batches(self) -> Progress:
        """The batches of the current epoch, and what happens there."""
        progress = self.progress or TrainingProgress()
        text = messages.BATCH_LABEL.format(progress.batch, progress.batches)
        texts = [text, progress.message] if progress.batches else []
        return Progress(progress.batch, progress.batches, ", ".join(filter(None, texts)))


def why_not_train_in(folder: Path | None) -> str:
    """Return why no training can start in a folder; empty if it can."""
    if folder is None:
        return messages.CHOOSE_RUN_FOLDER
    try:
        check_free(folder)
    except InputError as error:
        from napari_snow_unet.widgets.common.fields import error_in_words

        return error_in_words(error)
    except OSError as error:
        return messages.run_folder_unusable(error.strerror or str(error))
    return ""


def why_not_resume_in(folder: Path | None) -> str:
    """Return why no training can resume in a folder; empty if it can."""
    if folder is None or not is_run(folder):
        return messages.NO_RUN
    progress = read_progress(folder)
    if progress is not None and progress.state == "finished":
        return messages.RUN_FINISHED
    return ""


def time_left(progress: TrainingProgress) -> str:
    """Return the time left of a training and its total time, in words."""
    left = progress.seconds_left
    if left is None or not progress.epochs or not progress.batches:
        return messages.TIME_UNKNOWN
    done = (max(progress.epoch, 1) - 1 + progress.batch / progress.batches) / progress.epochs
    if done >= 1:
        return messages.NEARLY_DONE
    return messages.time_left(duration_in_words(left), duration_in_words(left / (1 - done)))


def duration_in_words(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 10 else f"{hours} h"
