"""Work shared out to processes, of which any may die without a change to the result.

Every process has a pipe of its own, so it is known which task it was at when it died: killed by
the system for its memory, or crashed in a decoder. Pools share theirs. At a death that of the
standard library and loky's give up all that was handed in (14 tasks of 20); pebble's gives up
one task, but broke as a whole in 6 of 6 tries with a kill every 0.05 to 0.4 s among short tasks.
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
_AHEAD = 2  # tasks in a process's hands: the one it is at, and the next
_MOST = 60  # Windows waits for no more than 63 handles
_TRIAL = 8  # tasks after which it is known how long one takes
_WORTH = 2.0  # seconds of work left that are worth starting processes
_READY = "ready"

#: Pixels of a call of a model up to which it alone leaves cores waiting for each other, so that
#: several at once are done sooner.
SMALL_CALL = 1024**2


class Died:
    """In place of the result of a task that killed its process every time."""


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def without_window() -> dict[str, Any]:
    """Return what `subprocess.Popen` needs so that no window opens and no Ctrl-C comes through."""
    quiet = {"PYTHONUTF8": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "1000"}
    more: dict[str, Any] = {"env": {**os.environ, **quiet}}
    if sys.platform == "win32":
        more["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        more["start_new_session"] = True
    return more


class Crew(Generic[Task, Result]):
    """Processes that apply a function to tasks; iterating gives ``(task, result or Died)``.

    The function stands at the top level of a module, so that processes find it; what it raises
    ends the work. Tasks are taken one by one as processes become free. With one worker, and where
    none can be started, the work is done in this process. Without `workers` it begins in this one,
    and one for each core takes over if more than two seconds of it are left; only tasks with a
    length are handed over so.
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
        self._returned: deque[Task] = deque()  # what dead processes have not done
        self._deaths: Counter[int] = Counter()  # by the id of the task
        self._failed_starts = 0  # in a row

    def __iter__(self) -> Iterator[tuple[Task, Result | Died]]:
        yield from self._begin_alone()
        while self._share_out():
            for pipe in wait(list(self._workers)):
                yield from self._receive(self._workers[pipe])  # type: ignore[index]  # its pipe
        while (task := self._next()) is not None:  # no processes are wanted, or none start
            yield task, Died() if self._deaths[id(task)] else self._function(task)

    def finish(self) -> Iterator[tuple[Task, Result | Died]]:
        """Hand out nothing more, give the results of what is handed out, stop the processes."""
        try:
            for worker in list(self._workers.values()):
                while worker.tasks and worker.pipe in self._workers:
                    yield from self._receive(worker)
        finally:
            for worker in self._workers.values():
                worker.stop()
            self._workers.clear()

    def _begin_alone(self) -> Iterator[tuple[Task, Result]]:
        """Do tasks in this process until it is known that others are worth starting."""
        began, cores = time.perf_counter(), usable_cores()
        for done in range(self._total if cores > 1 else 0):
            left = (time.perf_counter() - began) / max(done, 1) * (self._total - done)
            if done >= _TRIAL and left > _WORTH:
                self._wanted = min(cores, _MOST)
                return
            if (task := self._next()) is not None:
                yield task, self._function(task)

    def _next(self) -> Task | None:
        return self._returned.popleft() if self._returned else next(self._tasks, None)

    def _share_out(self) -> bool:
        """Start the processes that are missing, keep all busy; False once nothing is under way."""
        while len(self._workers) < self._wanted and (task := self._next()) is not None:
            worker = _Worker[Task](self._function)
            self._workers[worker.pipe] = worker
            worker.give(task)
        for most in range(1, _AHEAD + 1):  # first to those that have none
            for worker in self._workers.values():
                if len(worker.tasks) < most and (task := self._next()) is not None:
                    worker.give(task)
        return any(worker.tasks for worker in self._workers.values())

    def _receive(self, worker: _Worker[Task]) -> Iterator[tuple[Task, Result | Died]]:
        """Take one message of a process, or notice that it is dead."""
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
        """Take back the tasks of a dead process; the one that it was at may be given up."""
        del self._workers[worker.pipe]
        worker.stop()
        given_up = None
        if not worker.ready:  # it has not seen a task yet
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
    """One process, its pipe, and the tasks it has been given and not answered."""

    def __init__(self, function: Callable[[Task], Any]) -> None:
        context = get_context("spawn")  # forking a napari that has threads can hang
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
        """Send a task; if nobody is there, that is noticed when its answer is read."""
        self.tasks.append(task)
        with suppress(OSError):
            self.pipe.send(task)

    def stop(self) -> None:
        """Close the pipe, which ends the process, and wait for that."""
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back for a block; a process started in it never gets to see one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it lets Ctrl-C through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_module_left_alone(function: Callable[..., Any]) -> Iterator[None]:
    """Let a process that is started in a block not run the program that starts it once more.

    A spawned process imports the main module, for what may be defined there; a script without
    ``if __name__ == "__main__"`` then does its work again and fails at it. Of a main module that
    knows no file, as that of an interactive session, nothing is imported.
    """
    main = sys.modules["__main__"]
    if function.__module__ == "__main__":
        yield
        return
    kept = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    main.__spec__ = None
    if "__file__" in kept:
        del main.__file__
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """Answer tasks until the pipe closes, also because the main process was killed."""
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
