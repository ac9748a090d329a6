"""The train dock: starts a training as a separate process, and follows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from napari_snow_unet.unet.runs.progress import TrainingProgress, read_progress
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.at_exit import ExitWatch
from napari_snow_unet.widgets.train.bar import TrainingBar, time_left
from napari_snow_unet.widgets.train.check import (
    DatasetCheck,
    Question,
    why_not_resume_in,
    why_not_train_in,
)
from napari_snow_unet.widgets.train.curves import Curves
from napari_snow_unet.widgets.train.device import DeviceQuestion, device_of
from napari_snow_unet.widgets.train.follower import End, TrainingFollower
from napari_snow_unet.widgets.train.form import TrainingForm
from napari_snow_unet.widgets.train.last_run import last_training, remember, running_training
from napari_snow_unet.widgets.train.preview import PreviewLayers, has_preview

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
        self.check = DatasetCheck(self, self.update_hint)
        self.device = DeviceQuestion(self, self.form.show_device)
        self.exit_watch = ExitWatch(self)
        self._remembered: Path | None = None
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self.lay_out(self.form, self.bar, last=self.curves)
        self._connect()
        self._begin()

    def train(self) -> None:
        """Start a new training."""
        self._look_at_folder()
        self.update_hint()
        folder, dataset = self.form.run_folder, self.form.dataset
        if not self.bar.train_button.isEnabled() or folder is None or dataset is None:
            return
        folder = folder.resolve()
        model = self.form.computing.fine_tune.value
        words = arguments_to_train(dataset.resolve(), folder, self.form.options(), fine_tune=model)
        self._start(words, folder)

    def resume(self) -> None:
        """Resume the training in the folder."""
        self._look_at_folder()
        self.update_hint()
        folder = self.form.run_folder
        if self.bar.resume_button.isEnabled() and folder is not None:
            folder = folder.resolve()
            self._show_config(folder)
            self._start(arguments_to_resume(folder), folder)

    def show_preview(self) -> None:
        """Show the preview of the training in the folder."""
        folder = self.form.run_folder
        if folder is not None:
            self.preview.look_at(folder.resolve())

    def stop(self) -> None:
        """Stop the training after the current batch."""
        self.bar.show_stopping()
        self.follower.stop()

    def update_hint(self) -> None:
        """Enable Train, Resume and Preview, or show why not."""
        self.bar.allow_preview(there=has_preview(self.form.run_folder))
        if self.follower.following:
            return
        question, options_problem = self._question()
        self.check.ask(question)
        answer = self.check.answer
        self.form.show_tiles(
            (answer.problem or answer.notes) if answer else "",
            problem=bool(answer and (answer.problem or answer.doubtful)),
        )
        problem = options_problem or why_not_train_in(self.form.run_folder)
        if self.form.dataset is None:
            problem = messages.CHOOSE_DATASET
        elif answer is not None and answer.problem:
            problem = messages.DATASET_UNUSABLE
        elif answer is None:
            problem = problem or messages.CHECKING_LABEL
        self.bar.allow(problem, why_not_resume_in(self.form.run_folder))

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
            self._ended(End("failed", messages.not_started(error.strerror or str(error))))
            return
        self._follow(folder, process)

    def _follow(self, folder: Path, process: TrainingProcess | None) -> None:
        self.curves.show_rows([])
        self.follower.follow(folder, process)
        self.form.setEnabled(False)
        self.bar.show_busy(messages.starting(folder))
        self.bar.at_exit.setEnabled(process is None or process.keep)
        self.exit_watch.follow(folder, process, keep=self.bar.keep)

    def _attach(self, folder: Path) -> None:
        """Follow a training that is already running."""
        process = started_here(folder)
        self.bar.keep = self.exit_watch.chosen(folder, process is None or process.keep)
        self._show_config(folder)
        self._follow(folder, process)

    def _progressed(self, progress: TrainingProgress) -> None:
        if self.follower.folder not in (None, self._remembered):
            self._remembered = self.follower.folder
            remember(self._remembered)
        self.bar.show_progress(progress)
        self.form.show_device(device_of(progress) or self.form.device_text)
        if self.bar.stop_button.isEnabled() and self.follower.folder is not None:
            text = messages.running(time_left(progress), self.follower.folder)
            self.bar.show_message(text)

    def _epochs_done(self, rows: list[Any]) -> None:
        if self.follower.following:
            for done in range(len(self.curves.rows) + 1, len(rows) + 1):
                self.bar.show_epochs(done)
        self.curves.show_rows(rows)

    def _previewed(self, folder: Path) -> None:
        self.bar.allow_preview(there=has_preview(self.form.run_folder))
        if self.follower.following:
            self.preview.show(folder)

    def _ended(self, end: End) -> None:
        self.exit_watch.training_ended()
        self.bar.show_idle()
        self.bar.at_exit.setEnabled(True)
        self.form.setEnabled(True)
        self.form.list_models()
        folder = self.follower.folder
        if folder is not None and is_run(folder):
            remember(folder)
        self.check.again()
        self.update_hint()
        texts = [end.message]
        if end.state != "failed" and self.curves.rows and folder is not None:
            texts.append(messages.ended_in(folder))
        if end.state == "finished":
            texts.append(messages.TRAIN_AGAIN)
        self.bar.show_message(" ".join(texts), problem=end.state == "failed")
        if end.state == "failed":
            show_error(end.message)

    def _question(self) -> tuple[Question | None, str]:
        """Return what to check about the dataset, and the problem with the options."""
        try:
            options, problem = self.form.options(), ""
        except InputError as error:
            return None, error_in_words(error)
        dataset = self.form.dataset
        if dataset is None:
            return None, problem
        whole = options.crop is None
        return Question(dataset, options.seed, options.fold, whole, options.masks_are), problem

    def _folder_changed(self) -> None:
        self.update_hint()
        self._settled.start()

    def _look_at_folder(self) -> None:
        """Show the training in the folder; follow it if it is running."""
        self._settled.stop()
        folder = self.form.run_folder
        if self.follower.following or folder is None:
            return
        if not is_run(folder):
            self.follower.leave()
            self.curves.show_rows([])
        elif training_process(folder) is not None:
            self._attach(folder.resolve())
        elif folder.resolve() != self.follower.folder:
            self.curves.show_rows([])
            self.follower.show(folder.resolve())
        self.update_hint()

    def _show_config(self, folder: Path) -> None:
        """Show the options of an earlier training, which stay as they are."""
        try:
            config = RunDirectory(folder).config()
        except InputError:
            return  # resuming reports it
        self.form.show_places(Path(config.dataset), folder)
        self.form.show_options(config.options)

    def _begin(self) -> None:
        """Show a training that is running or unfinished."""
        folder = running_training() or last_training()
        self.update_hint()
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
        self.bar.train_clicked.connect(self.train)
        self.bar.stop_clicked.connect(self.stop)
        self.bar.resume_clicked.connect(self.resume)
        self.bar.preview_clicked.connect(self.show_preview)
        self.bar.at_exit.currentIndexChanged.connect(lambda: self.exit_watch.choose(self.bar.keep))
        self.follower.progressed.connect(self._progressed)
        self.follower.epochs_done.connect(self._epochs_done)
        self.follower.previewed.connect(self._previewed)
        self.follower.ended.connect(self._ended)
        self._settled.timeout.connect(self._look_at_folder)
        self.form.places.dataset.changed.connect(self.update_hint)
        self.form.places.run_folder.changed.connect(self._folder_changed)
        for folder in self.form.places:
            folder.choose_btn.changed.connect(self._look_again)  # after its dialog
        for fields in (self.form.main, self.form.more):
            fields.changed.connect(self.update_hint)
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
        if not self.form.device_text:
            self._ask_for_device()
        self._look_again()

    def _look_again(self) -> None:
        """Check whether problems with the folders have been fixed."""
        self.update_hint()
        if not self.follower.following:
            self.check.again_after_problem()

    def closed(self) -> None:
        """Let the training continue when only the dock is closed."""
        if self.follower.following and self.follower.folder is not None:
            show_info(messages.continues(self.follower.folder))
        self.device.forget()
        self.exit_watch.dock_closed()
        self.follower.leave()
