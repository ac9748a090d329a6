"""Runs long work, given as a generator, in a thread: its progress, end and errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from napari.utils import cancelable_progress
from qtpy.QtCore import QObject, QTimer
from superqt.utils import GeneratorWorker

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common.fields import error_in_words

Steps = Callable[[], Generator[Progress, None, Any]]
ACTIVITY_INTERVAL_S = 0.1


_running: set[Run] = set()  # so that a run outlives a dock that is closed meanwhile


class WorkError(Exception):
    """Work that failed unexpectedly: what happened and what to do."""


class Run(QObject):
    """A generator that runs in a thread of napari's.

    Its steps must not keep widgets or layers: they run in another thread, and the generator is
    closed there when the run ends or is cancelled. Callbacks are called in the thread of the
    window; destroying `owner` cancels the run and ends all callbacks. `on_finished` comes last and
    exactly once, also after cancelling and after an error: restore the interface there. An error
    is also shown, once, as a notification.

    The activity dock shows a run under its `title` once its length is defined (before that napari
    would redraw its window many times a second) and it has taken more than `quiet_ms`. If the last
    step `writes` files, it cannot be cancelled once it is done: its result is used.
    """

    def __init__(
        self,
        owner: QObject,
        steps: Steps,
        *,
        title: str,
        on_progress: Callable[[Progress], None] | None = None,
        on_done: Callable[[Any], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        on_finished: Callable[[], None] | None = None,
        quiet_ms: int = 0,
        writes: bool = False,
    ) -> None:
        super().__init__()
        self._on_progress, self._on_done = on_progress, on_done
        self._on_error, self._on_finished = on_error, on_finished
        self._title = title
        self._activity: _Activity | None = None
        self._latest: Progress | None = None  # the last one with a length
        self._timer = QTimer(self, singleShot=True, interval=quiet_ms)
        self._timer.timeout.connect(self._show_activity)
        self._making_activity = False
        # After cancel(); if everything was written by then, it is `too_late` instead.
        self.cancelled = self.too_late = False
        self._writes = writes
        self._results: list[Any] = []  # of the thread, which must not keep this object
        self._worker = _worker(steps, self._results)
        self._worker.yielded.connect(self._progressed)
        self._worker.returned.connect(self._returned)
        self._worker.aborted.connect(self.cancel)
        self._worker.finished.connect(self._finished)
        owner.destroyed.connect(self._orphaned)

    def start(self) -> None:
        """Start the thread and return at once."""
        _running.add(self)
        self._timer.start()
        self._worker.start()

    def cancel(self) -> None:
        """Stop the work at its next step, and discard its result."""
        self.cancelled = True
        self._worker.quit()

    def _progressed(self, progress: Progress) -> None:
        if self.cancelled:
            return
        if self._on_progress is not None:
            self._on_progress(progress)
        if progress.total:
            self._latest = progress
            self._show_activity()

    def _returned(self, result: Any) -> None:
        if isinstance(result, _Failure):
            self._failed(result.error)
        elif not self.cancelled and self._on_done is not None:
            self._on_done(result)

    def _failed(self, error: Exception) -> None:
        if self.cancelled:
            return
        if self._on_error is not None:
            self._on_error(error)
        notify(error)

    def _finished(self) -> None:
        _running.discard(self)
        self._timer.stop()
        if self._activity is not None:
            self._activity.close()
            self._activity = None
        try:
            self._use_late_result()
        finally:
            if self._on_finished is not None:
                self._on_finished()
            self._forget()

    def _use_late_result(self) -> None:
        self.too_late = self.cancelled and self._writes and bool(self._results)
        if self.too_late:
            self.cancelled = False
            self._returned(self._results[0])

    def _show_activity(self) -> None:
        """Show the run in napari's activity dock once it has a length and is no longer quiet."""
        if self._latest is None or self._timer.isActive() or self._making_activity:
            return
        if self._activity is None:
            self._making_activity = True
            activity = _Activity(self._title, self.cancel, self._latest.total)
            self._making_activity = False
            if self not in _running:  # it ended while napari handled events
                activity.close()
                return
            self._activity = activity
        self._activity.show(self._latest)

    def _orphaned(self) -> None:
        self._forget()
        self.cancel()

    def _forget(self) -> None:
        self._on_progress = self._on_done = self._on_error = self._on_finished = None
        self._results.clear()


