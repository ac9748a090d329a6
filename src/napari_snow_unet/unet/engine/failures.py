"""What can go wrong in a training, said so that a person can act on it."""

from __future__ import annotations

import errno
from pathlib import Path

from napari_snow_unet.base.errors import InputError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_OUT_OF_MEMORY = (
    "out of memory",
    "oom when allocating",
    "failed to allocate",
    "bad_alloc",
    "can't alloc",  # OpenVINO
    "resourceexhausted",
    "could not create a primitive",  # oneDNN, when it gets no room for one
)
_NO_KERNEL = "status: 3, message: could not create a primitive"  # oneDNN has none for this


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error, of Python or of an engine, means that memory did not suffice."""
    text = f"{type(error).__name__} {error}".lower()
    known = _NO_KERNEL not in text and any(words in text for words in _OUT_OF_MEMORY)
    return isinstance(error, MemoryError) or known


def unsupported(error: BaseException) -> InputError | None:
    """Turn an engine's error for a number format that it has no kernels for into one to act on."""
    if _NO_KERNEL not in str(error).lower():
        return None
    return InputError(
        "a number format for which the engine has no kernels with these processor instructions",
        expected="float32",
        remedy="Choose the precision float32, or remove the environment variable "
        "ONEDNN_MAX_CPU_ISA or DNNL_MAX_CPU_ISA if it is set.",
    )


def explain(error: BaseException, folder: Path, *, epoch: int) -> InputError | None:
    """Turn an error of a training into one a person can act on; None for an unforeseen one."""
    kept = f"resumed, the training goes on after epoch {epoch}"
    for cause in _chain(error):
        if isinstance(cause, InputError):
            return cause
        if (refusal := unsupported(cause)) is not None:
            return refusal
        if isinstance(cause, OSError) and cause.errno in _NO_SPACE:
            return InputError(
                f"the disk is full ({cause.filename or folder})",
                expected="room for the training's files",
                remedy=f"Make room; {kept}.",
                path=folder,
            )
        if isinstance(cause, OSError):
            return InputError(
                f"a file cannot be read or written ({cause})",
                expected="a folder that can be written to, and all files of the dataset",
                remedy=f"Mend that; {kept}.",
                path=folder,
            )
        if is_out_of_memory(cause):
            return InputError(
                "there is not enough memory for a batch",
                expected="room for the network and one batch",
                remedy="Start anew with smaller batches or crops, or on the CPU; "
                f"after other programs were closed, {kept}.",
                path=folder,
            )
    return None


def became_nan(folder: Path, *, epoch: int, batch: int) -> InputError:
    """Return the error for a loss that is no number any more; epoch and batch count from 1."""
    return InputError(
        f"the loss is not a number any more (epoch {epoch}, batch {batch})",
        expected="a loss that stays finite",
        remedy=f"What was good until epoch {epoch - 1} is kept. Start anew with a smaller learning "
        "rate or in the precision float32.",
        path=folder,
    )


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and what it came from."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain
