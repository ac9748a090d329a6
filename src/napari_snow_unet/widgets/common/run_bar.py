"""Run, Cancel, a progress bar and a line of text at the bottom of every dock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.form import message_line, wrapped
from napari_snow_unet.widgets.common.run import Run, Steps, notify

INTERVAL_S = 0.05  # Qt redraws a bar at every change of its value, which keeps a window busy
ACTIVITY_AFTER_MS = 2000  # longer work also shows in napari's activity dock


class Bar(QProgressBar):
    """A progress bar that shows a text also while the length of the work is unknown."""

    def show_unknown(self, text: str) -> None:
        """Show a text without moving.

        Qt's bar of unknown length redraws the whole window at every step, which without a graphics
        card takes most of the processor time.
        """
        self.setRange(0, 1)
        self.setValue(0)
        self.setFormat(text)

    def show_progress(self, progress: Progress) -> None:
        """Show how much is done, or only a text if the length of the work is unknown."""
        if not progress.total:
            self.show_unknown(progress.message)
            return
        self.setRange(0, progress.total)
        self.setValue(progress.done)
        self.setFormat(progress.message)


class RunBar(QWidget):
    """Starts one `Run` at a time, shows its progress, cancels it and says how it ended."""

    failed = Signal(object)  # with the error that ended a run

    def __init__(self, on_run: Callable[[], None], text: str = "Run") -> None:
        super().__init__()
        self.run_button = QPushButton(text)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip(messages.CANCEL_TIP)
        self.progress = Bar()
        self.message = message_line()
        self.run: Run | None = None
        self._hint = self._tip = self._cancelling = ""
        self._buttons = buttons = QHBoxLayout()
        buttons.addWidget(self.run_button, 2)
        buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.progress)
        layout.addWidget(self.message)
        self.run_button.clicked.connect(lambda: on_run())
        self.cancel_button.clicked.connect(self.cancel)
        self._quiet = QTimer(self, singleShot=True)
        self._quiet.timeout.connect(self.progress.show)
        self._latest, self._shown_at = Progress(0, 0), 0.0
        self._due = QTimer(self, singleShot=True, interval=round(INTERVAL_S * 1000))
        self._due.timeout.connect(self._show_progress)
        self._show_idle()

    @property
    def running(self) -> bool:
        """Whether something is being computed."""
        return self.run is not None

    def add_button(self, button: QWidget) -> None:
        """Put another button behind Run and Cancel."""
        self._buttons.addWidget(button)

    def start(
        self,
        steps: Steps,
        *,
        title: str,
        on_done: Callable[[Any], None],
        on_progress: Callable[[Progress], None] | None = None,
        on_finished: Callable[[], None] | None = None,
        cancelled: str = messages.CANCELLED,
        cancelling: str = "Cancelling…",
        quiet_ms: int = 0,
        writes: bool = False,
    ) -> None:
        """Run a generator as `Run` does; say `cancelling` after Cancel, `cancelled` at the end."""

        def progressed(progress: Progress) -> None:
            self._latest = progress
            if time.monotonic() - self._shown_at >= INTERVAL_S:
                self._show_progress()
            elif not self._due.isActive():
                self._due.start()
            if on_progress is not None:
                on_progress(progress)

        def finished() -> None:
            self._show_end(cancelled)
            if on_finished is not None:
                on_finished()

        self.run = Run(
            self,
            steps,
            title=title,
            on_progress=progressed,
            on_done=on_done,
            on_error=self._show_error,
            on_finished=finished,
            quiet_ms=max(quiet_ms, ACTIVITY_AFTER_MS),
            writes=writes,
        )
        self._cancelling, self._shown_at = cancelling, 0.0
        if not quiet_ms:
            self.say("")
        self.run_button.setEnabled(False)
        self.cancel_button.setEnabled(True)
        self.progress.show_unknown("")
        self._quiet.start(quiet_ms)
        self.run.start()

    def cancel(self) -> None:
        """Stop the current run."""
        if self.run is not None:
            self.run.cancel()
            self._due.stop()
            self.cancel_button.setEnabled(False)
            self.say(self._cancelling)
            self.progress.setFormat(self._cancelling)

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a line of text under the bar."""
        self.message.say(text, problem=problem)

    def say_error(self, error: Exception) -> None:
        """Show an error under the bar."""
        self.say(error_in_words(error), problem=True)

    def refuse(self, error: Exception) -> None:
        """Show why an action other than a run is impossible."""
        self.say_error(error)
        notify(error)

    def set_hint(self, hint: str) -> None:
        """Disable Run and say why; an empty hint enables it."""
        previous, self._hint = self._hint, hint
        self.run_button.setToolTip(wrapped(hint or self._tip))
        if not self.running:
            self.run_button.setEnabled(not hint)
            if hint or self.message.text() == previous:
                self.say(hint)

    def set_tip(self, tip: str) -> None:
        """Set the tooltip of Run."""
        self._tip = tip
        self.run_button.setToolTip(wrapped(self._hint or tip))

    def _show_progress(self) -> None:
        self._due.stop()
        self._shown_at = time.monotonic()
        self.progress.show_progress(self._latest)

    def _show_error(self, error: Exception) -> None:
        self.say_error(error)
        self.failed.emit(error)

    def _show_end(self, cancelled: str) -> None:
        if self.run is not None and self.run.cancelled:
            self.say(cancelled)
        elif self.run is not None and self.run.too_late:
            self.say(f"{messages.TOO_LATE} {self.message.text()}")
        self.run = None
        self._show_idle()

    def _show_idle(self) -> None:
        self._quiet.stop()
        self._due.stop()
        self.progress.hide()
        self.progress.reset()
        self.cancel_button.setEnabled(False)
        self.run_button.setEnabled(not self._hint)
