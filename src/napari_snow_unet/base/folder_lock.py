"""One program at a time writes to a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from napari_snow_unet.base.errors import InputError

LOCK = ".lock"


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Hold a folder for the time of a block; the system lets go of it when the program dies.

    Raises
    ------
    InputError
        If another program holds it, or it cannot be written to.
    """
    path = folder / LOCK
    with _held(path):
        try:
            yield
        finally:
            if sys.platform != "win32":  # there an open file cannot be removed
                path.unlink(missing_ok=True)
    if sys.platform == "win32":
        with suppress(OSError):  # somebody else holds it by now
            path.unlink()


def _held(path: Path) -> IO[bytes]:
    """Open and lock the file; again if whoever held it has removed it meanwhile."""
    while True:
        try:
            stream = path.open("ab")
        except OSError as error:
            raise InputError(
                f"it cannot be written to ({error.strerror})",
                expected="a folder that you may write to",
                remedy="Choose another folder.",
                path=path.parent,
            ) from error
        if not _lock(stream):
            stream.close()
            break
        if _is_there(stream, path):
            return stream
        stream.close()
    raise InputError(
        "another program is writing to the folder",
        expected="to be the only one",
        remedy="Wait until it has finished, or stop it.",
        path=path.parent,
    )


def _is_there(stream: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(stream: IO[bytes]) -> bool:
    """Lock an open file, and tell whether that went well; some network drives know no locks."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
