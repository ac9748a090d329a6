"""A real napari with the segment dock in it, and networks that one can check by eye."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.widgets import _jobs, _warm_up


def darkness(pixels):
    return 1 - pixels[..., 0]


@pytest.fixture
def discs():
    """Return a function that draws dark discs on white; only the red channel is dark."""

    def draw(shape=(200, 300), pitch=50, radius=9):
        y, x = np.mgrid[: shape[0], : shape[1]]
        inside = (y % pitch - pitch // 2) ** 2 + (x % pitch - pitch // 2) ** 2 <= radius**2
        image = np.full((*shape, 3), 240, np.uint8)
        image[..., 0][inside] = 20
        return image

    return draw


@pytest.fixture(autouse=True)
def warmed_up(monkeypatch):
    """Note what docks would load on their own, in place of loading it."""
    asked = []
    monkeypatch.setattr(_warm_up, "load", lambda *chosen: asked.append(chosen))
    return asked


class FakeNetwork:
    """A network of plain arithmetic: darkness is the probability; it may be slow or fail."""

    def __init__(self):
        self.calls, self.pause, self.error, self.fail_at = 0, 0.0, None, 1
        self.threads = set()
        self.model = Model(self.predict, "darkness", checksum="0" * 64, halo=0)

    def predict(self, pixels):
        self.calls += 1
        self.threads.add(threading.get_ident())
        if self.error is not None and self.calls >= self.fail_at:
            raise self.error
        if self.pause:
            time.sleep(self.pause)  # as a real network, which lets others run meanwhile
        return darkness(pixels)


@pytest.fixture
def network(monkeypatch):
    """Let whatever model is chosen be one that can be checked by eye."""
    fake = FakeNetwork()
    monkeypatch.setattr(_jobs, "open_model", lambda name, **_: replace(fake.model, name=str(name)))
    return fake


class Dock:
    """The segment dock of a viewer, and what a person does with it."""

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget(
            "napari-snow-unet", "Segment nuclei"
        )
        self.form, self.bar = self.widget.form, self.widget.bar
        self.form.model.value = "classical"

    @property
    def message(self):
        return self.bar.message.text()

    def click(self, button):
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def wait(self, seconds=60):
        self.qtbot.waitUntil(lambda: not self.bar.running, timeout=int(seconds * 1000))

    def run(self):
        """Click Run, wait for its end, return the layer that is new or was brought up to date."""
        before = list(self.viewer.layers)
        self.click(self.bar.run_button)
        assert self.bar.running, self.message
        self.wait()
        new = [layer for layer in self.viewer.layers if layer not in before]
        return new[0] if new else self.widget.layer_job.current

    def settle(self):
        """Wait until what the sliders have started has ended."""
        job = self.widget.layer_job
        self.qtbot.waitUntil(lambda: not (job.relabelling or self.bar.running), timeout=30_000)

    def nuclei(self):
        return [layer for layer in self.viewer.layers if "nuclei" in layer.name]


@pytest.fixture
def dock(make_napari_viewer_proxy, qtbot):
    """Open the segment dock in a real napari."""
    opened = Dock(make_napari_viewer_proxy(), qtbot)
    yield opened
    opened.bar.cancel()
    opened.wait()
    opened.viewer = opened.frame = opened.widget = opened.form = opened.bar = None


@pytest.fixture
def shown_dock(make_napari_viewer_proxy, qtbot):
    """Open the segment dock in a napari whose window is on the screen."""
    opened = Dock(make_napari_viewer_proxy(show=True), qtbot)
    yield opened
    if opened.bar is not None:
        opened.bar.cancel()
        opened.wait()
    opened.viewer = opened.frame = opened.widget = opened.form = opened.bar = None
