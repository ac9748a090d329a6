"""What computes a network, and the plain call it is computed by."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Call = Callable[[NDArray[np.float32]], NDArray[np.float32]]

# To what a person can limit oneDNN, by its names, that lacks bfloat16; others it does not know.
_WITHOUT_BFLOAT16 = frozenset(
    ["SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"]
)


@dataclass(frozen=True)
class Device:
    """Where networks are computed."""

    backend: str  # tensorflow, torch or jax
    kind: str  # cpu or gpu
    name: str  # what the system calls it
    reason: str = ""  # why it is not a GPU


def processor_name() -> str:
    """Return what the system calls its processor, and the number of its cores."""
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def onednn_may_use_bfloat16() -> bool:
    """Tell whether nobody has limited oneDNN to instructions that lack bfloat16.

    It would compute in it all the same, several times slower than in float32.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    return limit.upper() not in _WITHOUT_BFLOAT16
