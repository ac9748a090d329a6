"""Every command with paths that break careless programs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image

SHELL = [sys.executable, "-m", "napari_snow_unet.cli"]
LONG = "/".join(["a rather long name of a folder " * 3] * 4)  # more than 260 characters
NAMES = {"odd": "späce [bold] (1) {x} 100% ñ 細胞", "long": LONG}


def shell(*words, code=0):
    done = subprocess.run(
        [*SHELL, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "COLUMNS": "5000"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    return said


@pytest.fixture
def place(tmp_path, request):
    folder = tmp_path / NAMES[request.param]
    rng = np.random.default_rng(0)
    for number in range(6):
        labels = np.zeros((48, 48), np.int32)
        for label, (y, x) in enumerate(rng.integers(0, 36, (3, 2)), 1):
            labels[y : y + 10, x : x + 10] = label
        colours = np.where(labels[..., None] > 0, (110, 70, 140), (225, 190, 210))
        pixels = (colours + rng.integers(-9, 9, colours.shape)).astype(np.uint8)
        name = f"tile [red] ü {number}.png"
        write_image(folder / "in" / "images" / name, pixels)
        write_labels(folder / "in" / "masks" / name, labels)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="long paths are a setting of Windows")
@pytest.mark.parametrize("place", NAMES, indirect=True)
def test_every_command_takes_any_path(place):
    data, found, run = place / "data set", place / "found [1]", place / "run (2)"
    shell("prepare", place / "in", "-o", data, "--workers", 2)
    shell("check", data)
    shell("split", data, "--train", 4, "--val", 1, "--test", 1, "--folds", 2)
    small = ["--crop", 32, "--batch-size", 2, "--base-filters", 2, "--precision", "float32"]
    shell("train", data, "-o", run, *small, "--epochs", 1)
    shell("train", "--resume", run)
    said = shell("segment", place / "in" / "images", "-o", found, "--model", run, "--overlay")
    assert "tile [red] ü 0.png" in said
    assert len(list(found.glob("tile*ü ?.png"))) == 6
    shell("evaluate", place / "in" / "masks", found, "-o", place / "scores")
    shell("segment", place / "nowhere [x]", "-o", found, "--model", "classical", code=1)
