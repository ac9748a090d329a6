"""A drive that returns errors: Linux answers EIO when the start of a process' memory is read."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.napari_plugin.reader import get_reader

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the file that fails is Linux's")
SHELL = [sys.executable, "-m", "napari_snow_unet.cli"]
FAILING = Path("/proc/self/mem")


def shell(*words, code):
    done = subprocess.run([*SHELL, *map(str, words)], capture_output=True, text=True, timeout=600)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    assert "Traceback" not in said
    assert "Input/output error" in said
    return said


def fail(path):
    """Let every read of a file end in EIO; return a function that mends it."""
    kept = path.rename(path.with_name(f"{path.name}.kept"))
    path.symlink_to(FAILING)
    return lambda: kept.replace(path)


@pytest.fixture
def pairs(tmp_path):
    """Return a folder with images/ and masks/ of four tiles."""
    folder = tmp_path / "pairs"
    noise = np.random.default_rng(0)
    for number in range(4):
        pixels = noise.integers(0, 256, (96, 96, 3), dtype=np.uint8)
        labels = np.zeros((96, 96), np.int32)
        labels[10:40, 20:50] = number + 1
        write_image(folder / "images" / f"t{number}.png", pixels)
        write_labels(folder / "masks" / f"t{number}.png", labels)
    return folder


def test_the_file_fails_as_a_drive_does():
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EIO))):
        FAILING.read_bytes()


def test_segment_names_the_image_that_cannot_be_read_and_does_the_others(pairs, tmp_path):
    fail(pairs / "images" / "t1.png")
    out = tmp_path / "out"
    said = shell("segment", pairs / "images", "-o", out, "--model", "classical", code=1)
    assert "t1.png" in said
    assert sorted(path.name for path in out.glob("*.png")) == ["t0.png", "t2.png", "t3.png"]


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_prepare_names_the_file_that_cannot_be_read_and_goes_on_once_it_can(pairs, tmp_path, kind):
    mend = fail(pairs / kind / "t1.png")
    out = tmp_path / "out"
    said = shell("prepare", pairs, "-o", out, "--workers", "1", code=1)
    assert "t1.png" in said
    mend()
    again = subprocess.run([*SHELL, "prepare", pairs, "-o", out], capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(list((out / "images").glob("*.png"))) == 4


def test_evaluate_names_the_labels_that_cannot_be_read(pairs, tmp_path):
    predicted = tmp_path / "predicted"
    shutil.copytree(pairs / "masks", predicted)
    fail(predicted / "t1.png")
    said = shell("evaluate", predicted, pairs / "masks", code=1)
    assert "t1.png" in said


def test_check_names_the_tile_that_cannot_be_read(pairs, tmp_path):
    dataset = tmp_path / "dataset"
    prepared = subprocess.run([*SHELL, "prepare", pairs, "-o", dataset], capture_output=True)
    assert prepared.returncode == 0
    fail(dataset / "images" / "000002.png")
    assert "images/000002.png: " in shell("check", dataset, code=1)


@pytest.mark.parametrize("name", ["seed0001.png", "seed0001.mat", "nuclei.geojson"])
def test_a_file_dropped_on_napari_is_named(tmp_path, name):
    path = tmp_path / name
    path.symlink_to(FAILING)
    reader = get_reader(str(path))
    with pytest.raises(
        Exception, match=f"(?s){re.escape(name)}.*{re.escape(os.strerror(errno.EIO))}"
    ):
        reader(str(path))
