"""Make the pictures of napari for the documentation, by using it: real windows, real clicks.

On a machine without a screen:
xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_snow_unet.data.hovernet_mat import write_hovernet_mat
from napari_snow_unet.data.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

PLUGIN = "napari-snow-unet"
SEEDS = (2026, 11, 12, 13, 14, 15)
SIZE = (1400, 860)
LONGEST_S = 600.0


def write_snow(folder: Path) -> tuple[Path, Path]:
    """Write generated tiles as SNOW lays them out; return the first mask and the images' folder."""
    for number, seed in enumerate(SEEDS):
        tile = generate_tile(seed)
        write_image(folder / "Image" / f"seed{number:04}.png", tile.image)
        write_hovernet_mat(folder / "Mask" / f"seed{number:04}.mat", tile.labels)
    return folder / "Mask" / "seed0000.mat", folder / "Image"


def wait(until: Callable[[], bool]) -> None:
    """Let napari work until something is so."""
    end = time.monotonic() + LONGEST_S
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("napari did not come to an end")
        QApplication.processEvents()
        time.sleep(0.01)


def settle(seconds: float = 1.0) -> None:
    """Let napari draw what it has to draw."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


class Stage:
    """napari with the segment dock."""

    def __init__(self, model: str) -> None:
        self.viewer = napari.Viewer(show_welcome_screen=False)
        self.viewer.window.resize(*SIZE)
        _, self.dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, "Segment nuclei")
        self.dock.form.model.value = model

    def run(self) -> None:
        """Click Run and wait for the result."""
        QTest.mouseClick(self.dock.bar.run_button, Qt.MouseButton.LeftButton)
        wait(lambda: not self.dock.bar.running)
        settle()

    def take(self, path: Path) -> None:
        """Save a picture of the whole window and close it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        settle()
        self.viewer.window.screenshot(str(path), canvas_only=False, flash=False)
        print(path)
        self.viewer.close()
        settle(0.2)


def segment_a_tile(mask: Path, model: str, path: Path) -> None:
    """Open a mask, which brings its image, and press Run."""
    stage = Stage(model)
    image, truth = stage.viewer.open(mask, plugin=PLUGIN)
    truth.contour = 2
    stage.viewer.layers.selection.active = image
    stage.run()
    stage.viewer.layers[-1].opacity = 0.45
    stage.take(path)


def segment_a_folder(images: Path, model: str, path: Path) -> None:
    """Segment the images of a folder and open one by a click on its row."""
    stage = Stage(model)
    stage.dock.form.source.kind.value = "folder"
    stage.dock.form.source.folder.value = images
    stage.run()
    table = stage.dock.folder_job.table
    place = table.visualRect(table.model().index(2, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    wait(lambda: not stage.dock.bar.running)
    stage.viewer.layers[-1].opacity = 0.45
    stage.take(path)


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--model", default="he-breast-nuclei")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        mask, images = write_snow(Path(temporary))
        segment_a_tile(mask, arguments.model, arguments.out / "segment.png")
        segment_a_folder(images, arguments.model, arguments.out / "segment_folder.png")


if __name__ == "__main__":
    main()
