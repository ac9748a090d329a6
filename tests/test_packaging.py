"""What people install: the archives built from this repository, and what napari finds in them."""

import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import napari_snow_unet

BUILD = "import setuptools.build_meta as build, sys; print(build.{}(sys.argv[1]))"
ARCHIVED = ["LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg", "src", "tests"]


def build(what: str, source: Path, target: Path) -> Path:
    """Build as pip would, with the setuptools that is here, as there is no network."""
    target.mkdir(exist_ok=True)
    ended = subprocess.run(
        [sys.executable, "-c", BUILD.format(what), str(target)],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return target / ended.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory) -> zipfile.ZipFile:
    """Build the source archive from the repository, and the wheel from the source archive."""
    folder = tmp_path_factory.mktemp("build")
    (folder / "repository").mkdir()
    ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
    for name in ARCHIVED:
        if (repository / name).is_dir():
            shutil.copytree(repository / name, folder / "repository" / name, ignore=ignored)
        else:
            shutil.copy(repository / name, folder / "repository" / name)
    archive = build("build_sdist", folder / "repository", folder / "dist")
    with tarfile.open(archive) as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
        file.extractall(folder)
    source = folder / archive.name.removesuffix(".tar.gz")
    with zipfile.ZipFile(build("build_wheel", source, folder / "dist")) as file:
        yield file


def files_of(package: Path) -> set[str]:
    """List what a package holds, relative to the folder it stands in."""
    paths = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(package.parent).as_posix() for path in paths}


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel, repository):
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == files_of(repository / "src" / "napari_snow_unet")


@pytest.mark.parametrize("name", ["napari.yaml", "py.typed", "config.json", "model.weights.h5"])
def test_the_wheel_holds_what_is_no_python(wheel, name):
    assert [held for held in wheel.namelist() if held.endswith(f"/{name}")]


def read_metadata(wheel: zipfile.ZipFile, name: str) -> str:
    """Read a file of what the wheel says about itself."""
    (path,) = (held for held in wheel.namelist() if held.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def test_the_wheel_says_what_it_is(wheel, repository):
    metadata = message_from_string(read_metadata(wheel, "METADATA"))
    assert metadata["Version"] == napari_snow_unet.__version__
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert read_metadata(wheel, "licenses/LICENSE") == (repository / "LICENSE").read_text()


def test_the_installed_package_is_this_version():
    assert importlib.metadata.version("napari-snow-unet") == napari_snow_unet.__version__


def test_the_command_is_installed():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="napari-snow-unet")
    run = f"import sys, {script.module} as m; sys.argv[1:] = ['--version']; m.{script.attr}()"
    ended = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.strip()) == (0, napari_snow_unet.__version__)


def test_python_versions_agree(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    classified = {
        line.rpartition(" ")[2] for line in project["classifiers"] if "Python :: 3." in line
    }
    workflow = (repository / ".github" / "workflows" / "tests.yml").read_text()
    assert project["requires-python"] == ">=3.11,<3.15"
    assert classified == {"3.11", "3.12", "3.13", "3.14"}
    assert 'python: ["3.11", "3.12", "3.13", "3.14"]' in workflow


@pytest.mark.parametrize(
    ("python", "system", "machine"),
    [("3.14", "linux", "x86_64"), ("3.14", "win32", "AMD64"), ("3.13", "darwin", "x86_64")],
)
def test_where_tensorflow_has_no_wheels_it_is_not_asked_for(wheel, python, system, machine):
    """Everything else is: a plain installation asks for TensorFlow nowhere."""
    metadata = message_from_string(read_metadata(wheel, "METADATA"))
    asked = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    where = {"python_version": python, "sys_platform": system, "platform_machine": machine}

    def names(extra: str, **other: str) -> set[str]:
        there = {**where, **other, "extra": extra}
        return {item.name for item in asked if not item.marker or item.marker.evaluate(there)}

    assert "openvino" in names("")
    assert not {"tensorflow", "keras"} & names("")
    assert "keras" in names("train")
    assert "tensorflow" not in names("train")
    assert "tensorflow" in names("train", python_version="3.13", platform_machine="arm64")
