"""Stop or keep a training when napari is closed.

- The choice made last in a dock counts.
- napari is closed when its program exits, when the window with the dock is closed, or when that
  window is destroyed with the dock in it, whichever comes first.
- Closing only the dock stops nothing. The choice stays valid for the exit of the program, and for
  the next dock that follows the training.
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
    """A running training, and whether it should continue without napari."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: TrainingProcess | None = None  # if it was started here
        self.keep = True
        QApplication.instance().aboutToQuit.connect(self.napari_closes)

    def napari_closes(self) -> None:
        """Stop the training, unless it should be kept."""
        if self.forget() and not self.keep:
            self._stop()

    def forget(self) -> bool:
        """Stop watching for the end of napari; tell whether it was watched."""
        if _running.get(self.folder) is not self:
            return False
        del _running[self.folder]
        return True

    def _stop(self) -> None:
        if self.process is not None and self.process.exit_code() is not None:
            return  # another process may train in its folder now
        trains = is_run(self.folder) and training_process(self.folder) is not None
        if trains:
            request_stop(self.folder)
        # A request is enough for a process that trains, unless it must not outlive napari.
        if self.process is not None and not (trains and self.process.keep):
            self.process.end()


# Kept here while the training runs, since Qt holds methods weakly and docks are closed.
_running: dict[Path, RunningTraining] = {}


@dataclass
class _Dock:
    """State of a dock that outlives its Qt object."""

    follows: RunningTraining | None = None
    closed: bool = False


def _dock_destroyed(dock: _Dock, gone: QObject | None = None) -> None:
    """Treat a dock destroyed without being closed as the end of napari, with its window."""
    if dock.follows is not None and not dock.closed:
        dock.follows.napari_closes()


class ExitWatch(QObject):
    """Watches for a dock whether napari is closed, and informs the training it follows."""

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = _Dock()
        self._window: Callable[[], QWidget | None] = lambda: None
        dock.destroyed.connect(partial(_dock_destroyed, self._dock))

    def follow(self, folder: Path, process: TrainingProcess | None, *, keep: bool) -> None:
        """Follow a training, whose process was started here or elsewhere."""
        training = _running.get(folder) or RunningTraining(folder)
        training.process, training.keep = process, keep
        _running[folder] = training
        self._dock.follows, self._dock.closed = training, False

    def choose(self, keep: bool) -> None:
        """Choose whether the training continues without napari."""
        if self._dock.follows is not None:
            self._dock.follows.keep = keep

    def chosen(self, folder: Path, otherwise: bool) -> bool:
        """Return the choice of an earlier dock for a training that still runs."""
        return _running[folder].keep if folder in _running else otherwise

    def training_ended(self) -> None:
        """Forget a training that has ended."""
        if self._dock.follows is not None:
            self._dock.follows.forget()
            self._dock.follows = None

    def dock_closed(self) -> None:
        """Note that only the dock was closed, not napari."""
        self._dock.closed = True

    def watch(self, window: QWidget) -> None:
        """Watch for the closing of this window, not for its question before."""
        if window is not self._window():
            self._window = ref(window)  # which does not keep it once napari lets go of it
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Notice that a window is closed."""
        if event.type() == QEvent.Type.Close and watched is self._window():
            QTimer.singleShot(0, self._window_closes)
        return super().eventFilter(watched, event)

    def _window_closes(self) -> None:
        window, training = self._window(), self._dock.follows
        if window is not None and not window.isVisible() and training is not None:
            training.napari_closes()
