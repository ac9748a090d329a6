"""The buttons of a training, the choice for napari's exit, and progress."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_snow_unet.unet.runs.progress import TrainingProgress
from napari_snow_unet.widgets.common.form import PROBLEM_STYLE, wrapped
from napari_snow_unet.widgets.common.run_bar import Bar
from napari_snow_unet.widgets.train import messages


class TrainingBar(QWidget):
    """The foot of the train dock."""

    train_clicked, stop_clicked, resume_clicked = Signal(), Signal(), Signal()
    preview_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.train_button, self.stop_button = QPushButton("Train"), QPushButton("Stop")
        self.resume_button, self.preview_button = QPushButton("Resume"), QPushButton("Preview")
        self.at_exit = QComboBox()
        self.at_exit.addItem(messages.STOP_AT_EXIT_LABEL, False)
        self.at_exit.addItem(messages.KEEP_AT_EXIT_LABEL, True)
        self.at_exit.setToolTip(wrapped(messages.AT_EXIT))
        self.epochs, self.batches = Bar(), Bar()
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.train_button.clicked.connect(self.train_clicked)
        self.stop_button.clicked.connect(self.stop_clicked)
        self.resume_button.clicked.connect(self.resume_clicked)
        self.preview_button.clicked.connect(self.preview_clicked)
        self._hint = ""
        self._lay_out()
        self.show_idle()
        self.allow_preview(there=False)

    @property
    def keep(self) -> bool:
        """Whether a training continues when napari is closed."""
        return bool(self.at_exit.currentData())

    @keep.setter
    def keep(self, keep: bool) -> None:
        self.at_exit.setCurrentIndex(self.at_exit.findData(keep))

    def show_message(self, text: str, *, problem: bool = False) -> None:
        """Show a text under the bars."""
        self._hint = ""
        self.message.setText(text)
        self.message.setStyleSheet(PROBLEM_STYLE if problem else "")

    def allow(self, why_not_train: str, why_not_resume: str) -> None:
        """Enable Train and Resume, or show in their tooltips why not."""
        self.train_button.setEnabled(not why_not_train)
        self.train_button.setToolTip(wrapped(why_not_train or messages.TRAIN))
        self.resume_button.setEnabled(not why_not_resume)
        self.resume_button.setToolTip(wrapped(why_not_resume or messages.RESUME))
        hint = why_not_train if why_not_resume else ""
        if self.message.text() == self._hint:
            self.show_message(hint)
            self._hint = hint

    def allow_preview(self, *, there: bool) -> None:
        """Enable Preview if there is one."""
        self.preview_button.setEnabled(there)
        self.preview_button.setToolTip(wrapped(messages.PREVIEW if there else messages.NO_PREVIEW))

    def show_busy(self, text: str) -> None:
        """Show that a training runs, without progress yet."""
        for button in (self.train_button, self.resume_button):
            button.setEnabled(False)
            button.setToolTip(messages.BUSY)
        self.stop_button.setEnabled(True)
        self.stop_button.setToolTip(wrapped(messages.STOP))
        for bar in (self.epochs, self.batches):
            bar.show_unknown("")
            bar.show()
        self.show_message(text)

    def show_progress(self, progress: TrainingProgress) -> None:
        """Show the epoch and batch of a training."""
        if progress.epochs:
            self.epochs.setRange(0, progress.epochs)
            self.epochs.setValue(max(self.epochs.value(), progress.epoch - 1, 0))
            self.epochs.setFormat(f"epoch {max(progress.epoch, 1)} of {progress.epochs}")
        if progress.batches:
            self.batches.setRange(0, progress.batches)
            self.batches.setValue(progress.batch)
            texts = [f"batch {progress.batch} of {progress.batches}", progress.message]
            self.batches.setFormat(", ".join(filter(None, texts)))

    def show_epochs(self, done: int) -> None:
        """Show the number of finished epochs."""
        self.epochs.setMaximum(max(self.epochs.maximum(), done))
        self.epochs.setValue(done)

    def show_stopping(self) -> None:
        """Show that the training will end."""
        self.stop_button.setEnabled(False)
        self.show_message(messages.STOPPING_LABEL)

    def show_idle(self) -> None:
        """Show that no training runs."""
        self.stop_button.setEnabled(False)
        self.stop_button.setToolTip(messages.NOT_RUNNING)
        for bar in (self.epochs, self.batches):
            bar.hide()
            bar.reset()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        shown = self.train_button, self.stop_button, self.resume_button, self.preview_button
        for button in shown:
            buttons.addWidget(button)
        exit_row = QHBoxLayout()
        label = QLabel(messages.AT_EXIT_LABEL)
        label.setToolTip(wrapped(messages.AT_EXIT))
        exit_row.addWidget(label)
        exit_row.addWidget(self.at_exit, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(exit_row)
        layout.addLayout(buttons)
        layout.addWidget(self.epochs)
        layout.addWidget(self.batches)
        layout.addWidget(self.message)


def time_left(progress: TrainingProgress) -> str:
    """Return the time left of a training and its total time, in words."""
    left = progress.seconds_left
    if left is None or not progress.epochs or not progress.batches:
        return messages.TIME_UNKNOWN
    done = (max(progress.epoch, 1) - 1 + progress.batch / progress.batches) / progress.epochs
    if done >= 1:
        return messages.NEARLY_DONE
    return messages.time_left(duration_in_words(left), duration_in_words(left / (1 - done)))


def duration_in_words(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 10 else f"{hours} h"
