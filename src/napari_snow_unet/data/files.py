"""Errors a person can act on, and files that are either whole or absent."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".writing-"  # begins the names of what is not whole yet


class InputError(ValueError):
    """Input that cannot be used: what was received, what was expected, what to do about it.

    Parameters
    ----------
    received : str
        What was found, as the subject of the sentence.
    expected : str
        What would have been right.
    remedy : str
        What the person can do now.
    path : path-like, optional
        The file or folder it is about; it is named first.
    """

    def __init__(
        self,
        received: str,
        *,
        expected: str,
        remedy: str,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.received, self.expected, self.remedy, self.path = received, expected, remedy, path
        where = f"{os.fspath(path)}: " if path is not None else ""
        super().__init__(f"{where}{received}; expected {expected}. {remedy}")

    @property
    def reason_first(self) -> str:
        """The same with the file at the end, for where only the beginning of a text is seen."""
        if self.path is None:
            return str(self)
        received, first = self.received, self.received.partition(" ")[0]
        if first.isalpha():  # and no name of a file
            received = f"{received[0].upper()}{received[1:]}"
        return f"{received}; expected {self.expected}. {self.remedy} ({os.fspath(self.path)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild the error from its parts when it crosses a process boundary."""
        return _rebuild, (self.received, self.expected, self.remedy, self.path)


def _rebuild(
    received: str, expected: str, remedy: str, path: str | os.PathLike[str] | None
) -> InputError:
    return InputError(received, expected=expected, remedy=remedy, path=path)


@contextmanager
def written_whole(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its name once the block has ended well.

    Parameters
    ----------
    path : path-like
        Where the file shall stand. Its folder is made when it is missing.
    overwrite : bool, default: False
        Replace a file that is already there.

    Yields
    ------
    pathlib.Path
        The temporary file to write to, with the suffix of `path`.

    Raises
    ------
    InputError
        If `path` exists and `overwrite` is false.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            "the file exists already",
            expected="a free name",
            remedy="Choose another folder or allow overwriting.",
            path=path,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an error of the disk name the file that was to be written.

    What fails at the end of a write names no file, and what fails on the way a temporary one.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    OSError
        With the same number as in the block.
    """
    try:
        yield
    except OSError as error:
        nameless = error.filename is None or Path(error.filename).name.startswith(TEMPORARY)
        if error.errno is None or not nameless:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def replace(source: Path, target: Path, attempts: int = 6) -> None:
    """Give a file or folder a name, taking it from the file that has it.

    On Windows that fails for as long as somebody reads the file, so it is tried for three seconds.
    """
    for attempt in range(attempts):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == attempts - 1:
                raise
            time.sleep(0.1 * 2**attempt)
