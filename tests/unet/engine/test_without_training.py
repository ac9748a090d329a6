"""A plain installation, without TensorFlow and Keras: everything works but training."""

import subprocess
import sys

import pytest

from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

pytestmark = pytest.mark.usefixtures("without_training")
SHELL = [sys.executable, "-c", "from napari_snow_unet.cli import main; main()"]
HOW = 'pip install "napari-snow-unet[train]"'


def shell(*words) -> subprocess.CompletedProcess[str]:
    """Run the shell's command."""
    return subprocess.run([*SHELL, *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize(
    "words",
    [
        ["train", "tiles", "-o", "made"],
        ["train", "tiles", "-o", "made", "--fold", "all"],
        ["train", "tiles", "-o", "made", "--backend", "tensorflow", "--device", "gpu"],
        ["reproduce", "SNOW_Image.zip", "mask_0_5000.zip", "-o", "made"],
    ],
    ids=" ".join,
)
def test_training_says_how_to_add_what_it_needs_before_any_work(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = shell(*words)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: Training and GPUs need TensorFlow")
    assert HOW in line
    assert not (tmp_path / "made").exists()


def test_segmenting_and_exporting_have_nothing_to_say_about_it(tmp_path):
    pytest.importorskip("onnx")
    write_image(tmp_path / "tile.png", generate_tile(0, size=128).image)
    done = shell("segment", tmp_path / "tile.png", "-o", tmp_path / "out", "--pixel-size", "0.25")
    assert done.returncode == 0, done.stderr
    assert "TensorFlow" not in done.stdout + done.stderr
    done = shell("export", "default", "-o", tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr


def test_a_gpu_that_is_insisted_on_says_how_to_add_what_it_needs(tmp_path):
    write_image(tmp_path / "tile.png", generate_tile(0, size=128).image)
    done = shell("segment", tmp_path / "tile.png", "-o", tmp_path / "out", "--device", "gpu")
    assert done.returncode == 1
    assert HOW in done.stderr
