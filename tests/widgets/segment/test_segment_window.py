"""The dock as a window: where it is found, its size, that it never freezes, how it is closed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from npe2 import PluginManager
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QAbstractSpinBox, QLabel, QWidget

from napari_snow_unet.models import DEFAULT_MODEL
from napari_snow_unet.widgets.common.messages import CANCELLED
from napari_snow_unet.widgets.segment import jobs, messages
from napari_snow_unet.widgets.segment.state import SegmentState

FROZEN_S = 1.0  # of computing; on one core the thread that works takes half of it
COMMAND = "napari-snow-unet.segment"


def test_the_dock_is_in_the_menu_for_segmentation_and_under_plugins(make_napari_viewer_proxy):
    make_napari_viewer_proxy()
    manager = PluginManager.instance()
    commands = [item.command for item in manager.iter_menu("napari/layers/segment")]
    assert COMMAND in commands
    widgets = manager.get_manifest("napari-snow-unet").contributions.widgets
    assert (COMMAND, "Segment nuclei") in [(item.command, item.display_name) for item in widgets]


def test_the_menu_command_opens_the_dock(make_napari_viewer_proxy):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer_proxy()
    get_app_model().commands.execute_command(COMMAND)
    assert [name for name in viewer.window.dock_widgets if "Segment nuclei" in name]


@pytest.mark.parametrize("kind", ["layer", "folder"])
def test_the_dock_fits_a_small_screen_and_scrolls(shown_dock, qtbot, kind):
    shown_dock.choose(kind=kind)
    shown_dock.form.advanced.expand(animate=False)
    frame = shown_dock.frame
    qtbot.small_enough(frame)
    frame.setFloating(True)
    frame.resize(frame.minimumSizeHint())
    qtbot.settled(frame)
    assert shown_dock.scroll().verticalScrollBar().maximum() > 0
    for button in (shown_dock.bar.run_button, shown_dock.bar.cancel_button):
        assert button.isVisible()
        bottom = button.mapTo(frame, button.rect().bottomRight())
        assert frame.rect().contains(bottom)


def test_tooltips_are_broken_into_lines_that_are_filled(open_dock, title):
    widget = open_dock(title).widget
    tips = {child.toolTip() for child in widget.findChildren(QWidget)}
    assert max(len(line) for tip in tips for line in tip.splitlines()) <= 100
    fields = [label for label in widget.findChildren(QLabel) if label.toolTip()]
    assert fields
    for first in (label.toolTip().splitlines()[0] for label in fields if "\n" in label.toolTip()):
        assert len(first) > 60


def test_no_dock_scrolls_where_there_is_room(open_dock, qtbot, title):
    dock = open_dock(title, show=True)
    scroll = dock.scroll()
    dock.viewer.window.resize(1400, 66 * scroll.fontMetrics().height())  # 1000 pixels with 9 pt
    qtbot.settled(scroll)
    assert scroll.isVisible()
    assert not scroll.verticalScrollBar().isVisible()
    dock.viewer.add_image(np.zeros((60, 80, 3), np.uint8), rgb=True)  # of unknown pixel size
    if title == "Segment nuclei":
        dock.choose(model=DEFAULT_MODEL)
        assert dock.form.size_note
    qtbot.settled(scroll)
    assert not scroll.verticalScrollBar().isVisible()


def test_no_field_is_cut_off(shown_dock, qtbot, discs):
    shown_dock.viewer.add_image(discs(), rgb=True, name="a name that is much longer than the dock")
    form = shown_dock.form
    qtbot.settled(form)
    width = shown_dock.scroll().viewport().width()
    assert form.minimumSizeHint().width() <= width
    for field in form.findChildren(QWidget):
        if field.isVisible() and not field.isWindow():
            right = field.mapTo(form, field.rect().topRight()).x()
            assert right <= width, field


def test_every_number_can_be_read(shown_dock, qtbot):
    shown_dock.form.advanced.expand(animate=False)
    qtbot.settled(shown_dock.frame)
    boxes = [box for box in shown_dock.form.findChildren(QAbstractSpinBox) if box.isVisible()]
    assert len(boxes) > 3
    for edit in (box.lineEdit() for box in boxes):
        assert edit.width() >= edit.fontMetrics().horizontalAdvance(edit.text()), edit.text()


def test_a_long_explanation_does_not_widen_the_dock(shown_dock, qtbot):
    qtbot.settled(shown_dock.frame)
    before = shown_dock.widget.sizeHint().width()
    shown_dock.form.show(SegmentState(model_problem="a word of explanation " * 40))
    shown_dock.bar.say("as much as is ever said of a run " * 12, problem=True)
    qtbot.small_enough(shown_dock.frame)
    shown_dock.bar.say("and as much about the run " * 40, problem=True)
    qtbot.settled(shown_dock.frame)
    assert shown_dock.widget.sizeHint().width() == before


def test_undocking_and_docking_keeps_everything(shown_dock, network, discs, qtbot):
    network.hold()
    shown_dock.viewer.add_image(discs(), rgb=True, name="A")
    shown_dock.choose(clear_border=True)
    shown_dock.press_run()
    for floating in (True, False):
        shown_dock.frame.setFloating(floating)
        qtbot.settled(shown_dock.widget)
        assert shown_dock.bar.running
    assert not shown_dock.bar.run.cancelled
    network.go_on.set()
    shown_dock.wait()
    assert len(shown_dock.nuclei()) == 1
    assert shown_dock.chosen("clear_border")


def test_the_window_never_freezes_while_the_network_runs(dock, network, discs, qtbot, pulse):
    """It lives while a call of the network does not end, and all through a run."""
    dock.viewer.add_image(discs((256, 320)), rgb=True)
    dock.choose(tile=64)
    network.hold(2)
    pulse.start()
    dock.press_run()
    qtbot.waitUntil(lambda: network.calls == 2)
    ticks = pulse.ticks
    qtbot.waitUntil(lambda: pulse.ticks > ticks + 25)
    assert dock.bar.running
    network.go_on.set()
    dock.wait()
    assert pulse.stop().max() < FROZEN_S
    assert network.threads
    assert threading.get_ident() not in network.threads


class Redrawn(QObject):
    """Counts how often a window is drawn."""

    def __init__(self, window):
        super().__init__()
        self.times, self._window = 0, window
        window.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.times += watched is self._window and event.type() == QEvent.Type.UpdateRequest
        return False


def test_the_window_stands_still_while_the_network_is_loaded(
    shown_dock, network, discs, monkeypatch, qtbot, pulse
):
    """Where there is no graphics card drawing it takes 25 ms, in which Python does nothing else."""
    go_on, at_once = threading.Event(), jobs.open_model

    def slowly(*chosen, **options):
        assert go_on.wait(60)
        return at_once(*chosen, **options)

    monkeypatch.setattr(jobs, "open_model", slowly)
    shown_dock.viewer.add_image(discs(), rgb=True, name="A")
    shown_dock.choose(model=DEFAULT_MODEL)
    bar = shown_dock.bar.progress
    shown_dock.press_run()
    qtbot.waitUntil(lambda: bar.isVisible() and bar.text() == jobs.LOADING.message)
    qtbot.settled(bar)
    # Only time can show that nothing moves; it is counted in ticks, which are late with all else.
    drawn = Redrawn(bar.window())
    pulse.start()
    qtbot.waitUntil(lambda: pulse.ticks > 50)
    assert drawn.times <= 8  # 57 times with bars that run to and fro
    assert bar.isVisible()
    go_on.set()
    shown_dock.wait()
    assert len(shown_dock.nuclei()) == 1


def test_cancel_takes_effect_within_one_tile(dock, network, discs, qtbot):
    dock.viewer.add_image(discs((128, 320)), rgb=True)
    dock.choose(tile=64)
    network.hold(2)
    dock.press_run()
    qtbot.waitUntil(lambda: network.calls == 2)
    dock.click(dock.bar.cancel_button)
    network.go_on.set()
    dock.wait()
    assert network.calls <= 3
    assert dock.nuclei() == []
    assert dock.bar.run_button.isEnabled()
    assert dock.message == CANCELLED
    assert dock.run().data.max() > 0


def test_the_bar_says_that_it_stops_after_this_tile(shown_dock, network, discs, qtbot):
    shown_dock.viewer.add_image(discs((128, 320)), rgb=True)
    shown_dock.choose(tile=64)
    bar = shown_dock.bar
    network.hold(2)
    shown_dock.click(bar.run_button)
    qtbot.waitUntil(lambda: network.calls == 2 and bar.progress.isVisible())
    shown_dock.click(bar.cancel_button)
    for last in (False, True):
        qtbot.turn()
        assert bar.progress.text() == shown_dock.message == messages.CANCELLING
        if last:
            network.go_on.set()
    shown_dock.wait()
    assert shown_dock.message == CANCELLED


def test_the_bar_says_that_the_network_is_loaded(shown_dock, network, discs, qtbot, monkeypatch):
    opened = jobs.open_model
    asked, loaded = threading.Event(), threading.Event()

    def slowly(name, **options):
        asked.set()
        assert loaded.wait(60)
        return opened(name, **options)

    monkeypatch.setattr(jobs, "open_model", slowly)
    shown_dock.viewer.add_image(discs(), rgb=True)
    bar = shown_dock.bar
    for model, said in (("he-breast-nuclei", jobs.LOADING.message), ("classical", "")):
        asked.clear(), loaded.clear()
        shown_dock.choose(model=model)
        shown_dock.click(bar.run_button)
        qtbot.waitUntil(lambda: asked.is_set() and bar.progress.isVisible())
        qtbot.turn()
        assert bar.progress.text() == said
        loaded.set()
        shown_dock.wait()


def test_the_bar_gets_one_update_for_every_tile(shown_dock, network, discs, every_step):
    shown_dock.viewer.add_image(discs((128, 320)), rgb=True)
    shown_dock.choose(tile=64)
    values = []
    shown_dock.bar.progress.valueChanged.connect(values.append)
    shown_dock.run()
    assert [value for value in values if value > 0] == list(range(1, 11))


@pytest.mark.parametrize("error", [MemoryError("9 GiB"), ValueError("odd"), RuntimeError("CUDA")])
def test_after_an_error_everything_can_be_used_again(dock, network, discs, notifications, error):
    network.error, network.fail_at = error, 2
    dock.viewer.add_image(discs((128, 320)), rgb=True)
    dock.choose(tile=64)
    dock.press_run()
    dock.wait()
    (note,) = notifications()
    assert str(error) in note.message
    assert note.message == dock.message
    assert dock.nuclei() == []
    assert dock.bar.run_button.isEnabled()
    assert not dock.bar.cancel_button.isEnabled()
    network.error = None
    assert dock.run().data.max() > 0


def test_closing_the_dock_ends_the_run(dock, network, discs, qtbot):
    dock.viewer.add_image(discs((128, 320)), rgb=True, name="A")
    dock.choose(tile=64)
    network.hold(2)
    dock.press_run()
    qtbot.waitUntil(lambda: network.calls == 2)
    run = dock.bar.run
    dock.frame.destroyOnClose()
    qtbot.waitUntil(lambda: run.cancelled)
    network.go_on.set()
    qtbot.runs_ended()
    assert network.calls <= 3
    assert dock.nuclei() == []
    dock.viewer.add_image(discs(), rgb=True, name="B")  # nobody listens any more
    dock.reopen()
    assert dock.run().name.startswith("B ")


def test_closing_napari_ends_the_run_after_the_tile(
    open_dock, make_napari_viewer, network, discs, qtbot
):
    network.hold(2)
    dock = open_dock("Segment nuclei", make_napari_viewer())
    dock.viewer.add_image(discs((640, 640)), rgb=True)
    dock.choose(tile=64)
    dock.press_run()
    qtbot.waitUntil(lambda: network.calls == 2)
    dock.viewer.close()
    network.go_on.set()
    qtbot.runs_ended()
    assert network.calls <= 3  # of more than 100


OPEN_THE_DOCK = """
import json, sys
import napari
from qtpy.QtCore import QEventLoop, QTimer
viewer = napari.Viewer(show=False)
before = set(sys.modules)
viewer.open_sample("napari-snow-unet", "tile")
_, widget = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Segment nuclei")
for timer in widget.findChildren(QTimer):
    if timer.isActive():  # until each of them has come to its end
        loop = QEventLoop()
        timer.timeout.connect(loop.quit)
        loop.exec()
