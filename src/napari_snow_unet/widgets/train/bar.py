"""The buttons of a training, what happens at napari's exit, and its progress in words."""

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

TIPS = {
    "train": "Start a new training in the training folder, as a program of its own.",
    "stop": "End the training after its batch. All finished epochs are kept; Resume goes on.",
    "resume": "Go on with the training in the training folder after its last finished epoch.",
    "preview": "Go to the validation tile that the training looks at after every epoch: image, "
    "truth and prediction, side by side. Layers of it that were removed come back.",
}
NO_PREVIEW = "There is a preview once a training with validation tiles has finished an epoch."
AT_EXIT_TIP = (
    "What becomes of a training when napari is closed. Stopped: it ends within 5 seconds, all "
    "finished epochs are kept, and Resume goes on. Kept: it goes on without napari, and this dock "
    "follows it again when napari is opened. A training that was started to be stopped cannot be "
    "kept any more."
)


class TrainingBar(QWidget):
    """The foot of the train dock."""

    train_clicked, stop_clicked, resume_clicked = Signal(), Signal(), Signal()
    preview_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.train_button, self.stop_button = QPushButton("Train"), QPushButton("Stop")
        self.resume_button, self.preview_button = QPushButton("Resume"), QPushButton("Preview")
        self.at_exit = QComboBox()
        self.at_exit.addItem("stop training", False)
        self.at_exit.addItem("keep training", True)
        self.at_exit.setToolTip(wrapped(AT_EXIT_TIP))
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
        """Whether a training goes on when napari is closed."""
        return bool(self.at_exit.currentData())

    @keep.setter
    def keep(self, keep: bool) -> None:
        self.at_exit.setCurrentIndex(self.at_exit.findData(keep))

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a text under the bars."""
        self._hint = ""
        self.message.setText(text)
        self.message.setStyleSheet(PROBLEM_STYLE if problem else "")

    def allow(self, why_not_train: str, why_not_resume: str) -> None:
        """Allow Train and Resume, or say why not."""
        self.train_button.setEnabled(not why_not_train)
        self.train_button.setToolTip(wrapped(why_not_train or TIPS["train"]))
        self.resume_button.setEnabled(not why_not_resume)
        self.resume_button.setToolTip(wrapped(why_not_resume or TIPS["resume"]))
        hint = why_not_train if why_not_resume else ""
        if self.message.text() == self._hint:
            self.say(hint)
            self._hint = hint

    def allow_preview(self, *, there: bool) -> None:
        """Allow Preview where there is one."""
        self.preview_button.setEnabled(there)
        self.preview_button.setToolTip(wrapped(TIPS["preview"] if there else NO_PREVIEW))

    def show_busy(self, text: str) -> None:
        """Show that a training runs of which nothing else is known yet."""
        for button in (self.train_button, self.resume_button):
            button.setEnabled(False)
            button.setToolTip("A training runs. Stop it, or choose another training folder later.")
        self.stop_button.setEnabled(True)
        self.stop_button.setToolTip(TIPS["stop"])
        for bar in (self.epochs, self.batches):
            bar.show_unknown("")
            bar.show()
        self.say(text)

    def show_progress(self, progress: TrainingProgress) -> None:
        """Show where a training is."""
        if progress.epochs:
            self.epochs.setRange(0, progress.epochs)
            self.epochs.setValue(max(self.epochs.value(), progress.epoch - 1, 0))
            self.epochs.setFormat(f"epoch {max(progress.epoch, 1)} of {progress.epochs}")
        if progress.batches:
            self.batches.setRange(0, progress.batches)
            self.batches.setValue(progress.batch)
            told = [f"batch {progress.batch} of {progress.batches}", progress.message]
            self.batches.setFormat(", ".join(filter(None, told)))

    def show_epochs(self, done: int) -> None:
        """Show how many epochs are finished."""
        self.epochs.setMaximum(max(self.epochs.maximum(), done))
        self.epochs.setValue(done)

    def show_stopping(self) -> None:
        """Show that the training will end."""
        self.stop_button.setEnabled(False)
        self.say("Stopping after the batch…")

    def show_idle(self) -> None:
        """Show that no training runs."""
        self.stop_button.setEnabled(False)
        self.stop_button.setToolTip("No training runs.")
        for bar in (self.epochs, self.batches):
            bar.hide()
            bar.reset()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        shown = self.train_button, self.stop_button, self.resume_button, self.preview_button
        for button in shown:
            buttons.addWidget(button)
        exit_row = QHBoxLayout()
        label = QLabel("When napari closes:")
        label.setToolTip(wrapped(AT_EXIT_TIP))
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
    """Say how long a training will go on, and how long the whole of it takes."""
    left = progress.seconds_left
    if left is None or not progress.epochs or not progress.batches:
        return "The time it takes will be known after the first batches."
    done = (max(progress.epoch, 1) - 1 + progress.batch / progress.batches) / progress.epochs
    if done >= 1:
        return "Nearly done."
    return f"About {duration_in_words(left)} left of {duration_in_words(left / (1 - done))}."


def duration_in_words(seconds: float) -> str:
    """Return a duration as a person would say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 10 else f"{hours} h"
