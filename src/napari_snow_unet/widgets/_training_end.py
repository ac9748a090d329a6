"""What becomes of a training when its dock or napari is closed."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication, QWidget

from napari_snow_unet.unet.child_process import TrainingProcess
from napari_snow_unet.unet.run_directory import is_run
from napari_snow_unet.unet.run_lock import training_process
from napari_snow_unet.unet.run_progress import request_stop


class Fate:
    """A training that runs, and whether it goes on without napari.

    Attributes
    ----------
    keep : bool
        It does.
    dock_closed : bool
        Only the end of the program counts from now on.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.process: TrainingProcess | None = None
        self.keep, self.dock_closed = True, False

    def dock_destroyed(self) -> None:
        """Decide, if the window has gone with the dock."""
        if not self.dock_closed:
            self.decide()

    def decide(self) -> None:
        """Napari is closed: end the training, or let it go on."""
        folder, process, self.folder, self.process = self.folder, self.process, None, None
        if folder is None or self.keep:
            return
        if is_run(folder) and training_process(folder) is not None:
            request_stop(folder)
        if process is not None and (not process.keep or not is_run(folder)):
            process.end()


class EndWithNapari(QObject):
    """Notices when the window of a dock is closed, or the program ends.

    Closing the dock alone ends no training.

    Parameters
    ----------
    dock : QWidget
        The dock.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._fate = Fate()  # outlives the dock
        self._window: QWidget | None = None
        dock.destroyed.connect(self._fate.dock_destroyed)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._fate.decide)

    def follow(self, folder: Path, process: TrainingProcess | None, *, keep: bool) -> None:
        """Take care of a training."""
        self._fate.folder, self._fate.process, self._fate.keep = folder, process, keep

    def choose(self, keep: bool) -> None:
        """Let the training go on without napari, or not."""
        self._fate.keep = keep

    def forget(self) -> None:
        """Leave the training alone."""
        self._fate.folder = self._fate.process = None

    def dock_closed(self) -> None:
        """Decide nothing before the program ends."""
        self._fate.dock_closed = True

    def watch(self, window: QWidget) -> None:
        """Notice when this window is closed, not when it asks whether to."""
        if window is not self._window:
            self._window = window
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """See a window being closed."""
        if event.type() == QEvent.Type.Close and watched is self._window:
            QTimer.singleShot(0, self._decide_if_closed)
        return super().eventFilter(watched, event)

    def _decide_if_closed(self) -> None:
        if self._window is not None and not self._window.isVisible():
            self._fate.decide()
