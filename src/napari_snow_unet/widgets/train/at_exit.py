"""What happens to a training when napari is closed.

- It goes on or is stopped, as was last chosen for it in a dock.
- napari is closed when its program ends, when the window with the dock is closed, and when that
  window is destroyed with the dock in it. The first of these counts.
- Closing the dock alone stops nothing. The choice is kept for the end of the program, and for the
  dock that follows the training next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication, QWidget

from napari_snow_unet.unet.runs.folder import is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.process import TrainingProcess
from napari_snow_unet.unet.runs.progress import request_stop


class RunningTraining:
    """A training that runs, and whether it shall go on without napari."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: TrainingProcess | None = None  # if it was started here
        self.keep = True
        QApplication.instance().aboutToQuit.connect(self.napari_closes)

    def napari_closes(self) -> None:
        """Stop the training, unless it was chosen to go on."""
        if self.forget() and not self.keep:
            self._stop()

    def forget(self) -> bool:
        """Let the end of napari no longer matter; tell whether it has mattered."""
        if _running.get(self.folder) is not self:
            return False
        del _running[self.folder]
        return True

    def _stop(self) -> None:
        if self.process is not None and self.process.exit_code() is not None:
            return  # another may train in its folder by now
        trains = is_run(self.folder) and training_process(self.folder) is not None
        if trains:
            request_stop(self.folder)
        # A request is enough for a process that trains, unless it shall not live without napari.
        if self.process is not None and not (trains and self.process.keep):
            self.process.end()


# Kept here, for as long as the training runs: Qt holds methods weakly, and docks are closed.
_running: dict[Path, RunningTraining] = {}


@dataclass
class _Dock:
    """What is known of a dock, also after Qt has destroyed it."""

    follows: RunningTraining | None = None
    closed: bool = False


def _dock_destroyed(dock: _Dock, gone: QObject | None = None) -> None:
    """Take it for the end of napari if nobody has closed the dock: the window has gone with it."""
    if dock.follows is not None and not dock.closed:
        dock.follows.napari_closes()


class ExitWatch(QObject):
    """Notices for a dock that napari is closed, and tells the training that the dock follows."""

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = _Dock()
        self._window: Callable[[], QWidget | None] = lambda: None
        dock.destroyed.connect(partial(_dock_destroyed, self._dock))

    def follow(self, folder: Path, process: TrainingProcess | None, *, keep: bool) -> None:
        """Look after a training, whose process was started here or elsewhere."""
        training = _running.get(folder) or RunningTraining(folder)
        training.process, training.keep = process, keep
        _running[folder] = training
        self._dock.follows, self._dock.closed = training, False

    def choose(self, keep: bool) -> None:
        """Let the training go on without napari, or not."""
        if self._dock.follows is not None:
            self._dock.follows.keep = keep

    def chosen(self, folder: Path, otherwise: bool) -> bool:
        """Return what an earlier dock has chosen for a training that still runs."""
        return _running[folder].keep if folder in _running else otherwise

    def training_ended(self) -> None:
        """Leave a training alone that has ended."""
        if self._dock.follows is not None:
            self._dock.follows.forget()
            self._dock.follows = None

    def dock_closed(self) -> None:
        """Take the end of the dock for no end of napari."""
        self._dock.closed = True

    def watch(self, window: QWidget) -> None:
        """Notice when this window is closed, not when it asks whether to."""
        if window is not self._window():
            self._window = ref(window)  # which does not keep it once napari lets go of it
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """See a window being closed."""
        if event.type() == QEvent.Type.Close and watched is self._window():
            QTimer.singleShot(0, self._window_closes)
        return super().eventFilter(watched, event)

    def _window_closes(self) -> None:
        window, training = self._window(), self._dock.follows
        if window is not None and not window.isVisible() and training is not None:
            training.napari_closes()