heavy = {"tensorflow", "keras", "torch", "jax", "cv2", "matplotlib"}
viewer.close()
print(json.dumps(sorted(heavy & (set(sys.modules) - before))))
"""


def test_opening_the_dock_loads_no_network_library():
    command = [sys.executable, "-c", OPEN_THE_DOCK]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == []


CLOSE_NAPARI = """
import time
import napari, numpy as np
from dataclasses import replace
from qtpy.QtCore import QTimer
from napari_snow_unet.segmentation import classical
from napari_snow_unet.widgets.segment import jobs
from napari_snow_unet.widgets.segment.state import SegmentState
calls = []
def predict(pixels):
    calls.append(1)
    print("a tile", flush=True)
    time.sleep(0.1)  # ten thousand of them take longer than anybody waits
    return 1 - pixels[..., 0]
jobs.open_model = lambda name, **_: replace(classical.model(), predict=predict, halo=0)
viewer = napari.Viewer()
_, widget = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Segment nuclei")
viewer.add_image(np.zeros((6400, 6400), np.uint8))
widget.form.network.tile.value = 64
def close():
    if len(calls) > 2:
        timer.stop()
        assert widget.bar.running
        viewer.close()
        print("closed", flush=True)
timer = QTimer()
timer.timeout.connect(close)
timer.start(10)
QTimer.singleShot(0, widget.bar.run_button.click)
napari.run()
"""


def test_the_program_ends_within_two_tiles_of_closing_napari_in_the_middle_of_a_run():
    command = [sys.executable, "-c", CLOSE_NAPARI]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.splitlines()
    assert said[said.index("closed") :].count("a tile") <= 2
