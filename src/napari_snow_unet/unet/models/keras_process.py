"""A network on a GPU, computed by Keras in a separate process.

TensorFlow takes seconds to load and hundreds of megabytes, and conflicts with some OpenGL drivers.
So the user's program never imports it: windows and probability maps are exchanged with the process
through a file that both map into memory, coordinated by lines of JSON.
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
from napari_snow_unet.unet.engine import messages as engine_messages
from napari_snow_unet.unet.engine.process import end_at_once
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.models.store import read_model
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import Room
from napari_snow_unet.unet.network.predictor import Predictor, by_keras, guarded

PROGRAM = "napari_snow_unet.unet.models.keras_process"


class KerasProcess:
    """A process with a network; it ends with `close`, this object, or this program.

    A call after its end starts it again.

    Parameters
    ----------
    folder : Path
        The model folder.
    precision : {"float32", "fast", "bfloat16", "float16"}
        Number format, see `models.open_model`.

    Raises
    ------
    InputError
        If no Keras backend can be loaded.
    """

    def __init__(self, folder: Path, precision: Precision) -> None:
        self._arguments = str(folder), precision
        self._turn = threading.Lock()
        self._facts = self._start()
        self.kind, self.precision = self._facts["kind"], self._facts["precision"]
        self.device, self.reason = self._facts["device"], self._facts["reason"]

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
            except BaseException:  # such as Ctrl-C: its next answer would be out of step
                self.close()
                raise

    def _start(self) -> dict[str, Any]:
        self._windows = _Windows()
        program = [sys.executable, "-P", "-m", PROGRAM]
        self._process = subprocess.Popen(
            [*program, *self._arguments, self._windows.name],
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
        if (facts := self._start()) != self._facts:
            self.close()
            raise InputError(
                messages.other_gpu(facts["device"], facts["precision"], self.device, self.precision)
            )

    def _ask(self, request: dict[str, Any]) -> None:
        stdin = cast(IO[str], self._process.stdin)
        with contextlib.suppress(OSError):  # it has ended; `_answer` notices
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()

    def _answer(self) -> dict[str, Any]:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            code = self._process.wait()
            raise InputError(messages.gpu_process_ended(code))
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
    """Start a network on a GPU; without a GPU return None, or raise if `insist`.

    Raises
    ------
    InputError
        If `insist` and no GPU can be used.
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
            raise InputError(engine_messages.no_gpu(process.reason))
        return None
    return in_process(config, process)


def in_process(config: UNetConfig, process: KerasProcess) -> Predictor:
    """Return the network of a process, which ends with the predictor."""
    room = Room()  # a GPU has its own memory, and its engine reports when it is full
    return Predictor(guarded(process, config, room), process.precision, process.device, room)


class _Windows:
    """A temporary file that two processes map; it only grows."""

    def __init__(self) -> None:
        # not a NamedTemporaryFile, which another process cannot open on Windows
        self._folder = Path(tempfile.mkdtemp(prefix="napari-snow-unet-"))
        self._size = 0
        self.name = str(self._folder / "windows")

    def hold(self, size: int) -> None:
        """Write so many bytes: with a sparse file, a full disk would crash the program later."""
        if size > self._size:
            with Path(self.name).open("ab") as file:
                file.write(bytes(size - self._size))
            self._size = size

    def as_array(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the start of the file as an array."""
        return _mapped(self.name, shape)

    def remove(self) -> None:
        """Remove the file; if this process was killed, the other one does."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _mapped(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.memmap(name, np.float32, "r+", shape=tuple(shape))


def _end(process: subprocess.Popen[str], windows: _Windows) -> None:
    """Kill a process, which has nothing to lose."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    windows.remove()


def main(folder: str, precision: Precision, windows: str) -> None:
    """Load a network and compute windows until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with contextlib.suppress(OSError):
        os.dup2(2, 1)  # keep output of libraries out of the answers
    try:
        for answer in _answers(folder, precision, windows):
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    except BrokenPipeError:  # the parent has ended
        pass
    finally:
        shutil.rmtree(Path(windows).parent, ignore_errors=True)


def _answers(folder: str, precision: Precision, windows: str) -> Iterator[dict[str, Any]]:
    try:
        from napari_snow_unet.unet.engine.selection import load_engine

        device = load_engine()
        network = by_keras(*read_model(folder), precision)
    except Exception as error:
        yield _failure(error)
        return
    yield {
        "kind": device.kind,
        "reason": device.reason,
        "device": network.device,
        "precision": network.precision,
    }
    for line in sys.stdin:
        try:
            maps = network.predict(np.array(_mapped(windows, json.loads(line)["shape"])))
            _mapped(windows, maps.shape)[...] = maps
        except Exception as error:
            yield _failure(error)
        else:
            yield {}


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, MemoryError):
        return {"memory": str(error)}
    if isinstance(error, InputError):
        return {"refused": error.message}
    return {"refused": messages.gpu_failed(f"{type(error).__name__}: {str(error)[:300]}")}


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]  # `KerasProcess` passes a valid choice
    end_at_once()
