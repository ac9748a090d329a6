"""A pool of processes in which any may die without changing the results.

A process may be killed by the system for its memory, or crash in a decoder. Each has its own pipe,
so its current task is known and can be repeated; other pools share one. When a process dies, the
pools of the standard library and loky give up all pending tasks (14 of 20); pebble gives up one
task, but failed completely in 6 of 6 trials with a kill every 0.05 to 0.4 s among short tasks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_TRIES = 3
_AHEAD = 2  # tasks sent to a process: the current one, and the next
_MOST = 60  # Windows waits for no more than 63 handles
_TRIAL = 8  # tasks that are timed before processes are started
_WORTH = 2.0  # seconds of remaining work that justify starting processes
_READY = "ready"

#: Pixels in a call of a model up to which a single call leaves cores idle, so that several calls
#: in parallel finish sooner.
SMALL_CALL = 1024**2


class Died:
    """The result of a task that killed its process in every attempt."""


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def without_window() -> dict[str, Any]:
    """Return arguments of `subprocess.Popen` for a process without a window or Ctrl-C."""
    quiet = {"PYTHONUTF8": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "1000"}
    more: dict[str, Any] = {"env": {**os.environ, **quiet}}
    if sys.platform == "win32":
        more["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        more["start_new_session"] = True
    return more


class ProcessPool(Generic[Task, Result]):
    """Processes that apply a function to tasks; iterating yields ``(task, result or Died)``.

    Parameters
    ----------
    function : callable
        A function at the top level of a module. Its first exception stops the pool.
    tasks : iterable
        Taken one by one as processes become free.
    workers : int, optional
        Number of processes. With 1, or if no process can be started, tasks run in this process.
        By default tasks run in this process first, and in one process per core once more than two
        seconds of work remain; that requires `tasks` to have a length.
    """

    def __init__(
        self,
        function: Callable[[Task], Result],
        tasks: Iterable[Task],
        workers: int | None = None,
    ) -> None:
        self._function, self._tasks = function, iter(tasks)
        self._total = len(tasks) if workers is None and isinstance(tasks, Sized) else 0
        self._wanted = min(workers, _MOST) if workers is not None and workers > 1 else 0
        self._workers: dict[Connection, _Worker[Task]] = {}
        self._returned: deque[Task] = deque()  # unfinished tasks of dead processes
        self._deaths: Counter[int] = Counter()  # by the id of the task
        self._failed_starts = 0  # in a row

    def __iter__(self) -> Iterator[tuple[Task, Result | Died]]:
        yield from self._begin_alone()
        while self._share_out():
            for pipe in wait(list(self._workers)):
                yield from self._receive(self._workers[pipe])  # type: ignore[index]  # its pipe
        while (task := self._next()) is not None:  # without processes
            yield task, Died() if self._deaths[id(task)] else self._function(task)

    def finish(self) -> Iterator[tuple[Task, Result | Died]]:
        """Send no more tasks, yield the results of those already sent, and stop the processes."""
        try:
            for worker in list(self._workers.values()):
                while worker.tasks and worker.pipe in self._workers:
                    yield from self._receive(worker)
        finally:
            for worker in self._workers.values():
                worker.stop()
            self._workers.clear()

    def _begin_alone(self) -> Iterator[tuple[Task, Result]]:
        """Run tasks in this process until the remaining work justifies starting others."""
        started, cores = time.perf_counter(), usable_cores()
        for done in range(self._total if cores > 1 else 0):
            left = (time.perf_counter() - started) / max(done, 1) * (self._total - done)
            if done >= _TRIAL and left > _WORTH:
                self._wanted = min(cores, _MOST)
                return
            if (task := self._next()) is not None:
                yield task, self._function(task)

    def _next(self) -> Task | None:
        return self._returned.popleft() if self._returned else next(self._tasks, None)

    def _share_out(self) -> bool:
        """Start missing processes and keep all busy; return False when no task is running."""
        while len(self._workers) < self._wanted and (task := self._next()) is not None:
            worker = _Worker[Task](self._function)
            self._workers[worker.pipe] = worker
            worker.give(task)
        for most in range(1, _AHEAD + 1):  # first to idle processes
            for worker in self._workers.values():
                if len(worker.tasks) < most and (task := self._next()) is not None:
                    worker.give(task)
        return any(worker.tasks for worker in self._workers.values())

    def _receive(self, worker: _Worker[Task]) -> Iterator[tuple[Task, Result | Died]]:
        """Handle one message of a process, or its death."""
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._remove(worker)
            return
        if message == _READY:
            worker.ready, self._failed_starts = True, 0
            return
        task, (result, error) = worker.tasks.popleft(), message
        self._deaths.pop(id(task), None)
        if error is not None:
            raise error
        yield task, result

    def _remove(self, worker: _Worker[Task]) -> Iterator[tuple[Task, Died]]:
        """Take back the tasks of a dead process; give up its current one after several deaths."""
        del self._workers[worker.pipe]
        worker.stop()
        given_up = None
        if not worker.ready:  # it died before its first task
            self._failed_starts += 1
            if self._failed_starts >= _TRIES:
                self._wanted = len(self._workers)
        elif worker.tasks:
            self._deaths[id(worker.tasks[0])] += 1
            if self._deaths[id(worker.tasks[0])] >= _TRIES:
                given_up = worker.tasks.popleft()
        self._returned.extend(worker.tasks)
        if given_up is not None:
            yield given_up, Died()


class _Worker(Generic[Task]):
    """One process, its pipe, and the tasks that it has not answered yet."""

    def __init__(self, function: Callable[[Task], Any]) -> None:
        context = get_context("spawn")  # forking napari with its threads can hang
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, function), daemon=True
        )
        self.tasks: deque[Task] = deque()
        self.ready = False
        with _without_ctrl_c(), _main_module_left_alone(function):
            self.process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        """Send a task; a dead process is noticed when its answer is read."""
        self.tasks.append(task)
        with suppress(OSError):
            self.pipe.send(task)

    def stop(self) -> None:
        """Close the pipe, which ends the process, and wait for it."""
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Block Ctrl-C; a process started meanwhile never receives it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it unblocks Ctrl-C when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_module_left_alone(function: Callable[..., Any]) -> Iterator[None]:
    """Keep a spawned process from importing the main module.

    A script without ``if __name__ == "__main__"`` would otherwise run again in that process and
    fail. Like an interactive session, a main module without a file is not imported.
    """
    main = sys.modules["__main__"]
    if function.__module__ == "__main__":
        yield
        return
    attributes = {
        name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)
    }
    main.__spec__ = None
    if "__file__" in attributes:
        del main.__file__
    try:
        yield
    finally:
        for name, value in attributes.items():
            setattr(main, name, value)


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """Answer tasks until the pipe closes, even because the main process was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        pipe.send(_READY)
        while True:
            pipe.send(_answer(function, pipe.recv()))


def _answer(function: Callable[[Any], Any], task: Any) -> tuple[Any, Exception | None]:
    try:
        return function(task), None
    except Exception as error:
        error.add_note(traceback.format_exc())
        return None, error
