"""Load TensorFlow so that it and OpenGL can live in one process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_MAKES_SYMBOLS_GLOBAL = "tensorflow.python.pywrap_dlopen_global_flags"


@contextmanager
def symbols_kept_apart() -> Iterator[None]:
    """Keep the libraries loaded inside from sharing symbols with those loaded elsewhere.

    TensorFlow and Mesa's OpenGL drivers each bring a copy of LLVM, and each offers its symbols to
    the whole process. Whichever comes second then calls into the other's copy and the process
    dies: napari when a network is first run, or a script that opens napari after using one.
    Inside this block TensorFlow keeps its symbols to itself (its own road where the module that
    makes them global is missing) and prefers them to what is there already.

    Does nothing where the system's linker has no such choice; only Linux has the conflict.

    Notes
    -----
    Seen with TensorFlow 2.21 beside Mesa 22.3 (LLVM 15, Debian 12) and Mesa 25.0 (LLVM 19, Debian
    13); reported as https://github.com/tensorflow/tensorflow/issues/109933.
    """
    if not hasattr(os, "RTLD_DEEPBIND"):
        yield
        return
    flags = sys.getdlopenflags()
    hidden = _MAKES_SYMBOLS_GLOBAL not in sys.modules
    if hidden:
        sys.modules[_MAKES_SYMBOLS_GLOBAL] = None  # type: ignore[assignment]
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        yield
    finally:
        sys.setdlopenflags(flags)
        if hidden:
            del sys.modules[_MAKES_SYMBOLS_GLOBAL]
