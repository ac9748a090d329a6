"""Only one process at a time trains in a folder, and others can see which."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.locks import lock_file, unlock_file
from napari_snow_unet.unet.runs import messages

LOCK = "lock"
_TRIES, _PAUSE = 10, 0.1  # another process may be reading the lock


@contextmanager
def run_locked(folder: Path) -> Iterator[None]:
    """Lock a folder for training during a block; refuse if another process trains in it."""
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        for left in reversed(range(_TRIES)):
            if lock_file(file):
                break
            if not left:
                process = _read(folder)
                number, host = process.get("pid", "?"), process.get("host", "?")
                raise InputError(messages.in_use(str(number), str(host)), path=folder)
            time.sleep(_PAUSE)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                file.truncate(0)
            unlock_file(file)


def training_process(folder: str | os.PathLike[str]) -> int | None:
    """Return the ID of the process that trains in a folder, possibly on another computer."""
    folder = Path(folder)
    try:
        with (folder / LOCK).open("a+", encoding="utf-8") as file:
            if lock_file(file, shared=True):
                unlock_file(file)
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
