"""The process that trains: the shell's command, started without a window, that may outlive us."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from napari_snow_unet.base.options import declared
from napari_snow_unet.base.processes import without_window
from napari_snow_unet.unet.runs.options import TrainingOptions, make_options

_LONGEST_ERROR = 20_000  # bytes of what was printed last


def arguments_to_train(
    dataset: Path, folder: Path, options: TrainingOptions, *, fine_tune: str = ""
) -> list[str]:
    """Return the shell's arguments for a new training, without what the preset says already."""
    words = ["train", str(dataset), "--out", str(folder), "--preset", options.preset]
    preset = make_options(options.preset)
    for name, one in declared(TrainingOptions).items():
        value = getattr(options, name)
        if name != "preset" and value != getattr(preset, name):
            words += one.as_words(value, default_too=True)
    return [*words, *(["--fine-tune", fine_tune] if fine_tune else [])]


def arguments_to_resume(folder: Path) -> list[str]:
    """Return the arguments of ``napari-snow-unet`` to go on with a training."""
    return ["train", "--resume", str(folder)]


class TrainingProcess:
    """A child process that trains; it ends when this program does, however that ends, unless kept.

    `echo` is called, from a thread, with every line that it prints.
    """

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        *,
        keep: bool,
        device: str = "auto",
        backend: str = "auto",
        echo: Callable[[str], None] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.keep = folder, keep
        command = [*arguments, "--device", device, "--backend", backend]
        if not keep:
            command.append("--stop-with-parent")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
        self._last_error = ""
        options = without_window()
        options["env"] |= environment or {}
        self._process = subprocess.Popen(
            [*shell_command(), *command],
            stdin=subprocess.DEVNULL if keep else subprocess.PIPE,
            stdout=subprocess.DEVNULL if echo is None else subprocess.PIPE,  # log.txt says the same
            stderr=self._errors,
            **options,
        )
        self._reader: threading.Thread | None = None
        if echo is not None:
            self._reader = threading.Thread(target=self._read, args=[echo], daemon=True)
            self._reader.start()
        _started[folder] = self

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return how the process has ended; None while it lives."""
        code = self._process.poll()
        if code is not None:
            self._clean_up()
        return code

    def error(self) -> str:
        """Return the error it has printed last."""
        return self._last_error

    def end(self) -> None:
        """Ask the process to end after its batch, or 4 seconds later; returns at once."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        elif self._process.poll() is None and os.name == "posix":
            self._process.terminate()  # it takes this for a request to stop

    def _read(self, echo: Callable[[str], None]) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as lines:
                for line in lines:
                    echo(line.decode("utf-8", "replace").rstrip())

    def _clean_up(self) -> None:
        _started.pop(self.folder, None)
        if self._reader is not None:
            self._reader.join()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        if not self._errors.closed:
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - _LONGEST_ERROR))
            self._last_error = last_error(self._errors.read().decode("utf-8", "replace"))
            self._errors.close()


_started: dict[Path, TrainingProcess] = {}  # also while no dock looks at them


def started_here(folder: Path) -> TrainingProcess | None:
    """Return the process that this program has started in a folder, if it still lives."""
    process = _started.get(folder)
    return process if process is not None and process.exit_code() is None else None


def shell_command() -> list[str]:
    """Return how the shell's command is started; files beside the user are not imported."""
    return [sys.executable, "-P", "-m", "napari_snow_unet.cli"]


def last_error(printed: str) -> str:
    """Return our own last error in what a command has printed, else the last line."""
    _, found, message = f"\n{printed}".rpartition("\nError: ")
    if found:
        return " ".join(message.split())
    lines = [line.strip(" │╭╮╰╯─\t") for line in printed.splitlines()]
    return next((line for line in reversed(lines) if line), "")
