"""The buttons of a training, the choice for napari's exit, and progress."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_snow_unet.widgets.common.form import allow, message_line, wrapped
from napari_snow_unet.widgets.common.run_bar import Bar
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.state import TrainState


class TrainingBar(QWidget):
    """The foot of the train dock."""

    def __init__(self) -> None:
        super().__init__()
        self.train_button, self.stop_button = QPushButton("Train"), QPushButton("Stop")
        self.resume_button, self.preview_button = QPushButton("Resume"), QPushButton("Preview")
        self.at_exit = QComboBox()
        self.at_exit.addItem(messages.STOP_AT_EXIT_LABEL, False)
        self.at_exit.addItem(messages.KEEP_AT_EXIT_LABEL, True)
        self.at_exit.setToolTip(wrapped(messages.AT_EXIT))
        self.epochs, self.batches = Bar(), Bar()
        self.message = message_line()
        self._lay_out()

    @property
    def keep(self) -> bool:
        """Whether a training continues when napari is closed."""
        return bool(self.at_exit.currentData())

    @keep.setter
    def keep(self, keep: bool) -> None:
        self.at_exit.setCurrentIndex(self.at_exit.findData(keep))

    def show_state(self, state: TrainState) -> None:
        """Show what can be done, and the progress of a training or how it ended."""
        allow(self.train_button, state.why_not_train, messages.TRAIN)
        allow(self.stop_button, state.why_not_stop, messages.STOP)
        allow(self.resume_button, state.why_not_resume, messages.RESUME)
        allow(self.preview_button, state.why_not_preview, messages.PREVIEW)
        self.at_exit.setEnabled(state.can_be_kept)
        for bar, progress in ((self.epochs, state.of_epochs), (self.batches, state.of_batches)):
            bar.setVisible(state.running)
            if state.running:
                bar.show_progress(progress)
        self.message.say(state.message, problem=state.failed)

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
