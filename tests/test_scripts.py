"""The programs beside the package: what they say before it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = [
    path.relative_to(ROOT)
    for place in ("tools", "benchmarks")
    for path in sorted((ROOT / place).glob("*.py"))
    if "__main__" in path.read_text(encoding="utf-8")
]
WITHOUT_PACKAGE = """
import runpy, sys
sys.modules["napari_snow_unet"] = None  # importing it fails
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_help_needs_no_installation(script):
    command = [sys.executable, "-c", WITHOUT_PACKAGE, (ROOT / script).as_posix(), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
