# /// script
# dependencies = ["uv"]
# ///
"""Check that everything but TensorFlow has wheels for a Python that is not here to be run.

check_wheels.py REPOSITORY
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

PYTHON = "3.14"
#: What has none, and what needs that.
WITHOUT = r"(tensorflow|tf2onnx)\b"

project = tomllib.loads(Path(sys.argv[1], "pyproject.toml").read_text(encoding="utf-8"))["project"]
needed = project["dependencies"] + project["optional-dependencies"]["test"]
with tempfile.TemporaryDirectory() as folder:
    wanted = Path(folder, "requirements.in")
    lines = [requirement for requirement in needed if not re.match(WITHOUT, requirement)]
    wanted.write_text("\n".join(lines), encoding="utf-8")
    resolve = [sys.executable, "-m", "uv", "pip", "compile", "--python-version", PYTHON]
    sys.exit(subprocess.run([*resolve, "--only-binary", ":all:", wanted]).returncode)
