"""How much memory a batch of a training takes, and how much there is."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from napari_snow_unet.data.files import InputError
from napari_snow_unet.unet.config import UNetConfig

_BEYOND_CONVOLUTIONS = 1.3  # measured: 1.3 to 2 times the outputs of all convolutions


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
    needed, most = batch_bytes(config, shape, precision), memory_limit()
    if most is not None and needed > most:
        crops, height, width = shape
        raise InputError(
            f"a batch of {crops} x {height} x {width} pixels, which takes about "
            f"{needed / 2**30:.1f} GiB",
            expected=f"at most the {most / 2**30:.1f} GiB there are",
            remedy="Use a smaller --batch-size, --crop or --base-filters.",
        )


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
            limits.append(max(most - _address_space(), 0))
    return min(limits, default=None)


def _address_space() -> int:
    """Return the address space in use, 0 where it is not told."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
