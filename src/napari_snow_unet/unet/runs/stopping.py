"""End a training process in time, whatever it is doing."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from types import FrameType
from typing import Any

from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.folder import PROGRESS, RunDirectory
from napari_snow_unet.unet.runs.progress import StopRequest, TrainingProgress, read_progress

INTERRUPTED = messages.CTRL_C_LABEL
EXIT_CODE = 130  # after it, as in shells: a script must not continue as if all were done
GRACE = 3.0  # seconds for the current batch; with the exit of the program it is under five
_LOOK_EVERY = 0.2


@contextmanager
def watched(run: RunDirectory, stop: StopRequest) -> Iterator[None]:
    """Exit the process if a stop was requested and the current batch takes too long.

    A batch may take minutes on a slow computer, and the first one waits until the network is built.
    An unfinished epoch is run again anyway, so nothing is lost.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_EVERY):
            if stop.reason() and not over.wait(GRACE):
                _leave(run, stop)

    thread = threading.Thread(target=watch, name="stop watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def signals_ask(stop: StopRequest) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the training after the batch; a second Ctrl-C ends it at once."""

    def ask(number: int, frame: FrameType | None) -> None:
        stop.ask(INTERRUPTED if number == signal.SIGINT else messages.SYSTEM_LABEL)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def stop_when_input_ends(stop: StopRequest) -> None:
    """Stop when standard input ends, as it does with the program that started this one."""

    def wait() -> None:
        with suppress(OSError, ValueError):
            # Not through sys.stdin, whose lock must be free when Python exits.
            while os.read(sys.stdin.fileno(), 4096):
                pass
        stop.ask(messages.PARENT_LABEL)

    threading.Thread(target=wait, name="input", daemon=True).start()


def _leave(run: RunDirectory, stop: StopRequest) -> None:
    text = messages.stopped_in_batch(stop.cause())
    now = read_progress(run.folder) or TrainingProgress()
    ended = replace(now, state="stopped", message=text, seconds_left=None, updated=time.time())
    with suppress(OSError):
        run.log(text)
        run.write(PROGRESS, (json.dumps(asdict(ended)) + "\n").encode())
        run.stop_file.unlink(missing_ok=True)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(EXIT_CODE if stop.reason() == INTERRUPTED else 0)
