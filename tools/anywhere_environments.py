"""The installations in which the tests are run anywhere, made with uv."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UV = [sys.executable, "-m", "uv"]


@dataclass(frozen=True)
class Environment:
    """What is installed beside the wheel and its extras `test` and `train`.

    Attributes
    ----------
    python : str
        Version of the interpreter; that of this script by default.
    more : tuple of str
        Further requirements.
    less : tuple of str
        Distributions to take out again.
    lowest : bool
        The lowest versions of all direct requirements, in place of the newest.
    """

    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    lowest: bool = False


ENVIRONMENTS = {
    "random-order": Environment(more=("pytest-randomly",)),
    # Before Python 3.12 PySide6 6.12.0 miscounts references to None, which ends any program.
    "pyside6": Environment(
        python="3.12",
        more=("pytest-randomly", "napari[pyside6]"),
        less=("pyqt6", "pyqt6-qt6", "pyqt6-sip"),
    ),
    "python3.12": Environment(python="3.12", more=("pytest-randomly",)),
    "python3.13": Environment(python="3.13", more=("pytest-randomly",)),
    "lowest": Environment(python="3.11", more=("pytest-randomly",), lowest=True),
}


class NotHereError(Exception):
    """This machine lacks what a setting needs; the sentence says what."""


@dataclass(frozen=True)
class Build:
    """A commit, its clone and its wheel.

    Attributes
    ----------
    commit : str
        Its checksum.
    folder : Path
        Where the results of the commit are kept.
    clone : Path
        Its files.
    wheel : Path
        The package built from them.
    environments : Path
        Where installations are kept from one commit to the next.
    """

    commit: str
    folder: Path
    clone: Path
    wheel: Path
    environments: Path


def build_commit(repository: Path, work: Path) -> Build:
    """Clone the last commit of a repository and build its wheel, unless that was done before."""
    commit = _git(repository, "rev-parse", "HEAD")
    if _git(repository, "status", "--porcelain"):
        print(f"What is not committed is left out: this is {commit[:12]}.", flush=True)
    folder = work / commit[:12]
    clone, wheels = folder / "clone", folder / "wheels"
    if not list(wheels.glob("*.whl")):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", str(repository), str(clone)], check=True)
        subprocess.run(["git", "-C", str(clone), "checkout", "--quiet", commit], check=True)
        subprocess.run([*UV, "build", "--quiet", "--wheel", "-o", wheels, clone], check=True)
    (wheel,) = wheels.glob("*.whl")
    return Build(commit, folder, clone, wheel, work / "environments")


def _git(repository: Path, *words: str) -> str:
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def make_environment(name: str, build: Build) -> Path:
    """Install the wheel of a commit, and anew what it needs where that has changed.

    Returns
    -------
    Path
        The interpreter.

    Raises
    ------
    NotHereError
        If there is no such interpreter here.
    """
    wanted = ENVIRONMENTS[name]
    folder = build.environments / name
    python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    known = hashlib.sha256((build.clone / "pyproject.toml").read_bytes() + repr(wanted).encode())
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != known.hexdigest():
        base = find_python(wanted.python)
        subprocess.run([*UV, "venv", "--quiet", "--clear", "--python", base, folder], check=True)
        for words in _steps(wanted, build):
            _pip(python, *words)
        stamp.write_text(known.hexdigest(), encoding="ascii")
    _pip(python, "install", "--no-deps", "--reinstall", build.wheel)
    return python


def find_python(version: str) -> str:
    """Return an interpreter of a version, one that every user may run where there is a choice."""
    places = [
        sys.executable if sys.version.startswith(version + ".") else "",
        f"/usr/bin/python{version}",
        shutil.which(f"python{version}") or "",
        *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
    ]
    found = [os.path.realpath(place) for place in places if place and _runs(place)]
    if not found:
        raise NotHereError(f"no Python {version} was found")
    return next(filter(is_for_all, found), found[0])


def is_for_all(path: str) -> bool:
    """Tell whether users who own nothing may run a program."""
    return all(folder.stat().st_mode & 1 for folder in (Path(path), *Path(path).parents))


def _runs(python: str) -> bool:
    try:
        return not subprocess.run([python, "-c", "import venv"], capture_output=True).returncode
    except OSError:
        return False


def _steps(wanted: Environment, build: Build) -> Iterator[list[str]]:
    if wanted.lowest:
        pinned, source = build.folder / "lowest.txt", build.clone / "pyproject.toml"
        project = tomllib.loads(source.read_text(encoding="utf-8"))["project"]
        # the floors of other extras too, since tests use what they bring; `all` is napari's own
        extras = [f"--extra={name}" for name in project["optional-dependencies"] if name != "all"]
        lowest = ["--resolution", "lowest-direct", "--python-version", wanted.python, *extras]
        compiled = [*UV, "pip", "compile", "--quiet", *lowest, source, "-o", pinned]
        subprocess.run(compiled, check=True)
        yield ["install", "-r", str(pinned), *wanted.more]
    else:
        yield ["install", f"{build.wheel}[test,train]", *wanted.more]
    if wanted.less:
        yield ["uninstall", *wanted.less]


def _pip(python: Path, command: str, *words: str | Path) -> None:
    subprocess.run([*UV, "pip", command, "--quiet", "--python", python, *words], check=True)
