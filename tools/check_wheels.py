# /// script
# dependencies = ["uv"]
# ///
"""Check that everything but TensorFlow has wheels for machines that are not here to be run.

check_wheels.py REPOSITORY
"""

import subprocess
import sys
from pathlib import Path

#: Python, machine as uv calls it, and the extras beside the plain installation.
MACHINES = [
    ("3.14", "x86_64-manylinux_2_28", ["all", "test"]),
    ("3.14", "aarch64-manylinux_2_35", ["all"]),
    ("3.14", "x86_64-pc-windows-msvc", ["all"]),
    ("3.14", "aarch64-apple-darwin", ["all"]),
    ("3.14", "x86_64-apple-darwin", []),  # Numba, which napari[all] asks for, has none
    ("3.13", "x86_64-apple-darwin", ["all"]),
]

resolve = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--only-binary", ":all:"]
project, failed = Path(sys.argv[1], "pyproject.toml"), False
for python, machine, extras in MACHINES:
    print(f"Python {python} on {machine}, {', '.join(extras) or 'plain'}", flush=True)
    named = [f"--extra={extra}" for extra in extras]
    where = ["--python-version", python, "--python-platform", machine]
    failed |= subprocess.run([*resolve, *named, *where, project]).returncode != 0
sys.exit(failed)
