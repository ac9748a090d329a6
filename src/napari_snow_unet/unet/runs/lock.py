"""One process at a time trains in a folder, and others can see which."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from napari_snow_unet.base.errors import InputError

LOCK = "lock"
_BEYOND = 1 << 30  # Windows locks bytes, and locked bytes cannot be read
_TRIES, _PAUSE = 10, 0.1  # somebody may be looking at the lock just now


@contextmanager
def run_locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a training; the system lets go of it when this process ends, killed or not.

    Raises
    ------
    InputError
        If another process holds it.
    """
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        for left in reversed(range(_TRIES)):
            if _acquire(file, shared=False):
                break
            if not left:
                process = _read(folder)
                raise InputError(
                    f"process {process.get('pid', '?')} on {process.get('host', '?')} trains in it",
                    expected="one training at a time in a folder",
                    remedy="Wait for it, stop it, or choose another folder.",
                    path=folder,
                )
            time.sleep(_PAUSE)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                file.truncate(0)
            _release(file)


def training_process(folder: str | os.PathLike[str]) -> int | None:
    """Return the number of the process that trains in a folder, None if there is none.

    Parameters
    ----------
    folder : path-like
        Of a training.

    Returns
    -------
    int or None
        The process may run on another computer that shares the folder.
    """
    folder = Path(folder)
    try:
        with (folder / LOCK).open("a+", encoding="utf-8") as file:
            if _acquire(file, shared=True):
                _release(file)
                return None
    except OSError:
        return None
    return int(_read(folder).get("pid", 0))


def _read(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / LOCK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _acquire(file: IO[str], *, shared: bool) -> bool:
    if sys.platform == "win32":
        import msvcrt

        file.seek(_BEYOND)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _release(file: IO[str]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            file.seek(_BEYOND)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_UN)
