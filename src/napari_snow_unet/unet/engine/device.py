"""The device that computes a network, and the type of the call that computes it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Call = Callable[[NDArray[np.float32]], NDArray[np.float32]]

# Instruction sets without bfloat16 that the user can limit oneDNN to; it ignores unknown names.
_WITHOUT_BFLOAT16 = frozenset(
    ["SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"]
)


@dataclass(frozen=True)
class Device:
    """Where networks are computed."""

    backend: str  # tensorflow, torch or jax
    kind: str  # cpu or gpu
    name: str  # as the system reports it
    reason: str = ""  # why it is not a GPU: a sentence


def processor_name() -> str:
    """Return the processor's name as the system reports it, and its number of cores."""
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def onednn_may_use_bfloat16() -> bool:
    """Tell whether oneDNN may use bfloat16: the user has not limited it to older instructions.

    With such a limit it emulates bfloat16, several times slower than float32.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    return limit.upper() not in _WITHOUT_BFLOAT16
