"""Check a dataset before the training starts, in a thread: thousands of files take a while."""

from __future__ import annotations

from collections.abc import Callable, Generator

from qtpy.QtCore import QObject, QTimer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.masks import look_at_masks
from napari_snow_unet.unet.training.crops import require_equal_sizes
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.run import Run
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.state import Answer, Question

_SETTLED_MS = 300


class DatasetCheck(QObject):
    """Checks one dataset at a time, the latest one, and calls back with the answer."""

    def __init__(self, parent: QObject, on_answer: Callable[[], None]) -> None:
        super().__init__(parent)
        self.question: Question | None = None
        self.answer: Answer | None = None
        self._on_answer = on_answer
        self._run: Run | None = None
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
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
        return Answer(error_in_words(error), problem=True)
    texts = filter(None, [doubt, *tiles.notes, *notes])
    return Answer(" ".join(texts), doubtful=bool(doubt))
