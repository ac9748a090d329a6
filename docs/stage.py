"""What all pictures of the documentation are made with: napari, clicked on and waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import napari
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

PLUGIN = "napari-snow-unet"
SIZE = (1400, 940)
LONGEST_S = 1800.0


def write_snow(folder: Path, seeds: Sequence[int], size: int = 512) -> None:
    """Write generated tiles as SNOW lays them out."""
    for number, seed in enumerate(seeds):
        tile = generate_tile(seed, size=size)
        write_image(folder / "Image" / f"seed{number:04}.png", tile.image)
        write_hovernet_mat(folder / "Mask" / f"seed{number:04}.mat", tile.labels)


def wait(until: Callable[[], bool]) -> None:
    """Let napari work until something is so."""
    end = time.monotonic() + LONGEST_S
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("napari did not come to an end")
        QApplication.processEvents()
        time.sleep(0.01)


class Stage:
    """napari with one dock of the plugin."""

    def __init__(self, dock: str, size: tuple[int, int] = SIZE) -> None:
        self.viewer = napari.Viewer(show_welcome_screen=False)
        self.viewer.window.resize(*size)
        _, self.dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, dock)

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click, and wait for what runs then."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place or widget.rect().center())
        wait(lambda: not self.dock.bar.running)

    def run(self) -> None:
        """Click Run and wait for the result."""
        self.click(self.dock.bar.run_button)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is due or computed for the dock and all stays where it is."""
        window, seen = self.dock.window(), []

        def at_rest() -> bool:
            QGuiApplication.sync()
            seen.append([part.geometry() for part in window.findChildren(QWidget)])
            timers = self.dock.findChildren(QTimer)
            due = any(timer.isActive() and timer.isSingleShot() for timer in timers)
            computed = any(thread.name == "napari-snow-unet" for thread in threading.enumerate())
            same = len(seen) >= 5 and all(places == seen[-1] for places in seen[-5:])
            return same and not due and not computed

        wait(at_rest)

    def take(self, path: Path) -> None:
        """Save a picture of the whole window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.settle()
        self.viewer.window.screenshot(str(path), canvas_only=False, flash=False)
        print(path)

    def close(self) -> None:
        """Close napari."""
        self.viewer.close()
        for _ in range(9):  # what is due then
            QApplication.processEvents()
