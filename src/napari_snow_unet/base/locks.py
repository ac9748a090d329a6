"""File locks that the system releases when their process ends, even if it is killed.

The package filelock (4.3.1) does not replace this module. It has no shared lock, so two processes
that only test a lock block each other in a quarter of the tests; it raises an error on network
drives without flock; and on Windows it locks the first byte of a file that others must read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from napari_snow_unet.base import messages
from napari_snow_unet.base.errors import InputError

LOCK = ".lock"
_BEYOND = 1 << 30  # Windows locks bytes, and locked bytes cannot be read


def lock_file(stream: IO[Any], *, shared: bool = False) -> bool:
    """Lock an open file and return True; return False if another process holds the lock.

    Where the file system has no locks, True is returned.
    """
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
    except OSError:  # some network drives have no locks
        return True
    return True


def unlock_file(stream: IO[Any]) -> None:
    """Release an open file that `lock_file` locked."""
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
    """Lock a folder for this program during a block.

    Raises
    ------
    InputError
        If another program holds the lock, or the folder is not writable.
    """
    path = folder / LOCK
    with _locked(path):
        try:
            yield
        finally:
            if sys.platform != "win32":  # Windows cannot remove an open file
                path.unlink(missing_ok=True)
    if sys.platform == "win32":
        with suppress(OSError):  # another process holds it by now
            path.unlink()


def _locked(path: Path) -> IO[bytes]:
    """Open and lock a file; try again if its last holder has removed it meanwhile."""
    while True:
        try:
            stream = path.open("ab")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(messages.folder_not_writable(reason), path=path.parent) from error
        if not lock_file(stream):
            stream.close()
            raise InputError(messages.FOLDER_IN_USE, path=path.parent)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return stream
        stream.close()
