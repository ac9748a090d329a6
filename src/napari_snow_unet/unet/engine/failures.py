"""Turn errors of engines and trainings into messages that a person can act on."""

from __future__ import annotations

import errno
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import messages

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_OUT_OF_MEMORY = (
    "out of memory",
    "oom when allocating",
    "failed to allocate",
    "bad_alloc",
    "can't alloc",  # OpenVINO
    "resourceexhausted",
    "could not create a primitive",  # oneDNN, when memory runs out
)
_NO_KERNEL = "status: 3, message: could not create a primitive"  # oneDNN has none for this


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of Python or of an engine means that memory ran out."""
    text = f"{type(error).__name__} {error}".lower()
    memory_ran_out = _NO_KERNEL not in text and any(words in text for words in _OUT_OF_MEMORY)
    return isinstance(error, MemoryError) or memory_ran_out


def unsupported(error: BaseException) -> InputError | None:
    """Return the refusal for an engine's error about a number format; None for other errors."""
    if _NO_KERNEL not in str(error).lower():
        return None
    return InputError(messages.NO_KERNELS)


def explain(error: BaseException, folder: Path, *, epoch: int) -> InputError | None:
    """Return the error to report for a failed training; None for an unforeseen one.

    `epoch` is the last finished one.
    """
    for cause in _chain(error):
        if isinstance(cause, InputError):
            return cause
        if (refusal := unsupported(cause)) is not None:
            return refusal
        if isinstance(cause, OSError) and cause.errno in _NO_SPACE:
            file = str(cause.filename or folder)
            return InputError(messages.disk_full(file, epoch), path=folder)
        if isinstance(cause, OSError):
            return InputError(messages.file_error(str(cause), epoch), path=folder)
        if is_out_of_memory(cause):
            return InputError(messages.out_of_memory(epoch), path=folder)
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and its causes."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain
