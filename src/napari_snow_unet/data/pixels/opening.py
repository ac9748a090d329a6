"""Open a file on disk or in an archive; whatever goes wrong becomes one InputError."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import messages

#: A path, or an open file with a name.
Source: TypeAlias = "str | os.PathLike[str] | BinaryIO"
Errors: TypeAlias = tuple[type[Exception], ...]


def source_name(source: Source) -> Path:
    """Return the path of a file; of an open one its attribute `name`."""
    if isinstance(source, (str, os.PathLike)):
        return Path(source)
    return Path(str(getattr(source, "name", "the file")))


@contextmanager
def opened(source: Source, damage: Errors = (Exception,)) -> Iterator[tuple[Path, BinaryIO]]:
    """Yield the path and the stream of a file; errors become one InputError."""
    path = source_name(source)
    with path_errors(path, damage):
        if isinstance(source, (str, os.PathLike)):
            with path.open("rb") as stream:
                yield path, stream
        else:
            yield path, source


@contextmanager
def path_errors(path: Path, damage: Errors = (Exception,)) -> Iterator[None]:
    """Turn errors while a file is decoded into one InputError that names it.

    `damage` are the errors that mean a damaged file, besides those of the system.
    """
    try:
        yield
    except InputError as error:
        if error.path is not None:
            raise
        raise InputError(error.message, path=path) from error
    except MemoryError as error:
        raise InputError(messages.NOT_IN_MEMORY, path=path) from error
    except OSError as error:
        if error.errno is not None:  # the system's; Pillow raises its own without a number
            raise InputError(messages.unreadable(str(error.strerror)), path=path) from error
        raise InputError(messages.damaged(str(error)), path=path) from error
    except damage as error:  # decoders fail in many ways on damaged files
        detail = f"{type(error).__name__}: {error}"
        raise InputError(messages.damaged(detail), path=path) from error
