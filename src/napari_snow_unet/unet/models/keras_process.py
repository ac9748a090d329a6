"""A network on a GPU, computed by Keras in a process of its own.

TensorFlow takes seconds to load, hundreds of megabytes, and cannot share a process with the OpenGL
drivers of some windows. So the program that a person works with never imports it: windows go to the
process, and maps come back, through a file in memory that both map; lines of JSON say when.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.precision import Precision
from napari_snow_unet.base.processes import without_window
from napari_snow_unet.unet.engine.process import end_at_once
from napari_snow_unet.unet.models.store import read_model
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import Room
from napari_snow_unet.unet.network.predictor import Predictor, by_keras, guarded

PROGRAM = "napari_snow_unet.unet.models.keras_process"


class KerasProcess:
    """A process that holds a network; it ends with `close`, and when this process or object does.

    Whoever calls it after it has ended starts it again.

    Parameters
    ----------
    folder : Path
        The model folder.
    precision : {"float32", "fast", "bfloat16", "float16"}
        Number format, see `models.open_model`.

    Raises
    ------
    InputError
        If no engine of Keras can be loaded there.
    """

    def __init__(self, folder: Path, precision: Precision) -> None:
        self._asked_for = str(folder), precision
        self._turn = threading.Lock()
        self._told = self._start()
        self.kind, self.precision = self._told["kind"], self._told["precision"]
        self.device, self.reason = self._told["device"], self._told["reason"]

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute float32 (N, Y, X, C) to the probability, float32 (N, Y, X)."""
        with self._turn:
            if self._process.poll() is not None:
                self._start_again()
            try:
                self._windows.hold(pixels.nbytes)
                self._windows.as_array(pixels.shape)[...] = pixels
                self._ask({"shape": pixels.shape})
                self._answer()
                return self._windows.as_array(pixels.shape[:3]).copy()
            except (InputError, MemoryError):
                raise
            except BaseException:  # as Ctrl-C: what it answers now belongs to no question
                self.close()
                raise

    def _start(self) -> dict[str, Any]:
        self._windows = _Windows()
        program = [sys.executable, "-P", "-m", PROGRAM]
        self._process = subprocess.Popen(
            [*program, *self._asked_for, self._windows.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **without_window(),
        )
        self.close = weakref.finalize(self, _end, self._process, self._windows)
        try:
            return self._answer()
        except BaseException:
            self.close()
            raise

    def _start_again(self) -> None:
        self.close()
        if (told := self._start()) != self._told:
            self.close()
            raise InputError(
                f"a network on {told['device']} in {told['precision']}, where it was on "
                f"{self.device} in {self.precision} before",
                expected="the same GPU as before",
                remedy="Restart this program, or compute on the CPU.",
            )

    def _ask(self, request: dict[str, Any]) -> None:
        stdin = cast(IO[str], self._process.stdin)
        with contextlib.suppress(OSError):  # it has ended: reading its answer says so
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()

    def _answer(self) -> dict[str, Any]:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            code = self._process.wait()
            raise InputError(
                f"the process that computes on the GPU has ended (exit code {code})",
                expected="one that stays",
                remedy="Run again, or on the CPU.",
            )
        answer: dict[str, Any] = json.loads(line)
        if "memory" in answer:
            raise MemoryError(answer["memory"])
        if "refused" in answer:
            problem, remedy, helps = answer["refused"]
            raise InputError(Message(problem, remedy, tuple(helps)))
        return answer


def on_gpu(
    config: UNetConfig, folder: Path, precision: Precision, *, insist: bool
) -> Predictor | None:
    """Start a network on a GPU; None where there is none, or the reason if one is insisted on.

    Raises
    ------
    InputError
        If a GPU is insisted on and there is none.
    """
    try:
        process = KerasProcess(folder, precision)
    except InputError:
        if insist:
            raise
        return None
    if process.kind != "gpu":
        process.close()
        if insist:
            raise InputError(
                f"no GPU can be used ({process.reason})",
                expected="a GPU that the engine can use",
                remedy="Choose the device auto or cpu, or another engine.",
            )
        return None
    return in_process(config, process)


def in_process(config: UNetConfig, process: KerasProcess) -> Predictor:
    """Return a network that such a process holds, for as long as the predictor lives."""
    room = Room()  # a GPU has memory of its own, and an engine that says it is full
    return Predictor(guarded(process, config, room), process.precision, process.device, room)


class _Windows:
    """A temporary file that two processes map, as large as was ever needed."""

    def __init__(self) -> None:
        # not a NamedTemporaryFile, which nobody else may open on Windows
        self._folder = Path(tempfile.mkdtemp(prefix="napari-snow-unet-"))
        self._size = 0
        self.name = str(self._folder / "windows")

    def hold(self, size: int) -> None:
        """Make room for so many bytes; what is merely promised would end a program later."""
        if size > self._size:
            with Path(self.name).open("ab") as file:
                file.write(bytes(size - self._size))
            self._size = size

    def as_array(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the beginning of the file as an array."""
        return _mapped(self.name, shape)

    def remove(self) -> None:
        """Remove the file; the other process does so where this one has been killed."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _mapped(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.memmap(name, np.float32, "r+", shape=tuple(shape))


def _end(process: subprocess.Popen[str], windows: _Windows) -> None:
    """End a process that may be at a window: it holds nothing that would be lost."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    windows.remove()


def main(folder: str, precision: Precision, windows: str) -> None:
    """Hold a network and compute windows until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with contextlib.suppress(OSError):
        os.dup2(2, 1)  # what libraries print is no answer
    try:
        for said in _answers(folder, precision, windows):
            answers.write(json.dumps(said) + "\n")
            answers.flush()
    except BrokenPipeError:  # whoever asked is gone
        pass
    finally:
        shutil.rmtree(Path(windows).parent, ignore_errors=True)


def _answers(folder: str, precision: Precision, windows: str) -> Iterator[dict[str, Any]]:
    try:
        from napari_snow_unet.unet.engine.selection import load_engine

        device = load_engine()
        network = by_keras(*read_model(folder), precision)
    except Exception as error:
        yield _as_said(error)
        return
    yield {
        "kind": device.kind,
        "reason": device.reason,
        "device": network.device,
        "precision": network.precision,
    }
    for line in sys.stdin:
        try:
            found = network.predict(np.array(_mapped(windows, json.loads(line)["shape"])))
            _mapped(windows, found.shape)[...] = found
        except Exception as error:
            yield _as_said(error)
        else:
            yield {}


def _as_said(error: Exception) -> dict[str, Any]:
    if isinstance(error, MemoryError):
        return {"memory": str(error)}
    if isinstance(error, InputError):
        return {"refused": error.message}
    problem = f"The GPU failed ({type(error).__name__}: {str(error)[:300]})."
    return {
        "refused": Message(problem, "Run again, or on the CPU."),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]  # from `KerasProcess`, which knows the choices
    end_at_once()
