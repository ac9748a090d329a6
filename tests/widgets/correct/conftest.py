"""A napari window with the tools beside it, and a mouse on its canvas."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.correct.preview import canvas_of
from napari_snow_unet.widgets.correct.toolbar import Corrections

LEFT = Qt.MouseButton.LeftButton


class Bench:
    """The tools in a window on the screen, and what a person does with them."""

    def __init__(self, viewer, qtbot, **options):
        self.viewer, self.qtbot = viewer, qtbot
        viewer.window.resize(1100, 800)
        self.tools = Corrections(viewer, **options)
        self.frame = viewer.window.add_dock_widget(self.tools, name="Correct", area="right")
        qtbot.settled(self.tools)
        self.canvas = canvas_of(self.tools)

    def add_labels(self, data, **options):
        return unwrapped(self.viewer.add_labels(data, **options))

    def add_image(self, data, **options):
        return unwrapped(self.viewer.add_image(data, **options))

    def show(self, *layers):
        """Wait until layers are drawn, the last one active."""
        self.viewer.layers.selection.active = layers[-1]
        self.viewer.reset_view()
        self.qtbot.settled(self.tools)

    def at(self, row, column):
        """Return where a pixel of the labels is on the canvas."""
        camera = self.viewer.scene.camera
        layer = self.tools._layer_of()
        world = np.array(layer.data_to_world([0] * (layer.ndim - 2) + [row, column]))[-2:]
        middle = np.array([self.canvas.height(), self.canvas.width()]) / 2
        y, x = (world - np.array(camera.center)[-2:]) * camera.zoom + middle
        return QPoint(round(x), round(y))

    def take(self, name):
        self.qtbot.mouseClick(self.tools.buttons[name], LEFT)
        self.qtbot.settled(self.tools)

    def click(self, row, column):
        """Click a pixel."""
        QTest.mouseMove(self.canvas, self.at(row, column))
        QTest.mouseClick(self.canvas, LEFT, pos=self.at(row, column))
        self.qtbot.turn()

    def press(self, row, column):
        QTest.mousePress(self.canvas, LEFT, pos=self.at(row, column))

    def move(self, row, column):
        QTest.mouseMove(self.canvas, self.at(row, column))
        self.qtbot.turn()

    def release(self, row, column):
        QTest.mouseRelease(self.canvas, LEFT, pos=self.at(row, column))
        self.qtbot.turn()

    def drag(self, *places):
        """Press at the first place, move through the others and let go at the last."""
        self.press(*places[0])
        for start, end in itertools.pairwise(places):
            for step in np.linspace(start, end, 5)[1:]:
                self.move(*step)
        self.release(*places[-1])

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas, key, modifiers)
        self.qtbot.turn()

    def undo(self):
        self.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    def redo(self):
        control = Qt.KeyboardModifier.ControlModifier
        self.key(Qt.Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)

    def leave(self):
        self.tools.close_tools()
        self.__dict__.clear()


@pytest.fixture
def bench(make_napari_viewer_proxy, qtbot, qapp):
    """Return the tools in a window on the screen; no two clicks there are a double click."""
    interval = qapp.doubleClickInterval()
    qapp.setDoubleClickInterval(0)
    made = Bench(make_napari_viewer_proxy(show=True), qtbot)
    yield made
    made.leave()
    qapp.setDoubleClickInterval(interval)


@pytest.fixture
def nuclei():
    """Return labels of 100 x 100 pixels: four discs of radius 12, the last two of them joined."""
    labels = np.zeros((100, 100), np.int32)
    y, x = np.mgrid[:100, :100]
    for number, (row, column) in enumerate([(25, 25), (25, 75), (75, 30), (75, 48)], start=1):
        labels[(y - row) ** 2 + (x - column) ** 2 <= 12**2] = number
    return labels
