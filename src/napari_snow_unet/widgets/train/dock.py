"""The train dock: starts a training as a separate process, and follows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QEvent, QTimer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.process import (
    TrainingProcess,
    arguments_to_resume,
    arguments_to_train,
    started_here,
)
from napari_snow_unet.unet.runs.progress import read_progress
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.at_exit import ExitWatch
from napari_snow_unet.widgets.train.bar import TrainingBar
from napari_snow_unet.widgets.train.check import DatasetCheck
from napari_snow_unet.widgets.train.curves import Curves
from napari_snow_unet.widgets.train.device import DeviceQuestion, device_of
from napari_snow_unet.widgets.train.follower import TrainingFollower
from napari_snow_unet.widgets.train.form import TrainingForm
from napari_snow_unet.widgets.train.last_run import last_training, remember, running_training
from napari_snow_unet.widgets.train.preview import PreviewLayers, has_preview
from napari_snow_unet.widgets.train.state import (
    Answer,
    End,
    TrainState,
    why_not_resume_in,
    why_not_train_in,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

_SETTLED_MS = 300


class TrainWidget(Dock):
    """Train a U-Net and watch it."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.form, self.bar, self.curves = TrainingForm(), TrainingBar(), Curves(napari_viewer)
        self.preview = PreviewLayers(napari_viewer)
        self.follower = TrainingFollower(self)
        self.check = DatasetCheck(self, self.update_state)
        self.device = DeviceQuestion(self, self.update_state)
        self.exit_watch = ExitWatch(self)
        self.state = TrainState()
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self.lay_out(self.form, self.bar, last=self.curves)
        self._connect()
        self._begin()

    def train(self) -> None:
        """Start a new training."""
        self._look_at_folder()
        folder, dataset = self.form.run_folder, self.form.dataset
        if self.state.why_not_train or folder is None or dataset is None:
            return
        folder = folder.resolve()
        model = self.form.computing.fine_tune.value
        words = arguments_to_train(dataset.resolve(), folder, self.form.options(), fine_tune=model)
        self._start(words, folder)

    def resume(self) -> None:
        """Resume the training in the folder."""
        self._look_at_folder()
        folder = self.form.run_folder
        if not self.state.why_not_resume and folder is not None:
            folder = folder.resolve()
            self._show_config(folder)
            self._start(arguments_to_resume(folder), folder)

    def show_preview(self) -> None:
        """Show the preview of the training in the folder."""
        folder = self.form.run_folder
        if folder is not None:
            self.preview.look_at(folder.resolve())

    def update_state(self) -> None:
        """Look at the choices, the folders and the training, and show what follows."""
        former, self.state = self.state, self._look()
        self.form.show_state(self.state)
        self.bar.show_state(self.state)
        self.curves.show_rows(self.follower.rows)
        if self.state.progress and not former.progress and self.state.folder is not None:
            remember(self.state.folder)

    def _look(self) -> TrainState:
        folder, follower, problem = self.form.run_folder, self.follower, ""
        running = follower.following
        if not running:
            question, problem = self.form.question()
            self.check.ask(question)
        elif follower.progress is not None and (device := device_of(follower.progress)):
            self.device.answer = Answer(device)
        return TrainState(
            has_dataset=self.form.dataset is not None,
            problem=problem,
            from_model=bool(self.form.computing.fine_tune.value),
            tiles=self.check.answer,
            folder_problem="" if running else why_not_train_in(folder),
            resume_problem="" if running else why_not_resume_in(folder),
            has_preview=has_preview(folder),
            device=self.device.answer,
            folder=follower.folder,
            running=running,
            can_be_kept=follower.process is None or follower.process.keep,
            stopping=follower.stopping,
            progress=follower.progress,
            epochs=len(follower.rows),
            end=follower.end,
        )

    def _start(self, words: list[str], folder: Path) -> None:
        """Start a process and follow it."""
        chosen = self.form.computing()
        try:
            process = TrainingProcess(
                words,
                folder,
                keep=self.bar.keep,
                device=chosen["device"],
                backend=chosen["backend"],
            )
        except OSError as error:
            reason = messages.not_started(error.strerror or str(error))
            self.follower.end_with(End("failed", reason))
            return
        self._follow(folder, process)

    def _follow(self, folder: Path, process: TrainingProcess | None) -> None:
        self.exit_watch.follow(folder, process, keep=self.bar.keep)
        self.follower.follow(folder, process)

    def _attach(self, folder: Path) -> None:
        """Follow a training that is already running."""
        process = started_here(folder)
        self.bar.keep = self.exit_watch.chosen(folder, process is None or process.keep)
        self._show_config(folder)
        self._follow(folder, process)

    def _ended(self) -> None:
        folder, end = self.follower.folder, self.follower.end
        self.exit_watch.training_ended()
        self.form.list_models()
        if folder is not None and is_run(folder):
            remember(folder)
        self.check.again()
        self.update_state()
        if end is not None and end.state == "failed":
            show_error(end.message)

    def _folder_changed(self) -> None:
        self.update_state()
        self._settled.start()

    def _look_at_folder(self) -> None:
        """Show the training in the folder; follow it if it is running."""
        self._settled.stop()
        folder = self.form.run_folder
        if not self.follower.following:
            if folder is None or not is_run(folder):
                self.follower.leave()
            elif training_process(folder) is not None:
                self._attach(folder.resolve())
            elif folder.resolve() != self.follower.folder:
                self.follower.show(folder.resolve())
        self.update_state()

    def _show_config(self, folder: Path) -> None:
        """Show the options of an earlier training, which stay as they are."""
        try:
            config = RunDirectory(folder).config()
        except InputError:
            return  # resuming reports it
        self.form.show_run(folder, config)

    def _begin(self) -> None:
        """Show a training that is running or unfinished."""
        folder = running_training() or last_training()
        self.update_state()
        if folder is None:
            return
        if training_process(folder) is not None:
            self._attach(folder)
        elif (progress := read_progress(folder)) is None or progress.state != "finished":
            self._show_config(folder)
            self._look_at_folder()

    def _ask_for_device(self) -> None:
        if not self.follower.following:
            self.device.ask(self.form.computing.backend.value, self.form.computing.device.value)

    def _connect(self) -> None:
        for button, action in (
            (self.bar.train_button, self.train),
            (self.bar.stop_button, self.follower.stop),
            (self.bar.resume_button, self.resume),
            (self.bar.preview_button, self.show_preview),
        ):
            button.clicked.connect(lambda _, action=action: action())
        self.bar.at_exit.currentIndexChanged.connect(lambda: self.exit_watch.choose(self.bar.keep))
        self.follower.changed.connect(self.update_state)
        self.follower.previewed.connect(self.preview.show)
        self.follower.ended.connect(self._ended)
        self._settled.timeout.connect(self._look_at_folder)
        self.form.places.dataset.changed.connect(self.update_state)
        self.form.places.run_folder.changed.connect(self._folder_changed)
        for folder in self.form.places:
            folder.choose_btn.changed.connect(self._look_again)  # after its dialog
        for changed in (self.form.main, self.form.more, self.form.computing.fine_tune):
            changed.changed.connect(self.update_state)
        for field in (self.form.computing.backend, self.form.computing.device):
            field.changed.connect(self._ask_for_device)
        self.follow(self._viewer.events.theme, self.curves.update_colors)

    def event(self, event: QEvent) -> bool:
        """Notice when the dock is shown, also in another window, or its window is activated."""
        if event.type() == QEvent.Type.Show:
            QTimer.singleShot(0, self._shown)
        elif event.type() == QEvent.Type.WindowActivate:
            QTimer.singleShot(0, self._look_again)
        return super().event(event)

    def _shown(self) -> None:
        window = self.window()
        self.exit_watch.watch(window.parentWidget().window() if window.parentWidget() else window)
        if not self.device.answer.text:
            self._ask_for_device()
        self._look_again()

    def _look_again(self) -> None:
        """Check whether problems with the folders have been fixed."""
        self.update_state()
        if not self.follower.following:
            self.check.again_after_problem()

    def closed(self) -> None:
        """Let the training continue when only the dock is closed."""
        if self.follower.following and self.follower.folder is not None:
            show_info(messages.continues(self.follower.folder))
        self.device.forget()
        self.exit_watch.dock_closed()
        self.follower.leave()
