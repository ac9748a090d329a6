"""Look at a dataset before anything starts, in a thread: thousands of files take a while."""

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

_SETTLED_MS = 300


@dataclass(frozen=True)
class Question:
    """A dataset and what of the options decides whether it can be used."""

    dataset: Path
    seed: int
    fold: int | None
    whole_tiles: bool
    masks_are: MasksAre | None = None


@dataclass(frozen=True)
class Answer:
    """What was found: notes, which may be doubtful, or a problem."""

    notes: str = ""
    problem: str = ""
    doubtful: bool = False


class DatasetCheck(QObject):
    """Checks one dataset at a time, the one asked for last, and tells when there is an answer."""

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
        """Check a dataset, unless that is what was asked last."""
        if question != self.question:
            self.question, self.answer = question, None
            self._settled.start()

    def again(self) -> None:
        """Check the same dataset again: it may have changed."""
        self.answer = None
        self._settled.start()

    def again_after_problem(self) -> None:
        """Check the same dataset again if it could not be used; until then it cannot."""
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
    yield Progress(0, 0, "Checking the dataset…")
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
    said = filter(None, [doubt, *tiles.notes, *notes])
    return Answer(notes=" ".join(said), doubtful=bool(doubt))


def why_not_begin_in(folder: Path | None) -> str:
    """Say why no training can begin in a folder; empty if it can."""
    if folder is None:
        return "Choose a training folder."
    try:
        check_free(folder)
    except InputError as error:
        return error_in_words(error)
    except OSError as error:
        return f"The training folder cannot be used ({error})."
    return ""


def why_not_resume_in(folder: Path | None) -> str:
    """Say why there is nothing to resume in a folder; empty if there is."""
    if folder is None or not is_run(folder):
        return "There is no training in the training folder yet."
    progress = read_progress(folder)
    if progress is not None and progress.state == "finished":
        return "The training in this folder has finished."
    return ""
