"""What becomes of a training when its dock or napari is closed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication, QWidget

from napari_snow_unet.unet.runs.folder import is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.process import TrainingProcess
from napari_snow_unet.unet.runs.progress import request_stop


class Fate:
    """A training that runs, and whether it goes on without napari."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: TrainingProcess | None = None
        self.keep = True
        self.docks: set[object] = set()
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.decide)

    def decide(self) -> None:
        """Napari is closed: end the training, or let it go on."""
        if _fates.get(self.folder) is not self:
            return
        del _fates[self.folder]
        if self.keep or self._has_ended():
            return
        trains = is_run(self.folder) and training_process(self.folder) is not None
        if trains:
            request_stop(self.folder)
        if self.process is not None and (not self.process.keep or not trains):
            self.process.end()

    def _has_ended(self) -> bool:
        """Tell whether a process of ours has ended; another may train in its folder by now."""
        return self.process is not None and self.process.exit_code() is not None


# Kept here, for as long as the training runs: Qt holds methods weakly, and docks are closed.
_fates: dict[Path, Fate] = {}


def _dock_destroyed(dock: object, gone: QObject | None = None) -> None:
    """Decide about what a dock follows that nobody has closed: the window has gone with it."""
    for fate in list(_fates.values()):
        if dock in fate.docks:
            fate.decide()


class EndWithNapari(QObject):
    """Notices when the window of a dock is closed, or the program ends.

    Closing the dock alone ends no training.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._fate: Fate | None = None
        self._window: Callable[[], QWidget | None] = lambda: None
        self._dock = object()  # outlives the dock
        dock.destroyed.connect(partial(_dock_destroyed, self._dock))

    def chosen(self, folder: Path, otherwise: bool) -> bool:
        """Return whether a training shall go on without napari, as an earlier dock had it."""
        return _fates[folder].keep if folder in _fates else otherwise

    def follow(self, folder: Path, process: TrainingProcess | None, *, keep: bool) -> None:
        """Take care of a training."""
        self._leave()
        self._fate = _fates[folder] = _fates.get(folder) or Fate(folder)
        self._fate.process, self._fate.keep = process, keep
        self._fate.docks.add(self._dock)

    def choose(self, keep: bool) -> None:
        """Let the training go on without napari, or not."""
        if self._fate is not None:
            self._fate.keep = keep

    def forget(self) -> None:
        """Leave a training alone that has ended."""
        if self._fate is not None and _fates.get(self._fate.folder) is self._fate:
            del _fates[self._fate.folder]
        self._leave()

    def dock_closed(self) -> None:
        """Decide nothing before the program ends, or the window is closed at the same time."""
        if self._fate is not None:
            self._fate.docks.discard(self._dock)

    def _leave(self) -> None:
        if self._fate is not None:
            self._fate.docks.discard(self._dock)
            self._fate = None

    def watch(self, window: QWidget) -> None:
        """Notice when this window is closed, not when it asks whether to."""
        if window is not self._window():
            self._window = ref(window)  # which does not keep it once napari lets go of it
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """See a window being closed."""
        if event.type() == QEvent.Type.Close and watched is self._window():
            QTimer.singleShot(0, self._decide_if_closed)
        return super().eventFilter(watched, event)

    def _decide_if_closed(self) -> None:
        window = self._window()
        if window is not None and not window.isVisible() and self._fate is not None:
            self._fate.decide()
