"""Find the device of a training in a separate process, since that loads a network library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from weakref import finalize

from qtpy.QtCore import QObject, QTimer

from napari_snow_unet.base.processes import without_window
from napari_snow_unet.unet.engine.messages import UNKNOWN_DEVICE
from napari_snow_unet.unet.runs.process import last_error
from napari_snow_unet.unet.runs.progress import TrainingProgress
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.state import Answer

PROGRAM = "napari_snow_unet.unet.engine.device_report"
_LOOK_EVERY_MS = 200
_cached: dict[tuple[str, str], Answer] = {}


class _Query:
    """A process, and the backend and device it was asked about."""

    def __init__(self) -> None:
        self.question = ("", "")
        self.process: subprocess.Popen[bytes] | None = None

    def forget(self) -> None:
        """End a process whose answer is no longer needed."""
        process, self.process = self.process, None
        if process is not None:
            with suppress(OSError):
                process.kill()
            process.communicate()


class DeviceQuestion(QObject):
    """Finds the device in a process, and calls back with each answer."""

    def __init__(self, parent: QObject, on_answer: Callable[[], None]) -> None:
        super().__init__(parent)
        self.answer = Answer()
        self._on_answer = on_answer
        self._query = _Query()  # outlives the dock
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._read_answer)
        # Not a slot of `destroyed`: Qt would call it when Python has half deleted the object.
        finalize(self, self._query.forget)

    def ask(self, backend: str, device: str) -> None:
        """Ask about a backend and a device, as `engine.selection.select_device` takes them."""
        question = (backend, device)
        self._query.forget()
        if question in _cached:
            self._take(_cached[question])
            return
        self._take(Answer(messages.LOOKING_FOR_GPU_LABEL))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", PROGRAM, backend, device],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **without_window(),
        )
        self._query.question, self._query.process = question, process
        self._timer.start()

    def forget(self) -> None:
        """Drop the pending answer."""
        self._timer.stop()
        self._query.forget()

    def _take(self, answer: Answer) -> None:
        self.answer = answer
        self._on_answer()

    def _read_answer(self) -> None:
        question, process = self._query.question, self._query.process
        if process is not None and process.poll() is None:
            return
        self._timer.stop()
        self._query.process = None
        if process is None:
            return
        printed, errors = (text.decode("utf-8", "replace") for text in process.communicate())
        try:
            facts = json.loads(printed.splitlines()[-1])
            text = messages.device(facts["kind"], facts["name"], "", facts["reason"])
            _cached[question] = Answer(text)
        except (IndexError, ValueError, KeyError):
            _cached[question] = Answer(last_error(errors) or UNKNOWN_DEVICE, problem=True)
        self._take(_cached[question])


def device_of(progress: TrainingProgress) -> str:
    """Return the device of a training in words; empty if unknown so far."""
    if not progress.device:
        return ""
    how = f"{progress.backend}, {progress.precision.removeprefix('mixed_')}"
    return messages.device(progress.device_kind, progress.device, how, progress.why_no_gpu)
