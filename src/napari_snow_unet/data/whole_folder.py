"""Folders that are either whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_snow_unet.data.files import InputError, replace


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
