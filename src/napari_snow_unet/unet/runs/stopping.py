"""Let a process that trains end in time, whatever it is doing just now."""

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

from napari_snow_unet.unet.runs.folder import PROGRESS, RunDirectory
from napari_snow_unet.unet.runs.progress import StopRequest, TrainingProgress, read_progress

INTERRUPTED = "Ctrl-C"
EXIT_CODE = 130  # after it, as shells have it: a script must not go on as if all were done
GRACE = 3.0  # seconds for the batch in work; with the end of the program it is under five
_LOOK_EVERY = 0.2


@contextmanager
def watched(run: RunDirectory, stop: StopRequest) -> Iterator[None]:
    """End this process if a stop has been asked for and the batch in work takes too long.

    A batch may take minutes on a slow computer, and the first one waits for the network to be
    built. An epoch that was cut short is run again anyway, so nothing is lost by not waiting.
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
    """Let Ctrl-C and the system end the training after the batch; a second Ctrl-C does at once."""

    def ask(number: int, frame: FrameType | None) -> None:
        stop.ask(INTERRUPTED if number == signal.SIGINT else "the system asked for it")
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
    """Stop when standard input ends, as it does when the program that started this one ends."""

    def wait() -> None:
        with suppress(OSError, ValueError):
            # Not through sys.stdin, whose lock must be free when Python ends.
            while os.read(sys.stdin.fileno(), 4096):
                pass
        stop.ask("the program that started it has ended")

    threading.Thread(target=wait, name="input", daemon=True).start()


def _leave(run: RunDirectory, stop: StopRequest) -> None:
    told = f"Stopped in the middle of a batch{stop.ending()} The epoch will be run again."
    now = read_progress(run.folder) or TrainingProgress()
    ended = replace(now, state="stopped", message=told, seconds_left=None, updated=time.time())
    with suppress(OSError):
        run.log(told)
        run.write(PROGRESS, (json.dumps(asdict(ended)) + "\n").encode())
        run.stop_file.unlink(missing_ok=True)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(EXIT_CODE if stop.reason() == INTERRUPTED else 0)
