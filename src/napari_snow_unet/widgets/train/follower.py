"""Follow a training by its folder, whoever started it, until it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs.folder import HISTORY, Row, RunDirectory, is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.process import TrainingProcess
from napari_snow_unet.unet.runs.progress import (
    ENDED,
    State,
    TrainingProgress,
    read_progress,
    request_stop,
)
from napari_snow_unet.unet.training.preview import FOLDER as PREVIEW
from napari_snow_unet.widgets.train import messages

EVERY_MS = 250
PREVIEW_IMAGE = f"{PREVIEW}/prediction.png"


@dataclass(frozen=True)
class End:
    """How a training ended."""

    state: State  # "finished", "stopped" or "failed"
    message: str


class TrainingFollower(QObject):
    """Reads the folder of a running training four times a second."""

    progressed = Signal(object)  # the new `TrainingProgress`
    epochs_done = Signal(list)  # the whole history, with new epochs
    previewed = Signal(object)  # the folder, with a new preview
    ended = Signal(object)  # an `End`, once

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.folder: Path | None = None
        self.process: TrainingProcess | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.read_news)
        self._started, self._stop_wanted = 0.0, False
        self._progress_seen: TrainingProgress | None = None
        self._history_seen: tuple[int, int] | None = None
        self._preview_seen: tuple[int, int] | None = None

    @property
    def following(self) -> bool:
        """Whether a training is running."""
        return self._timer.isActive()

    def follow(self, folder: Path, process: TrainingProcess | None) -> None:
        """Follow a training; a process started here has yet to create the folder."""
        self.show(folder)
        self.process, self._started = process, time.time()
        self._timer.start(EVERY_MS)

    def show(self, folder: Path) -> None:
        """Emit the epochs in the folder of a training, which may have ended."""
        self.leave()
        self.folder = folder
        self._look_for_epochs()

    def leave(self) -> None:
        """Stop following; the training continues."""
        self._timer.stop()
        self._forget()

    def stop(self) -> None:
        """Stop the training after the current batch, or as soon as it has started."""
        self._stop_wanted = True
        if self.process is not None and not self._locked():
            self.process.end()
        self.read_news()

    def read_news(self) -> None:
        """Emit what is new in the folder."""
        if self.folder is None or not self.following:
            return
        code = self.process.exit_code() if self.process is not None else None
        lives = code is None if self.process is not None else self._locked()
        if self._stop_wanted and lives and self._locked():
            request_stop(self.folder)
        progress = self._progress()
        self._look_for_epochs()
        if not lives:
            self._end(code, progress)
        elif progress is not None and progress != self._progress_seen:
            self._progress_seen = progress
            if progress.state not in ENDED:
                self.progressed.emit(progress)

    def _locked(self) -> bool:
        folder = self.folder
        return folder is not None and is_run(folder) and training_process(folder) is not None

    def _progress(self) -> TrainingProgress | None:
        """Return the progress unless it is that of an earlier process."""
        progress = read_progress(self.folder) if self.folder is not None else None
        old = self.process is not None and progress is not None and progress.updated < self._started
        return None if old else progress

    def _look_for_epochs(self) -> None:
        if self.folder is None:
            return
        changed = _stamp(self.folder / HISTORY)
        if changed is not None and changed != self._history_seen:
            try:
                rows: list[Row] = RunDirectory(self.folder).history()
            except InputError:
                return  # it is being replaced
            self._history_seen = changed
            self.epochs_done.emit(rows)
        changed = _stamp(self.folder / PREVIEW_IMAGE)
        if changed is not None and changed != self._preview_seen:
            self._preview_seen = changed
            self.previewed.emit(self.folder)

    def _end(self, code: int | None, progress: TrainingProgress | None) -> None:
        self._timer.stop()
        errors = self.process.error() if self.process is not None else ""
        self.process = None
        self.ended.emit(_how_it_ended(code, progress, errors, stop_wanted=self._stop_wanted))

    def _forget(self) -> None:
        self.folder = self.process = None
        self._started, self._stop_wanted = 0.0, False
        self._progress_seen = self._history_seen = self._preview_seen = None


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
