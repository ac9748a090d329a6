"""End a program in which a network library is loaded, or is being loaded."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress


def end_at_once(code: int = 0) -> None:
    """Do what is to be done at exit, and end: taking an engine apart takes seconds.

    Parameters
    ----------
    code : int, default: 0
        Exit code.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more
            stream.flush()
    os._exit(code)
