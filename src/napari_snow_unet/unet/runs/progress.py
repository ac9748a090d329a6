"""Where a training is: what its process says, and what others read and ask."""

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
from napari_snow_unet.unet.runs.folder import PROGRESS, STOP, RunDirectory

State = Literal["starting", "training", "validating", "stopped", "finished", "failed"]
ENDED = frozenset({"stopped", "finished", "failed"})
_NUMBER = Option(low=0, high=10**9)  # of epochs, batches or seconds
_ASKED = "it was asked for"
_PAUSE = 0.5  # seconds between two writings


@dataclass(frozen=True)
class TrainingProgress:
    """Content of ``progress.json``."""

    # One that has not ended, and whose lock nobody holds, was killed.
    state: State = "starting"
    epoch: Annotated[int, _NUMBER] = 0  # in work, from 1; 0 before the first
    epochs: Annotated[int, _NUMBER] = 0
    batch: Annotated[int, _NUMBER] = 0  # of the epoch, those of its validation included
    batches: Annotated[int, _NUMBER] = 0
    seconds_left: Annotated[float | None, _NUMBER] = None  # None until the first batches are done
    message: str = ""  # what it does, or why it ended
    backend: str = ""
    device: str = ""
    device_kind: str = ""
    why_no_gpu: str = ""
    precision: str = ""
    updated: float = 0.0  # seconds since 1970


def read_progress(folder: str | os.PathLike[str]) -> TrainingProgress | None:
    """Read where a training is; None if that is not known."""
    try:
        content = json.loads((Path(folder) / PROGRESS).read_text(encoding="utf-8"))
        progress = TrainingProgress(**content)
        check(progress)  # the file may be anybody's
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return progress


def request_stop(folder: str | os.PathLike[str]) -> None:
    """Ask a training to end after its batch; everything is kept."""
    (Path(folder) / STOP).touch()


class StopRequest:
    """Whether a training shall end: there is the STOP file, the time is over, or it was asked."""

    def __init__(self, stop_file: Path | None = None, seconds: float | None = None) -> None:
        self._stop_file, self._asked = stop_file, ""
        self._seconds, self._began = seconds, time.monotonic()

    def ask(self, reason: str) -> None:
        """End the training after the batch; safe in a signal handler."""
        self._asked = self._asked or reason

    def reason(self) -> str:
        """Return why the training shall end, or an empty text; it is never taken back."""
        if not self._asked and self._over():
            self.ask(f"the {self._seconds:g} seconds given to it are over")
        if not self._asked and self._stop_file is not None and self._stop_file.exists():
            self.ask(_ASKED)
        return self._asked

    def ending(self) -> str:
        """Return the end of a sentence that tells of the stop: why, unless it was asked for."""
        reason = self.reason()
        return "." if reason in ("", _ASKED) else f": {reason}."

    def _over(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._began >= self._seconds


class ProgressWriter:
    """Keep ``progress.json`` up to date, and tell `listen`, in the training's thread."""

    def __init__(
        self, run: RunDirectory, listen: Callable[[TrainingProgress], None] | None = None
    ) -> None:
        self._run, self._listen = run, listen
        self._written = 0.0
        self.now = TrainingProgress()

    def update(self, *, at_once: bool = False, **changes: Any) -> None:
        """Change some entries; the file follows twice a second, or at once."""
        changed = "state" in changes and changes["state"] != self.now.state
        self.now = replace(self.now, **changes, updated=time.time())
        if self._listen is not None:
            self._listen(self.now)
        if at_once or changed or time.monotonic() - self._written >= _PAUSE:
            self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        # Progress is no result: a full disk is noticed, and said, where results are written.
        with (
            suppress(OSError),
            written_whole(self._run.folder / PROGRESS, overwrite=True) as temporary,
        ):
            temporary.write_text(json.dumps(asdict(self.now)) + "\n", encoding="utf-8")
