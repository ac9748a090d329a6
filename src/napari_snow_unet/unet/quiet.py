"""Keep what TensorFlow's libraries say at every start off the terminal."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# What TensorFlow's libraries print to the terminal on every start, whatever the log level; before
# TensorFlow 2.21 some of it behind a date.
_CHATTER = re.compile(
    r"^(WARNING: All log messages before absl|To enable the following instructions"
    r"|([IWE]\d{4}|\d{4}-\d\d-\d\d [\d:.]+: [IWE]) "
    r".*(oneDNN|cuda|cpu_feature|computation_placer|rebuild|TensorRT))"
)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Keep the engine's start-up lines off the terminal; everything else is passed on."""
    try:
        kept = os.dup(2)
    except OSError:  # no terminal at all
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines(keepends=True)
            for line in lines:
                if not _CHATTER.match(line):
                    os.write(2, line.encode())
