"""Ask which device would compute, in a process of its own: that loads a network library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from weakref import finalize

from qtpy.QtCore import QObject, QTimer

from napari_snow_unet.base.processes import without_window
from napari_snow_unet.unet.runs.process import last_error
from napari_snow_unet.unet.runs.progress import TrainingProgress

PROGRAM = "napari_snow_unet.unet.engine.ask"
_LOOK_EVERY_MS = 200
_known: dict[tuple[str, str], tuple[str, bool]] = {}


class _Asked:
    """A process that was asked, and what."""

    def __init__(self) -> None:
        self.question = ("", "")
        self.process: subprocess.Popen[bytes] | None = None

    def forget(self) -> None:
        """End a process whose answer nobody waits for."""
        process, self.process = self.process, None
        if process is not None:
            with suppress(OSError):
                process.kill()
            process.communicate()


class DeviceQuestion(QObject):
    """Finds out in a process what computes, and says so in words, and whether that is a problem."""

    def __init__(self, parent: QObject, answer: Callable[..., None]) -> None:
        super().__init__(parent)
        self._answer = answer
        self._asked = _Asked()  # outlives the dock
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._read_answer)
        # No slot of `destroyed`: Qt would call one that Python has half taken apart.
        finalize(self, self._asked.forget)

    def ask(self, backend: str, device: str) -> None:
        """Ask for an engine and a device, as `engine.selection.select_device` takes them."""
        question = (backend, device)
        self._asked.forget()
        if question in _known:
            text, problem = _known[question]
            self._answer(text, problem=problem)
            return
        self._answer("Looking for a GPU…", problem=False)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", PROGRAM, backend, device],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **without_window(),
        )
        self._asked.question, self._asked.process = question, process
        self._timer.start()

    def forget(self) -> None:
        """Wait for no answer any more."""
        self._timer.stop()
        self._asked.forget()

    def _read_answer(self) -> None:
        question, process = self._asked.question, self._asked.process
        if process is not None and process.poll() is None:
            return
        self._timer.stop()
        self._asked.process = None
        if process is None:
            return
        printed, errors = (told.decode("utf-8", "replace") for told in process.communicate())
        try:
            found = json.loads(printed.splitlines()[-1])
            _known[question] = _in_words(found["name"], found["kind"], found["reason"]), False
        except (IndexError, ValueError, KeyError):
            _known[question] = last_error(errors) or "The device is not known.", True
        text, problem = _known[question]
        self._answer(text, problem=problem)


def device_of(progress: TrainingProgress) -> str:
    """Say on what a training computes; empty if it has not said so yet."""
    if not progress.device:
        return ""
    text = _in_words(progress.device, progress.device_kind, progress.why_no_gpu)
    return f"{text} ({progress.backend}, {progress.precision})"


def _in_words(name: str, kind: str, reason: str) -> str:
    return f"{kind.upper()}: {name}" + (f"; no GPU: {reason}" if reason else "")
