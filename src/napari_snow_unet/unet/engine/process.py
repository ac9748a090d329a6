"""Side effects of network libraries in a process: symbols, start-up output, slow exit."""

from __future__ import annotations

import atexit
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Printed by TensorFlow's libraries on every start, whatever the log level; before TensorFlow 2.21
# partly with a date in front.
_CHATTER = re.compile(
    r"^(WARNING: All log messages before absl|To enable the following instructions"
    r"|([IWE]\d{4}|\d{4}-\d\d-\d\d [\d:.]+: [IWE]) "
    r".*(oneDNN|cuda|cpu_feature|computation_placer|rebuild|TensorRT))"
)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hide the engine's start-up lines from the terminal; pass everything else on."""
    try:
        kept = os.dup(2)
    except OSError:  # no terminal at all
        yield
        return
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines(keepends=True)
            for line in lines:
                if not _CHATTER.match(line):
                    os.write(2, line.encode())


def end_at_once(code: int = 0) -> None:
    """Run the exit handlers and exit at once: unloading an engine takes seconds."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # its reader is gone
            stream.flush()
    os._exit(code)


_MAKES_SYMBOLS_GLOBAL = "tensorflow.python.pywrap_dlopen_global_flags"


@contextmanager
def symbols_kept_apart() -> Iterator[None]:
    """Keep libraries loaded in the block from sharing symbols with other libraries (Linux)."""
    # TensorFlow and Mesa's OpenGL drivers each bring a copy of LLVM, and each offers its symbols to
    # the whole process. Whichever comes second then calls into the other's copy and the process
    # dies: napari when a network is first run, or a script that opens napari after using one.
    # Inside this block TensorFlow keeps its symbols to itself (as it does where the module that
    # makes them global is missing) and prefers them to those already loaded. Only Linux has the
    # conflict. Seen with TensorFlow 2.21 beside Mesa 22.3 (LLVM 15, Debian 12) and Mesa 25.0 (LLVM
    # 19, Debian 13); reported as https://github.com/tensorflow/tensorflow/issues/109933.
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
