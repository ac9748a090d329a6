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
    """Where networks are computed.

    Attributes
    ----------
    backend : {"tensorflow", "torch", "jax"}
        Keras' engine.
    kind : {"cpu", "gpu"}
        What computes.
    name : str
        What the system calls it.
    reason : str
        Why it is not a GPU; empty if it is one.
    """

    backend: str
    kind: str
    name: str
    reason: str = ""


def processor_name() -> str:
    """Return what the system calls its processor, and the number of its cores."""
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
