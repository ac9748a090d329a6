"""Files and folders that are either whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_snow_unet.base.errors import InputError

TEMPORARY = ".writing-"  # begins the names of what is not whole yet


@contextmanager
def written_whole(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path, with the same suffix, that takes the name if the block ends well."""
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
    """Let an error of the disk name this file, where it names none or a temporary one."""
    try:
        yield
    except OSError as error:
        nameless = error.filename is None or Path(error.filename).name.startswith(TEMPORARY)
        if error.errno is None or not nameless:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def replace(source: Path, target: Path, attempts: int = 6) -> None:
    """Give a file or folder a name, taking it from the file that has it."""
    for attempt in range(attempts):  # on Windows it fails while somebody reads the file: 3 s
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
    """Yield a temporary folder that takes the name `path` once the block ends well.

    One that is there is replaced only if `overwrite` is set and `ours` says that it is of our kind.
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
