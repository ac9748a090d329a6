"""Files and folders that are either whole or absent."""

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

from napari_snow_unet.base.errors import InputError

TEMPORARY = ".writing-"  # begins the names of what is not whole yet


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


def write_table(
    path: Path, rows: Iterable[Iterable[Any]], *, overwrite: bool = False, end: str = "\n"
) -> None:
    """Write rows of cells as CSV, whole or not at all, the header first; None is an empty cell."""
    with (
        written_whole(path, overwrite=overwrite) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file, lineterminator=end).writerows(rows)


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


@contextmanager
def folder_written_whole(
    path: str | os.PathLike[str], *, overwrite: bool, ours: Callable[[Path], bool]
) -> Iterator[Path]:
    """Yield a temporary folder that takes the name `path` once the block has ended well.

    Parameters
    ----------
    path : path-like
        Where the folder shall stand. Its parents are made when they are missing.
    overwrite : bool
        Replace a folder that is already there.
    ours : callable
        Tells whether a folder that is already there is of the kind that may be replaced.

    Yields
    ------
    pathlib.Path
        The temporary folder to write to.

    Raises
    ------
    InputError
        If something of this name exists that may not be replaced.
    """
    path = Path(path)
    if path.exists() and not (overwrite and path.is_dir() and ours(path)):
        allowed = " or allow overwriting" if not overwrite else ""
        raise InputError(
            "the folder exists already" if path.is_dir() else "a file has this name",
            expected="a free name",
            remedy=f"Choose another folder{allowed}.",
            path=path,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
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
