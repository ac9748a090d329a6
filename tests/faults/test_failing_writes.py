"""A drive that fails while something is written to it: one sentence, nothing half, and one goes on.

The kernel answers with EIO from a moment in the middle on, see drive_that_fails.py.
"""

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import read_image, write_image

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the numbers of system calls are those of Linux on x86-64",
)
SHELL = [sys.executable, "-m", "napari_snow_unet.cli"]
FAILING = [sys.executable, Path(__file__).with_name("drive_that_fails.py")]
SLOW = pytest.mark.slow
TILES = 24
KINDS = pytest.mark.parametrize("kind", ["create", "write", "rename"])


def said_by(command, words, code):
    words = [str(word) for word in (*command, *words)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    assert "Traceback" not in said, (done.stdout + done.stderr)[-3000:]
    return said


def failing(kind, sign, *words):
    """Run a command whose drive fails once the file `sign` is there."""
    said = said_by([*FAILING, kind, sign], words, code=1)
    assert "Input/output error" in said
    assert "a file:" not in said
    return said


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Return a folder with images/ and masks/ of TILES tiles."""
    folder = tmp_path_factory.mktemp("pairs")
    noise = np.random.default_rng(0)
    for number in range(TILES):
        labels = np.zeros((96, 96), np.int32)
        labels[10:40, 20:50] = number + 1
        colours = np.where(labels[..., None] > 0, (110, 70, 140), (225, 190, 210))
        pixels = (colours + noise.integers(-20, 21, colours.shape)).astype(np.uint8)
        write_image(folder / "images" / f"t{number:02}.png", pixels)
        write_labels(folder / "masks" / f"t{number:02}.png", labels)
    return folder


def contents(folder, *patterns):
    paths = (path for pattern in patterns for path in folder.glob(pattern))
    return {path.relative_to(folder): path.read_bytes() for path in paths}


@KINDS
def test_segment_keeps_what_is_whole_and_goes_on(pairs, tmp_path, kind):
    out, expected = tmp_path / "out", tmp_path / "expected"
    words = ["segment", pairs / "images", "--model", "classical", "-o"]
    said = failing(kind, out / "t03.png", *words, out)
    assert str(out) in said
    done = sorted(path.stem for path in out.glob("*.png"))
    assert "t03" in done
    assert len(done) < TILES
    for stem in done:
        read_labels(out / f"{stem}.png")
    said_by(SHELL, [*words, out, "--resume"], code=0)
    said_by(SHELL, [*words, expected], code=0)
    assert contents(out, "*.png") == contents(expected, "*.png")
    assert not list(out.glob(".writing-*"))


@KINDS
def test_prepare_keeps_what_is_whole_and_goes_on(pairs, tmp_path, kind):
    out, expected = tmp_path / "out", tmp_path / "expected"
    words = ["prepare", pairs, "--workers", "1", "-o"]
    said = failing(kind, out / "masks" / "000000.png", *words, out)
    assert str(out) in said
    for path in out.glob("images/*.png"):
        read_image(path)
    said_by(SHELL, [*words, out], code=0)
    said_by(SHELL, [*words, expected], code=0)
    files = "images/*", "masks/*", "manifest.csv"
    assert contents(out, *files) == contents(expected, *files)


@KINDS
def test_evaluate_names_the_report_it_cannot_write(pairs, tmp_path, kind):
    out = tmp_path / "report"
    words = ["evaluate", pairs / "masks", pairs / "masks", "-o", out]
    assert str(out) in failing(kind, pairs / "masks" / "t00.png", *words)
    assert not contents(out, "*")


TRAINING = ["--crop", 32, "--batch-size", 4, "--base-filters", 4, "--epochs", 6]
WEIGHTS = "last/model.safetensors", "best/model.safetensors"


@pytest.fixture(scope="module")
def trained(pairs, tmp_path_factory):
    run = tmp_path_factory.mktemp("trained") / "run"
    said_by(SHELL, ["train", pairs, *TRAINING, "-o", run], code=0)
    return contents(run, *WEIGHTS)


@SLOW
@KINDS
def test_train_keeps_the_last_epoch_and_goes_on_to_the_same_weights(pairs, tmp_path, trained, kind):
    run = tmp_path / "run"
    sign = run / "last" / "model.safetensors"
    said = failing(kind, sign, "train", pairs, *TRAINING, "-o", run)
    assert str(run) in said
    assert "--resume" in said
    said_by(SHELL, ["train", "--resume", run], code=0)
    assert contents(run, *WEIGHTS) == trained
    assert len(trained) == 2
