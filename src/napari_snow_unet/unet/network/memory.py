"""Memory of batches and windows, memory of the computer, and reuse of freed memory."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.unet.network import messages
from napari_snow_unet.unet.network.config import UNetConfig

_TOUCHED = 0.55  # measured: least fraction of its address space that an engine uses
_BEYOND_CONVOLUTIONS = 1.3  # measured: 1.3 to 2 times the outputs of all convolutions


# Parameters of `mallopt`, from glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_NEVER, _AT_A_TIME = 2**31 - 1, 2**28


def keep_freed_memory() -> bool:
    """Let glibc keep freed memory; False with other libraries. Call it before any thread starts."""
    # A training step frees and reallocates hundreds of arrays; the system clears their pages each
    # time. Keeping them takes 0.90 of the time of a step on two cores, at the same peak memory.
    # For programs that only train.
    if sys.platform != "linux":
        return False
    import ctypes

    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = (_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _AT_A_TIME)
    return all(library.mallopt(*setting) == 1 for setting in settings)


def batch_bytes(config: UNetConfig, shape: tuple[int, int, int], precision: str) -> int:
    """Return the least bytes that a batch (crops, height, width) needs up to its gradient."""
    per_pixel = 0.0
    for level in range(config.levels):
        blocks = 1 if level == config.levels - 1 else 2.5  # down, up, transposed convolution
        per_pixel += 2 * blocks * config.filters(level) / 4**level
    crops, height, width = shape
    each = 4 if precision == "float32" else 2
    return int(crops * height * width * per_pixel * each * _BEYOND_CONVOLUTIONS)


def require_memory(config: UNetConfig, shape: tuple[int, int, int], precision: str) -> None:
    """Refuse a batch that cannot fit, before the system kills the program."""
    crops, height, width = shape
    _require(
        batch_bytes(config, shape, precision),
        lambda needed, most: messages.batch_too_large(crops, height, width, needed, most),
    )


@dataclass(frozen=True)
class Room:
    """The memory that a window needs; 0 bytes where an engine has memory of its own.

    Attributes
    ----------
    least : float
        Bytes per pixel of the window with any kernels. In the decoder at full size, the feature
        maps of the skip connection and of the upsampled level are concatenated, and a convolution
        writes a third.
    most : float
        Bytes per pixel with the most demanding kernels.
    windows : int
        Number of windows computed at once.
    """

    least: float = 0.0
    most: float = 0.0
    windows: int = 1

    @classmethod
    def on_processor(cls, config: UNetConfig, precision: str, windows: int = 1) -> Room:
        """Return the memory of a network compiled by OpenVINO.

        `most` was measured for windows of 512 to 2,048 pixels on two threads with the
        instructions of SSE4.1 to AVX-512, in maps of one filter in float32: for 1, 4, 16 and 64
        filters 10, 32, 98 to 114 and 355 in float32, and 12, 21, 46 to 62 and 181 in bfloat16.
        """
        filters, plane = config.base_filters, 4
        if precision == "bfloat16":
            return cls(1.5 * filters * plane, (5 * filters + 8) * plane, windows)
        return cls(3 * filters * plane, (9 * filters + 4) * plane, windows)

    def require(self, shape: tuple[int, ...]) -> None:
        """Refuse (windows, height, width) that cannot fit, with which an engine may crash."""
        windows, height, width = shape
        _require(
            int(windows * height * width * self.least),
            lambda needed, most: messages.window_too_large(height, width, needed, most),
        )

    def edge_that_fits(self, edge: int) -> int:
        """Return the size of the largest square window that surely fits now, at most `edge`."""
        there = memory_available()
        if there is None or not self.most:
            return edge
        return int(min(edge, math.sqrt(there / (self.most * self.windows))))


def _require(needed: int, refusal: Callable[[int, int], Message]) -> None:
    most = memory_limit()
    if most is not None and needed > most:
        raise InputError(refusal(needed, most))


def memory_limit() -> int | None:
    """Return the most bytes this program can ever have; None if unknown."""
    limits = []
    with suppress(AttributeError, ValueError, OSError):  # not on Windows
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):  # a container; may be "max"
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    limits += _address_space_left()
    return min(limits, default=None)


def memory_available() -> int | None:
    """Return the bytes that are free now on Linux; None elsewhere, where systems rather swap."""
    free = [int(room * _TOUCHED) for room in _address_space_left()]
    with suppress(OSError, KeyError, ValueError, IndexError):
        free.append(_entry(Path("/proc/meminfo"), "MemAvailable:") * 1024)
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, KeyError, ValueError, IndexError):  # a container
        most, used = (
            int((group / name).read_text(encoding="ascii"))
            for name in ("memory.max", "memory.current")
        )
        # Cached files count as used, but are dropped when memory is needed.
        free.append(max(most - used + _entry(group / "memory.stat", "inactive_file"), 0))
    return min(free, default=None)


def _entry(path: Path, name: str) -> int:
    """Return the number after a name in one of the system's lists."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return int({words[0]: words[1] for words in lines if len(words) > 1}[name])


def _address_space_left() -> list[int]:
    """Return the address space left under its limit; nothing if it is unlimited."""
    if sys.platform == "win32":
        return []
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    return [] if most == resource.RLIM_INFINITY else [max(most - _address_space(), 0)]


def _address_space() -> int:
    """Return the address space in use; 0 if unknown."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