@dataclass(frozen=True)
class _Failure:
    """The return value of a run that has failed."""

    error: Exception


class _Worker(GeneratorWorker):
    """A worker with a thread of its own, which closes its generator when it ends."""

    def start(self) -> None:
        """Start the work outside Qt's thread pool, which superqt would use.

        A thread of the pool gets a new Python thread state for each run. pybind11, if TensorFlow
        first loads it there, keeps that of the first run and crashes the process in a later one:
        https://github.com/pybind/pybind11/issues/2888.
        """
        self._worker_set.add(self)  # napari ends all of these when it is closed
        self._finished.connect(self._set_discard)
        threading.Thread(target=self.run, name="napari-snow-unet").start()

    def work(self) -> Any:
        """Do the work; `quit` alone would leave the generator open between two steps."""
        try:
            return super().work()
        finally:
            self._gen.close()


def _worker(steps: Steps, results: list[Any]) -> _Worker:
    from napari.qt.threading import create_worker

    # napari's own function, so that napari asks before closing during a run.
    return create_worker(
        _explained,
        steps,
        results,
        _worker_class=_Worker,
        _start_thread=False,
        _ignore_errors=True,
    )


def _explained(steps: Steps, results: list[Any]) -> Generator[Progress, None, Any]:
    """Run the steps and keep their result, or return the failure.

    No error may escape: superqt takes a `RuntimeError` for a deleted worker and hides it, and with
    PySide6, napari 0.9 fails itself when it handles a worker's error.
    """
    try:
        result = yield from steps()
    except GeneratorExit:
        raise
    except BaseException as error:
        return _Failure(_understandable(error))
    results.append(result)
    return result


def _understandable(error: BaseException) -> Exception:
    """Return an error in words of ours."""
    if isinstance(error, InputError):
        return error
    cause = str(error).strip() or type(error).__name__
    if isinstance(error, MemoryError):
        worded = WorkError(messages.no_memory(cause))
    else:
        worded = WorkError(messages.unexpected(type(error).__name__, cause))
    worded.__cause__ = error
    return worded.with_traceback(error.__traceback__)


def notify(error: Exception) -> None:
    """Show an error as a napari notification."""
    from napari.utils.notifications import notification_manager, show_error

    if isinstance(error, InputError):
        show_error(error_in_words(error))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


class _ActivityBar(cancelable_progress):
    """A bar in napari's activity dock, whose Cancel button calls a function."""

    on_cancel: Callable[[], None] | None = None

    def cancel(self) -> None:
        super().cancel()
        if self.on_cancel is not None:
            self.on_cancel()


class _Activity:
    """The bar in napari's activity dock, updated now and then."""

    def __init__(self, title: str, cancel: Callable[[], None], total: int) -> None:
        self._bar = _ActivityBar(desc=title.removesuffix("…"), total=total)
        self._bar.on_cancel = cancel
        self._shown_at = 0.0
        self._showing = False

    def show(self, progress: Progress) -> None:
        """Show progress, at most ten times a second."""
        now = time.monotonic()
        last = progress.done == progress.total
        if self._showing or (not last and now - self._shown_at < ACTIVITY_INTERVAL_S):
            return
        # napari handles events during an update: more progress may come meanwhile.
        self._showing, self._shown_at = True, now
        try:
            if self._bar.total != progress.total:
                self._bar.total = progress.total
            self._bar.update(progress.done - self._bar.n)
        finally:
            self._showing = False

    def close(self) -> None:
        """Close the bar. napari keeps it, so it drops its references to everything else."""
        self._bar.on_cancel = None
        self._bar.close()
