"""The one door to threads: long work as a generator, its progress, its end, its errors."""

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
from napari_snow_unet.widgets.common.fields import error_in_words

Steps = Callable[[], Generator[Progress, None, Any]]
ACTIVITY_INTERVAL_S = 0.1
MEMORY_REMEDY = "Close other images or programs, or choose a smaller tile size or fewer slices."
OTHER_REMEDY = "Nothing was changed. 'View Traceback' tells more; report it if it comes back."


_running: set[Run] = set()  # kept here, so that a run outlives a dock that is closed meanwhile


class WorkError(Exception):
    """Work that failed for a reason nobody foresaw: what happened and what to do."""


class Run(QObject):
    """A generator that runs in a thread of napari's.

    Its steps must not hold on to widgets or layers: they are called in another thread, and the
    generator is closed there when the run ends or is cancelled. Every callback is called in the
    thread of the window, and none any more once `owner` is destroyed, which cancels the run. Last
    of all, also after cancelling and after an error, comes `on_finished`, exactly once: restore the
    interface there. An error is also shown, once, as a notification.

    The activity dock shows a run under its `title` when its length is known (until then napari
    would draw its window many times a second) and it has taken more than `quiet_ms`. Where the last
    step `writes` files, it cannot be cancelled any more once it is done: its result is used.
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
        self._known: Progress | None = None  # the last of known length
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(quiet_ms)
        self._timer.timeout.connect(self._show_activity)
        self._making_activity = False
        # Asked to stop; where all was written by then it is `too_late`, and not cancelled.
        self.cancelled = self.too_late = False
        self._writes = writes
        self._results: list[Any] = []  # of the thread, which must not hold on to this object
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
        """Ask the work to stop; it does so at its next step, and its result is not used."""
        self.cancelled = True
        self._worker.quit()

    def _progressed(self, progress: Progress) -> None:
        if self.cancelled:
            return
        if self._on_progress is not None:
            self._on_progress(progress)
        if progress.total:
            self._known = progress
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
        """Show in napari's activity dock what is known and no longer quiet."""
        if self._known is None or self._timer.isActive() or self._making_activity:
            return
        if self._activity is None:
            self._making_activity = True
            activity = _Activity(self._title, self.cancel, self._known.total)
            self._making_activity = False
            if self not in _running:  # it ended while napari handled events in the middle of that
                activity.close()
                return
            self._activity = activity
        self._activity.show(self._known)

    def _orphaned(self) -> None:
        self._forget()
        self.cancel()

    def _forget(self) -> None:
        self._on_progress = self._on_done = self._on_error = self._on_finished = None
        self._results.clear()


@dataclass(frozen=True)
class _Failure:
    """What a run returns that has failed."""

    error: Exception


class _Worker(GeneratorWorker):
    """A worker with a thread of its own, which closes its generator when it ends."""

    def start(self) -> None:
        """Start the work, not in Qt's pool of threads as superqt does.

        A thread of the pool has a new Python thread state for each piece of work. pybind11, when it
        is first loaded there with TensorFlow, keeps that of the first and crashes the process in a
        later one: https://github.com/pybind/pybind11/issues/2888.
        """
        self._worker_set.add(self)  # napari asks all of these to quit when it is closed
        self._finished.connect(self._set_discard)
        threading.Thread(target=self.run, name="napari-snow-unet").start()

    def work(self) -> Any:
        """Do the work; `quit` alone would leave the generator hanging between two steps."""
        try:
            return super().work()
        finally:
            self._gen.close()


def _worker(steps: Steps, results: list[Any]) -> _Worker:
    from napari.qt.threading import create_worker

    # napari's own function, so that napari asks before it is closed in the middle of the run.
    return create_worker(
        _explained,
        steps,
        results,
        _worker_class=_Worker,
        _start_thread=False,
        _ignore_errors=True,
    )


def _explained(steps: Steps, results: list[Any]) -> Generator[Progress, None, Any]:
    """Run the steps and note their result, or return why there is none.

    An error must not leave: superqt takes a `RuntimeError` for a deleted worker and says nothing,
    and with PySide6 what napari 0.9 does about a worker's error is an error itself.
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
    """Return an error that a person understands."""
    if isinstance(error, InputError):
        return error
    cause = str(error).strip() or type(error).__name__
    if isinstance(error, MemoryError):
        said = WorkError(f"There is not enough memory ({cause}). {MEMORY_REMEDY}")
    else:
        said = WorkError(f"{type(error).__name__}: {cause}. {OTHER_REMEDY}")
    said.__cause__ = error
    return said.with_traceback(error.__traceback__)


def notify(error: Exception) -> None:
    """Show an error as a notification of napari's."""
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
    """The bar in napari's activity dock, as often up to date as is worth it."""

    def __init__(self, title: str, cancel: Callable[[], None], total: int) -> None:
        self._bar = _ActivityBar(desc=title, total=total)
        self._bar.on_cancel = cancel
        self._shown_at = 0.0
        self._showing = False

    def show(self, progress: Progress) -> None:
        """Show progress, at most ten times a second."""
        now = time.monotonic()
        last = progress.done == progress.total
        if self._showing or (not last and now - self._shown_at < ACTIVITY_INTERVAL_S):
            return
        # napari handles events in the middle of an update: more progress may come meanwhile.
        self._showing, self._shown_at = True, now
        try:
            if self._bar.total != progress.total:
                self._bar.total = progress.total
            self._bar.update(progress.done - self._bar.n)
        finally:
            self._showing = False

    def close(self) -> None:
        """Take the bar away. napari holds on to it, so it lets go of everything else."""
        self._bar.on_cancel = None
        self._bar.close()
