"""The process that trains: the shell command, without a window; it may outlive this program."""

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

_LONGEST_ERROR = 20_000  # bytes at the end of its output


def arguments_to_train(
    dataset: Path, folder: Path, options: TrainingOptions, *, fine_tune: str = ""
) -> list[str]:
    """Return the shell's arguments for a new training, without values of the preset."""
    words = ["train", str(dataset), "--out", str(folder), "--preset", options.preset]
    preset = make_options(options.preset)
    for name, one in declared(TrainingOptions).items():
        value = getattr(options, name)
        if name != "preset" and value != getattr(preset, name):
            words += one.as_words(value, default_too=True)
    return [*words, *(["--fine-tune", fine_tune] if fine_tune else [])]


def arguments_to_resume(folder: Path) -> list[str]:
    """Return the shell's arguments to resume a training."""
    return ["train", "--resume", str(folder)]


class TrainingProcess:
    """A child process that trains; unless `keep`, it ends with this program, even if killed.

    `echo` gets every line that it prints, from a thread.
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
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `_clean_up`)
        self._last_error = ""
        options = without_window()
        options["env"] |= environment or {}
        self._process = subprocess.Popen(
            [*shell_command(), *command],
            stdin=subprocess.DEVNULL if keep else subprocess.PIPE,
            stdout=subprocess.DEVNULL
            if echo is None
            else subprocess.PIPE,  # log.txt has the same lines
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
        """ID of the process."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code; None while the process runs."""
        code = self._process.poll()
        if code is not None:
            self._clean_up()
        return code

    def error(self) -> str:
        """Return the last error that it printed."""
        return self._last_error

    def end(self) -> None:
        """Request the process to end after its batch, at most 4 seconds later; return at once."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        elif self._process.poll() is None and os.name == "posix":
            self._process.terminate()  # a request to stop

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


_started: dict[Path, TrainingProcess] = {}  # also while no dock follows them


def started_here(folder: Path) -> TrainingProcess | None:
    """Return the running process that this program started in a folder, if any."""
    process = _started.get(folder)
    return process if process is not None and process.exit_code() is None else None


def shell_command() -> list[str]:
    """Return the shell command; Python files in the working folder are not imported."""
    return [sys.executable, "-P", "-m", "napari_snow_unet.cli"]


def last_error(printed: str) -> str:
    """Return the last error of this package in the output of a command, else the last line."""
    _, prefix, message = f"\n{printed}".rpartition("\nError: ")
    if prefix:
        return " ".join(message.split())
    lines = [line.strip(" │╭╮╰╯─\t") for line in printed.splitlines()]
    return next((line for line in reversed(lines) if line), "")
