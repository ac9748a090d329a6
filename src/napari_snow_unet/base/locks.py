"""Locks on files, which the system takes from a process that ends, killed or not.

Of the package filelock (4.3.1) only a part would do: it has no shared lock, so of two that look
whether a lock is held a quarter of the looks find each other; it raises where flock is unknown to
a network drive; and on Windows it locks the first byte of a file in which others shall read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from napari_snow_unet.base.errors import InputError

LOCK = ".lock"
_BEYOND = 1 << 30  # Windows locks bytes, and locked bytes cannot be read


def lock_file(stream: IO[Any], *, shared: bool = False) -> bool:
    """Lock an open file, and tell whether that went well; where there are no locks, it does."""
    if sys.platform == "win32":
        import msvcrt

        stream.seek(_BEYOND)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network drives know no locks
        return True
    return True


def unlock_file(stream: IO[Any]) -> None:
    """Let go of an open file that `lock_file` locked."""
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            stream.seek(_BEYOND)
            msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_UN)


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Be the only program that writes to a folder for the time of a block, or refuse."""
    path = folder / LOCK
    with _locked(path):
        try:
            yield
        finally:
            if sys.platform != "win32":  # there an open file cannot be removed
                path.unlink(missing_ok=True)
    if sys.platform == "win32":
        with suppress(OSError):  # somebody else holds it by now
            path.unlink()


def _locked(path: Path) -> IO[bytes]:
    """Open and lock a file; again if whoever held it has removed it meanwhile."""
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
        if not lock_file(stream):
            stream.close()
            raise InputError(
                "another program is writing to the folder",
                expected="to be the only one",
                remedy="Wait until it has finished, or stop it.",
                path=path.parent,
            )
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return stream
        stream.close()
