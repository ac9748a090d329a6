"""Several trainings at once, each in its own process with its share of the cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.unet.engine import selection
from napari_snow_unet.unet.network.memory import memory_limit
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.process import TrainingProcess, arguments_to_resume
from napari_snow_unet.unet.runs.progress import StopRequest, TrainingProgress, read_progress

_MEMORY = 2 * 2**30  # bytes per training; the default preset uses 1.1 GB
_PAUSE = 0.2  # seconds between two looks


def most_at_once(trainings: int) -> int:
    """Return the fastest number of trainings at once: as cores and memory allow, 1 on a GPU."""
    if selection.load_engine().kind != "cpu":
        return 1
    # Small batches leave cores idle: on two cores, two trainings with one thread each are 1.4 times
    # as fast as one with two.
    memory = memory_limit()
    fitting = trainings if memory is None else memory // _MEMORY
    return max(1, min(trainings, usable_cores(), fitting))


def train_side_by_side(
    folders: Mapping[str, Path],
    at_once: int,
    *,
    stop: StopRequest,
    listen: Callable[[TrainingProgress], None] | None = None,
    echo: Callable[[str], None] = lambda line: None,
    workers: int = 1,
) -> None:
    """Train all; `listen` gets the progress of the one that needs longest, `echo` all logs."""
    environment = selection.environment_for_threads(max(1, usable_cores() // at_once))
    words = ["--workers", str(max(workers // at_once, min(workers, 1)))]
    waiting, processes = dict(folders), dict[str, TrainingProcess]()
    try:
        while processes or (waiting and not stop.reason()):
            while waiting and len(processes) < at_once and not stop.reason():
                name = next(iter(waiting))
                folder = waiting.pop(name)
                processes[name] = TrainingProcess(
                    [*arguments_to_resume(folder), *words],
                    folder,
                    keep=False,
                    echo=lambda line, name=name: echo(f"{name}: {line}"),  # type: ignore[misc]
                    environment=environment,
                )
            if stop.reason():
                _end(processes)
            if listen is not None:
                _report(processes, listen)
            time.sleep(_PAUSE)
            _gather(processes)
    finally:
        _end(processes)


def _gather(processes: dict[str, TrainingProcess]) -> None:
    """Remove processes that have ended; raise if one failed."""
    for name, process in list(processes.items()):
        code = process.exit_code()
        if code is None:
            continue
        del processes[name]
        if code:
            reason = (process.error() or messages.process_failed(code)).rstrip(".")
            raise InputError(messages.fold_failed(name, reason), path=process.folder)


def _end(processes: Mapping[str, TrainingProcess]) -> None:
    for process in processes.values():
        process.end()


def _report(
    processes: Mapping[str, TrainingProcess], listen: Callable[[TrainingProgress], None]
) -> None:
    all_progress = (read_progress(process.folder) for process in processes.values())
    running = [progress for progress in all_progress if progress is not None]
    if running:
        listen(max(running, key=lambda progress: progress.seconds_left or 0.0))
