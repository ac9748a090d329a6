"""Make the picture of the measuring dock, by measuring a probability map against its truth.

On a machine without a screen:
xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshot_evaluate.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.pipeline import run, segment

PLUGIN, DOCK = "napari-snow-unet", "Measure a segmentation"
SIZE = (1400, 940)
SEED = 2026
LONGEST_S = 600.0


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


def take(path: Path) -> None:
    """Measure, go to the worst nucleus, and save a picture of the whole window."""
    tile = generate_tile(SEED)
    found = run(segment(tile.image, open_model("default"), pixel_size_um=tile.pixel_size_um))
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    placement = {"scale": (tile.pixel_size_um,) * 2, "units": "um"}
    viewer.add_image(tile.image, name="tile", **placement)
    viewer.add_labels(tile.labels, name="truth", visible=False, **placement)
    viewer.add_image(found.probability, name="probability", visible=False, **placement)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)
    dock.form.prediction.value = viewer.layers["probability"]
    QTest.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    wait(lambda: not dock.bar.running)
    settle()
    viewer.window.screenshot(str(path), canvas_only=False)
    viewer.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images/evaluate.png")
    take(parser.parse_args().out)


if __name__ == "__main__":
    main()
