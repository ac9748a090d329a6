"""How much memory a batch or a window takes, how much there is, and keeping what was freed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from napari_snow_unet.data.files import InputError
from napari_snow_unet.unet.config import UNetConfig

# Measured: float32 outputs of the first convolution, in float32 and in bfloat16 up to these.
_LIVE_LAYERS, _LIVE_LAYERS_MERGED = 6.0, 3.3
_TOUCHED = 0.55  # measured: of the address space that an engine takes it uses this part
_BEYOND_CONVOLUTIONS = 1.3  # measured: 1.3 to 2 times the outputs of all convolutions


# Of glibc's malloc.h: what `mallopt` sets.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_NEVER, _AT_A_TIME = 2**31 - 1, 2**28


def keep_freed_memory() -> bool:
    """Let the C library keep what this program frees, in place of giving it back to the system.

    A step of a training frees hundreds of arrays and asks for them anew; the system clears every
    page of them each time. Kept, they cost nothing: 0.90 of the time of a step on two cores, at the
    same largest use. For programs that train and do nothing else, before their first thread.

    Returns
    -------
    bool
        Whether it was done: with glibc, so on most Linux systems, and nowhere else.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = (_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _AT_A_TIME)
    return all(library.mallopt(*setting) == 1 for setting in settings)


def batch_bytes(config: UNetConfig, shape: tuple[int, int, int], precision: str) -> int:
    """Estimate what is kept of a batch until its gradient is known, from below.

    Parameters
    ----------
    config : UNetConfig
        Architecture.
    shape : tuple of int
        Crops, height, width.
    precision : str
        Keras' dtype policy.

    Returns
    -------
    int
        Bytes.
    """
    per_pixel = 0.0
    for level in range(config.levels):
        blocks = 1 if level == config.levels - 1 else 2.5  # down, up, transposed convolution
        per_pixel += 2 * blocks * config.filters(level) / 4**level
    crops, height, width = shape
    each = 4 if precision == "float32" else 2
    return int(crops * height * width * per_pixel * each * _BEYOND_CONVOLUTIONS)


def require_memory(config: UNetConfig, shape: tuple[int, int, int], precision: str) -> None:
    """Refuse a batch that cannot fit, before the system ends the program without a word.

    Parameters
    ----------
    config : UNetConfig
        Architecture.
    shape : tuple of int
        Crops, height, width.
    precision : str
        Keras' dtype policy.

    Raises
    ------
    InputError
        If it takes more than this program may have.
    """
    crops, height, width = shape
    _require(
        batch_bytes(config, shape, precision),
        f"a batch of {crops} x {height} x {width} pixels",
        remedy="Choose smaller batches or crops, or fewer filters.",
    )


def require_window_memory(shape: tuple[int, int, int], filters: int, *, merged: bool) -> None:
    """Refuse windows that cannot fit: an engine that gets no memory may end the program.

    Parameters
    ----------
    shape : tuple of int
        Windows, height, width.
    filters : int
        Of the network's first convolution.
    merged : bool
        Whether the network is one that `network.for_prediction` has changed.

    Raises
    ------
    InputError
        If they take more than this program may have.
    """
    windows, height, width = shape
    layers = _LIVE_LAYERS_MERGED if merged else _LIVE_LAYERS
    _require(
        int(windows * height * width * filters * 4 * layers),
        f"a window of {height} x {width} pixels",
        remedy="Use a smaller tile size.",
    )


def _require(needed: int, what: str, remedy: str) -> None:
    most = memory_limit()
    if most is not None and needed > most:
        raise InputError(
            f"{what}, which takes about {_in_words(needed)}",
            expected=f"at most the {_in_words(most)} there are",
            remedy=remedy,
        )


def _in_words(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def memory_limit() -> int | None:
    """Return the bytes this program can have at the very most; None where that is not known."""
    limits = []
    with suppress(AttributeError, ValueError, OSError):  # not on Windows
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):  # a container; "max" is no number
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            limits.append(int(max(most - _address_space(), 0) * _TOUCHED))
    return min(limits, default=None)


def _address_space() -> int:
    """Return the address space in use, 0 where it is not told."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
