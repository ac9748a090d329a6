"""Open a file that a person named or an archive holds, and say in one sentence what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.decoding import PixelError

#: A path, or an open file with a name.
Source: TypeAlias = "str | os.PathLike[str] | BinaryIO"
_DAMAGED = "Open the file elsewhere to see whether it is whole; copy or export it again."


def source_name(source: Source) -> Path:
    """Return what a file is called; an open one by its attribute `name`."""
    if isinstance(source, (str, os.PathLike)):
        return Path(source)
    return Path(str(getattr(source, "name", "the file")))


@contextmanager
def opened(source: Source, expected: str) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a file's name and its content; what goes wrong with it becomes one InputError."""
    path = source_name(source)
    with path_errors(path, expected):
        if isinstance(source, (str, os.PathLike)):
            with path.open("rb") as stream:
                yield path, stream
        else:
            yield path, source


@contextmanager
def path_errors(path: Path, expected: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is decoded into one InputError that names it."""
    try:
        yield
    except InputError as error:
        if error.path is not None:
            raise
        raise InputError(error.message, path=path) from error
    except PixelError as error:
        remedy = error.remedy or _DAMAGED
        raise InputError(str(error), expected=expected, remedy=remedy, path=path) from error
    except MemoryError as error:
        received, remedy = "the image does not fit into memory", "Cut it into smaller tiles."
        raise InputError(received, expected=expected, remedy=remedy, path=path) from error
    except OSError as error:
        if error.errno is not None:  # the system's; Pillow raises its own without a number
            received, remedy = f"it cannot be opened ({error.strerror})", "Check the path."
            raise InputError(received, expected=expected, remedy=remedy, path=path) from error
        received = f"the file is damaged ({error})"
        raise InputError(received, expected=expected, remedy=_DAMAGED, path=path) from error
    except Exception as error:  # decoders fail in many ways on damaged files
        received = f"the file is damaged ({type(error).__name__}: {error})"
        raise InputError(received, expected=expected, remedy=_DAMAGED, path=path) from error
