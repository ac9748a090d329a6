"""Files and folders that are either complete or absent."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_snow_unet.base import messages
from napari_snow_unet.base.errors import InputError

TEMPORARY = ".writing-"  # prefix of files and folders that are not complete yet


@contextmanager
def written_whole(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path with the same suffix; rename it to `path` if the block succeeds."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(messages.FILE_EXISTS, path=path)
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


def write_table(
    path: Path, rows: Iterable[Iterable[Any]], *, overwrite: bool = False, end: str = "\n"
) -> None:
    """Write a complete CSV file or none: the header is the first row, None is an empty cell."""
    with (
        written_whole(path, overwrite=overwrite) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file, lineterminator=end).writerows(rows)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put this path into disk errors that name no file, or a temporary one."""
    try:
        yield
    except OSError as error:
        nameless = error.filename is None or Path(error.filename).name.startswith(TEMPORARY)
        if error.errno is None or not nameless:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def replace(source: Path, target: Path, attempts: int = 6) -> None:
    """Rename a file or folder, replacing the target."""
    for attempt in range(attempts):  # on Windows it fails while the file is read: wait 3 s
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == attempts - 1:
                raise
            time.sleep(0.1 * 2**attempt)


@contextmanager
def folder_written_whole(
    path: str | os.PathLike[str], *, overwrite: bool, ours: Callable[[Path], bool]
) -> Iterator[Path]:
    """Yield a temporary folder; rename it to `path` if the block succeeds.

    An existing folder is replaced only if `overwrite` is set and `ours` returns True for it.
    """
    path = Path(path)
    if path.exists() and not (overwrite and path.is_dir() and ours(path)):
        if not path.is_dir():
            raise InputError(messages.NAME_OF_FILE, path=path)
        raise InputError(messages.OTHER_FOLDER if overwrite else messages.FOLDER_EXISTS, path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
    try:
        whole = temporary / path.name
        whole.mkdir()
        yield whole
        if path.exists():
            replace(path, temporary / "old")
        replace(whole, path)
    finally:
        if not path.exists() and (temporary / "old").exists():
            replace(temporary / "old", path)
        shutil.rmtree(temporary, ignore_errors=True)
