"""Compare what another version of the package writes with what this one does, byte for byte.

A fixed set of inputs goes through every command with the classical method, with a network of plain
arithmetic, with one that is trained for two epochs, and with the bundled one, once with the sources
of the other commit and once with those here. Images are compared by their pixels and metadata,
texts with placeholders for times, folder and version. What may differ stands in frozen/*.toml.

    python tools/compare_versions.py [COMMIT] [--allowed FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "frozen"))
from compare import Version, differences, read_allowed
from inputs import make_inputs

ROOT = Path(__file__).parents[1]
FROZEN = Path(__file__).parent / "frozen"
WORK = ROOT / "build" / "frozen"
RELEASED = "6541e6f"  # the last commit of 0.1


def main() -> int:
    """Run both versions and print what differs; exit code 1 if anything does."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("commit", nargs="?", default=RELEASED, help="the other version")
    parser.add_argument("--allowed", type=Path, help="differences that are meant, a TOML file")
    asked = parser.parse_args()
    commit = _git("rev-parse", "--short=12", asked.commit).decode().strip()
    allowed = asked.allowed or (FROZEN / "since_0_1.toml" if commit.startswith(RELEASED) else None)
    print(f"Running {commit}", flush=True)
    before = run_version(sources_of(commit), WORK / commit)
    print("Running the sources here", flush=True)
    after = run_version(ROOT / "src", WORK / "here", again=True)
    found = list(differences(before, after, read_allowed(allowed) if allowed else []))
    print(*found, f"{len(found)} differences that are not allowed", sep="\n")
    return int(bool(found))


def sources_of(commit: str) -> Path:
    """Return the folder with the package of a commit, unpacked on first use."""
    folder = WORK / f"{commit}-sources"
    if not folder.is_dir():
        packed = tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "src")))  # noqa: SIM115
        packed.extractall(folder, filter="data")
    return folder / "src"


def run_version(sources: Path, folder: Path, *, again: bool = False) -> Version:
    """Run the commands with some sources, unless they were with these commands and inputs."""
    stamp = folder / "stamp"
    scripts = b"".join(path.read_bytes() for path in (FROZEN / "inputs.py", FROZEN / "drive.py"))
    known = hashlib.sha256(scripts).hexdigest()
    if again or not stamp.is_file() or stamp.read_text(encoding="ascii") != known:
        shutil.rmtree(folder, ignore_errors=True)
        make_inputs(folder / "in")
        variables = os.environ | {
            "PYTHONPATH": str(sources),
            "COLUMNS": "100",
            "TERM": "dumb",
            "XDG_DATA_HOME": str(folder / "home"),
        }
        command = [sys.executable, str(FROZEN / "drive.py"), str(folder)]
        subprocess.run(command, check=True, env=variables)
        stamp.write_text(known, encoding="ascii")
    module = (sources / "napari_snow_unet" / "__init__.py").read_text(encoding="utf-8")
    (number,) = re.findall(r'__version__ = "(.*)"', module)
    return Version(folder / "out", sources, number)


def _git(*words: str) -> bytes:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    sys.exit(main())
