"""What computes a network, and the plain call it is computed by."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Call = Callable[[NDArray[np.float32]], NDArray[np.float32]]


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
