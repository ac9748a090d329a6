"""Progress of a training, and requests to stop it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.options import Option, check
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.folder import PROGRESS, STOP, RunDirectory

State = Literal["starting", "training", "validating", "stopped", "finished", "failed"]
ENDED = frozenset({"stopped", "finished", "failed"})
_NUMBER = Option(low=0, high=10**9)  # of epochs, batches or seconds
_PAUSE = 0.5  # seconds between two writes


@dataclass(frozen=True)
class TrainingProgress:
    """Content of ``progress.json``."""

    # A training that has not ended, and whose lock is free, was killed.
    state: State = "starting"
    epoch: Annotated[int, _NUMBER] = 0  # current, from 1; 0 before the first
    epochs: Annotated[int, _NUMBER] = 0
    batch: Annotated[int, _NUMBER] = 0  # of the epoch, including its validation
    batches: Annotated[int, _NUMBER] = 0
    seconds_left: Annotated[float | None, _NUMBER] = None  # None during the first batches
    message: str = ""  # current activity, or reason of the end
    backend: str = ""
    device: str = ""
    device_kind: str = ""
    why_no_gpu: str = ""
    precision: str = ""
    updated: float = 0.0  # seconds since 1970


def read_progress(folder: str | os.PathLike[str]) -> TrainingProgress | None:
    """Read the progress of a training; None if unknown."""
    try:
        content = json.loads((Path(folder) / PROGRESS).read_text(encoding="utf-8"))
        progress = TrainingProgress(**content)
        check(progress)  # the file may come from another program
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return progress


def request_stop(folder: str | os.PathLike[str]) -> None:
    """Request a training to end after the current batch; finished epochs are kept."""
    (Path(folder) / STOP).touch()


class StopRequest:
    """Whether a training should end: by the STOP file, a time limit, or a call of `ask`."""

    def __init__(self, stop_file: Path | None = None, seconds: float | None = None) -> None:
        self._stop_file, self._reason = stop_file, ""
        self._seconds, self._began = seconds, time.monotonic()

    def ask(self, reason: str) -> None:
        """Request the end after the current batch; safe in a signal handler."""
        self._reason = self._reason or reason

    def reason(self) -> str:
        """Return why the training should end, or an empty text; the first reason stays."""
        if not self._reason and self._over():
            self.ask(messages.TIME_LABEL.format(self._seconds))
        if not self._reason and self._stop_file is not None and self._stop_file.exists():
            self.ask(messages.REQUESTED_LABEL)
        return self._reason

    def cause(self) -> str:
        """Return the reason, or an empty text after a plain request."""
        reason = self.reason()
        return "" if reason == messages.REQUESTED_LABEL else reason

    def ending(self) -> str:
        """Return the end of a sentence about the stop: its cause in brackets, and a full stop."""
        return f" ({self.cause()})." if self.cause() else "."

    def _over(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._began >= self._seconds


class ProgressWriter:
    """Keep ``progress.json`` up to date and call `listen`, in the training's thread."""

    def __init__(
        self, run: RunDirectory, listen: Callable[[TrainingProgress], None] | None = None
    ) -> None:
        self._run, self._listen = run, listen
        self._written = 0.0
        self.now = TrainingProgress()

    def update(self, *, at_once: bool = False, **changes: Any) -> None:
        """Change some entries; the file is written twice a second, or at once."""
        changed = "state" in changes and changes["state"] != self.now.state
        self.now = replace(self.now, **changes, updated=time.time())
        if self._listen is not None:
            self._listen(self.now)
        if at_once or changed or time.monotonic() - self._written >= _PAUSE:
            self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        # Progress can be lost: a full disk is reported when results are written.
        with (
            suppress(OSError),
            written_whole(self._run.folder / PROGRESS, overwrite=True) as temporary,
        ):
            temporary.write_text(json.dumps(asdict(self.now)) + "\n", encoding="utf-8")
