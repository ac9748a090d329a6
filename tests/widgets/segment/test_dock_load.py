"""`make load`, in one napari: hundreds of runs, hundreds of docks."""

import gc
import os
import sys
import threading

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

RUNS = int(os.environ.get("RUNS", "500"))
OPENINGS = int(os.environ.get("OPENINGS", "100"))


def memory():
    """Return the resident memory of this process in MiB."""
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def settle(qtbot):
    qtbot.turn()
    gc.collect()
    qtbot.turn()


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")
def test_hundreds_of_runs_and_cancels_leave_memory_and_layers_as_they_are(
    dock, network, discs, qtbot
):
    """Every second run is cancelled in the middle."""
    dock.viewer.add_image(discs((256, 320)), rgb=True)
    dock.choose(tile=64)
    record = []
    for number in range(RUNS):
        network.pause = 0.02 if number % 2 else 0.0
        calls = network.calls
        dock.press_run()
        if number % 2:
            qtbot.waitUntil(lambda calls=calls: network.calls > calls + 1)
            dock.click(dock.bar.cancel_button)
        dock.wait()
        if number % 25 == 24:
            settle(qtbot)
            record.append((memory(), len(dock.viewer.layers), threading.active_count()))
    mebibytes, layers, threads = np.array(record).T
    quarter, late = len(record) // 4, len(record) - 1
    print(
        f"\n{RUNS} runs: {mebibytes[quarter]:.0f} MiB at 25 %, {mebibytes[late]:.0f} at the end,"
        f" {layers[late]:.0f} layers, {threads[late]:.0f} threads"
    )
    assert set(layers) == {2}
    assert threads[late] <= threads[quarter]
    assert mebibytes[late] - mebibytes[quarter] < 25


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")
def test_a_hundred_openings_of_a_dock_leave_no_widget_and_no_thread(
    make_napari_viewer_proxy, discs, qtbot, title
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(discs(), rgb=True)
    record = []
    for number in range(OPENINGS):
        frame, widget = viewer.window.add_plugin_dock_widget("napari-snow-unet", title)
        qtbot.turn()
        qtbot.close_dock(frame, widget)
        del frame, widget
        if number % 10 == 9:
            settle(qtbot)
            record.append((len(QApplication.allWidgets()), threading.active_count(), memory()))
    widgets, threads, mebibytes = np.array(record).T
    print(
        f"\n{title}: {widgets[1]:.0f} widgets after 20, {widgets[-1]:.0f} after {OPENINGS}; "
        f"{threads[-1]:.0f} threads, {mebibytes[1]:.0f} and {mebibytes[-1]:.0f} MiB"
    )
    assert widgets[-1] <= widgets[1]
    assert threads[-1] <= threads[1]
    assert mebibytes[-1] - mebibytes[1] < 40
