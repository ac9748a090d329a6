"""Check a dataset before the training starts, in a thread: thousands of files take a while."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QObject, QTimer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.unet.runs.create import check_free
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.folder import is_run
from napari_snow_unet.unet.runs.masks import look_at_masks
from napari_snow_unet.unet.runs.progress import read_progress
from napari_snow_unet.unet.training.crops import require_equal_sizes
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.run import Run
from napari_snow_unet.widgets.train import messages

_SETTLED_MS = 300


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
    """The result of a check: notes, which may contain a doubt, or a problem."""

    notes: str = ""
    problem: str = ""
    doubtful: bool = False


class DatasetCheck(QObject):
    """Checks one dataset at a time, the latest one, and calls back with the answer."""

    def __init__(self, parent: QObject, on_answer: Callable[[], None]) -> None:
        super().__init__(parent)
        self.question: Question | None = None
        self.answer: Answer | None = None
        self._on_answer = on_answer
        self._run: Run | None = None
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self._start)

    def ask(self, question: Question | None) -> None:
        """Check a dataset, unless it was the last one checked."""
        if question != self.question:
            self.question, self.answer = question, None
            self._settled.start()

    def again(self) -> None:
        """Check the same dataset again, since it may have changed."""
        self.answer = None
        self._settled.start()

    def again_after_problem(self) -> None:
        """Check the same dataset again if it could not be used; its problem stays until then."""
        if self.answer is not None and self.answer.problem:
            self._settled.start()

    def _start(self) -> None:
        if self._run is not None:
            self._run.cancel()
            self._settled.start()
            return
        question = self.question
        if question is None:
            return

        def done(answer: Answer) -> None:
            if question == self.question:
                self.answer = answer
                self._on_answer()

        self._run = Run(
            self,
            lambda: _checked(question),
            title="Checking the dataset",
            on_done=done,
            on_finished=self._finished,
            quiet_ms=1000,
        )
        self._run.start()

    def _finished(self) -> None:
        self._run = None


def _checked(question: Question) -> Generator[Progress, None, Answer]:
    yield Progress(0, 0, messages.CHECKING_LABEL)
    try:
        tiles = open_training_set(
            question.dataset,
            seed=question.seed,
            fold=question.fold,
            masks_are=question.masks_are,
        )
        if question.whole_tiles:
            require_equal_sizes(tiles.train)
        notes, doubt = look_at_masks(tiles)
    except InputError as error:
        return Answer(problem=error_in_words(error))
    texts = filter(None, [doubt, *tiles.notes, *notes])
    return Answer(notes=" ".join(texts), doubtful=bool(doubt))


def why_not_train_in(folder: Path | None) -> str:
    """Return why no training can start in a folder; empty if it can."""
    if folder is None:
        return messages.CHOOSE_RUN_FOLDER
    try:
        check_free(folder)
    except InputError as error:
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
