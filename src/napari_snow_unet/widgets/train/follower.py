"""Follow a training by its folder, whoever started it, until it ends."""

from __future__ import annotations

import time
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs.folder import HISTORY, Row, RunDirectory, is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.process import TrainingProcess
from napari_snow_unet.unet.runs.progress import (
    ENDED,
    TrainingProgress,
    read_progress,
    request_stop,
)
from napari_snow_unet.unet.training.preview import FOLDER as PREVIEW
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.state import End

EVERY_MS = 250
PREVIEW_IMAGE = f"{PREVIEW}/prediction.png"


class TrainingFollower(QObject):
    """Reads the folder of a running training four times a second."""

    changed = Signal()  # any of the public attributes
    previewed = Signal(object)  # the folder of a running training, with a new preview
    ended = Signal()  # once

    folder: Path | None
    process: TrainingProcess | None
    progress: TrainingProgress | None  # the last one before the end
    end: End | None
    rows: list[Row]  # of the history
    stopping: bool

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._seen: tuple[tuple[int, int] | None, ...] = ()  # what was read of the folder
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.read_news)
        self._forget()

    @property
    def following(self) -> bool:
        """Whether a training is running."""
        return self._timer.isActive()

    def follow(self, folder: Path, process: TrainingProcess | None) -> None:
        """Follow a training; a process started here has yet to create the folder."""
        self.show(folder)
        self.process, self._started = process, time.time()
        self._timer.start()
        self.changed.emit()

    def show(self, folder: Path) -> None:
        """Read the epochs in the folder of a training, which may have ended."""
        self.leave()
        self.folder = folder
        self._look_for_epochs()
        self.changed.emit()

    def leave(self) -> None:
        """Stop following; the training continues."""
        self._timer.stop()
        self._forget()

    def stop(self) -> None:
        """Stop the training after the current batch, or as soon as it has started."""
        self.stopping = True
        self.changed.emit()
        if self.process is not None and not self._locked():
            self.process.end()
        self.read_news()

    def read_news(self) -> None:
        """Emit what is new in the folder."""
        if self.folder is None or not self.following:
            return
        code = self.process.exit_code() if self.process is not None else None
        lives = code is None if self.process is not None else self._locked()
        if self.stopping and lives and self._locked():
            request_stop(self.folder)
        progress = self._progress()
        new = self._look_for_epochs()
        if progress is not None and progress.state not in ENDED and progress != self.progress:
            self.progress, new = progress, True
        if new:
            self.changed.emit()
        if not lives and self.following:  # else it ended while the preview was shown
            errors = self.process.error() if self.process is not None else ""
            self.end_with(_how_it_ended(code, progress, errors, stop_wanted=self.stopping))

    def end_with(self, end: End) -> None:
        """Stop following a training that has ended, or could not be started."""
        self._timer.stop()
        self.process, self.end = None, end
        self.ended.emit()

    def _locked(self) -> bool:
        folder = self.folder
        return folder is not None and is_run(folder) and training_process(folder) is not None

    def _progress(self) -> TrainingProgress | None:
        """Return the progress unless it is that of an earlier process."""
        progress = read_progress(self.folder) if self.folder is not None else None
        old = self.process is not None and progress is not None and progress.updated < self._started
        return None if old else progress

    def _look_for_epochs(self) -> bool:
        """Read the history and emit the preview if they are new; tell whether one is."""
        assert self.folder is not None
        seen = self._seen
        self._seen = tuple(_stamp(self.folder / name) for name in (HISTORY, PREVIEW_IMAGE))
        if self._seen[0] not in (None, seen[0]):
            try:
                self.rows = RunDirectory(self.folder).history()
            except InputError:  # it is being replaced
                self._seen = seen
                return False
        if self._seen[1] not in (None, seen[1]) and self.following:
            self.previewed.emit(self.folder)
        return self._seen != seen

    def _forget(self) -> None:
        self.folder = self.process = self.progress = self.end = None
        self.rows, self.stopping, self._started = [], False, 0.0
        self._seen = (None, None)


def _how_it_ended(
    code: int | None, progress: TrainingProgress | None, errors: str, *, stop_wanted: bool
) -> End:
    """Return how a training ended: by its own progress file, else by its process."""
    last = progress if progress is not None and progress.state in ENDED else None
    if last is not None and (last.state == "failed" or not code):
        return End(last.state, last.message)
    if code is not None and code > 0:
        return End("failed", errors or run_messages.process_failed(code))
    if code == 0 or (stop_wanted and last is None):
        return End("stopped", messages.STOPPED_BEFORE_START)
    return End("failed", messages.killed(-code if code else None))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
