"""Make the picture of the train dock in the middle of a training, by training.

On a machine without a screen:
xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshot_train.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_snow_unet.data.images import write_image, write_labels
from napari_snow_unet.data.synthetic import generate_tile

PLUGIN, DOCK = "napari-snow-unet", "Train a U-Net"
SIZE = (1400, 940)
LONGEST_S = 1800.0
TILES, EDGE = 24, 256


def write_dataset(folder: Path) -> None:
    """Write generated tiles and their labels."""
    for seed in range(TILES):
        tile = generate_tile(seed, size=EDGE)
        write_image(folder / "images" / f"tile{seed:02}.png", tile.image)
        write_labels(folder / "masks" / f"tile{seed:02}.png", tile.labels)


def wait(until: Callable[[], bool]) -> None:
    """Let napari work until something is so."""
    end = time.monotonic() + LONGEST_S
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("the training did not get there")
        QApplication.processEvents()
        time.sleep(0.01)


def settle(seconds: float) -> None:
    """Let napari draw what it has to draw."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def take(dataset: Path, epochs: int, path: Path) -> None:
    """Train, and save a picture of the whole window after two thirds of the epochs."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)
    form = dock.form
    form.places.dataset.value = dataset
    form.main.epochs.value, form.main.base_filters.value = epochs, 4
    form.main.crop.value, form.main.learning_rate.value = 128, 0.003
    wait(lambda: dock.bar.train_button.isEnabled() and "Looking" not in form.device_text)
    QTest.mouseClick(dock.bar.train_button, Qt.MouseButton.LeftButton)
    wait(lambda: len(dock.curves.rows) >= epochs * 2 // 3 or not dock.follower.following)
    settle(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    viewer.window.screenshot(str(path), canvas_only=False, flash=False)
    print(path)
    dock.stop()
    wait(lambda: not dock.follower.following)
    viewer.close()


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        # The model of this training is none of the user's.
        os.environ["NAPARI_SNOW_UNET_MODELS"] = str(Path(temporary, "models"))
        dataset = Path(temporary, "nuclei")
        write_dataset(dataset)
        take(dataset, arguments.epochs, arguments.out / "train.png")


if __name__ == "__main__":
    main()
