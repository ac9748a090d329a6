"""Make the picture of the dock that prepares datasets, by preparing one.

On a machine without a screen:
xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshot_prepare.py
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
from qtpy.QtWidgets import QApplication, QPushButton

from napari_snow_unet.data.hovernet_mat import write_hovernet_mat
from napari_snow_unet.data.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

PLUGIN, DOCK = "napari-snow-unet", "Prepare a dataset"
SIZE = (1400, 940)
TILES = 24
LONGEST_S = 600.0


def write_snow(folder: Path) -> None:
    """Write generated tiles as SNOW lays them out, with two faults."""
    for number in range(TILES):
        tile = generate_tile(100 + number, size=256)
        write_image(folder / "Image" / f"seed{number:04}.png", tile.image)
        if number != 7:
            write_hovernet_mat(folder / "Mask" / f"seed{number:04}.mat", tile.labels)
    (folder / "Mask" / "seed0011.mat").write_text("no matrix\n", encoding="utf-8")


def wait(until: Callable[[], bool]) -> None:
    """Let napari work until something is so."""
    end = time.monotonic() + LONGEST_S
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("napari did not come to an end")
        QApplication.processEvents()
        time.sleep(0.01)


def take(folder: Path, path: Path) -> None:
    """Prepare, look at nine pairs, check, and save a picture of the whole window."""
    write_snow(folder / "SNOW_Dataset_20k")
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)

    def click(button: QPushButton) -> None:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        wait(lambda: not dock.bar.running)

    dock.form.sources.add([folder / "SNOW_Dataset_20k"])
    dock.form.target.dataset.value = folder / "dataset"
    click(dock.bar.run_button)
    click(dock.sample_button)
    click(dock.bar.run_button)
    end = time.monotonic() + 1
    wait(lambda: time.monotonic() > end)
    viewer.window.screenshot(str(path), canvas_only=False)
    viewer.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images/prepare.png")
    with tempfile.TemporaryDirectory() as folder:
        take(Path(folder), parser.parse_args().out)


if __name__ == "__main__":
    main()
