"""The dock that prepares datasets as a window: menus, progress, errors, that it never freezes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import numpy as np
import psutil
import pytest
from napari.utils.progress import progress as activity
from npe2 import PluginManager
from qtpy.QtCore import Qt

from napari_snow_unet.base.options import declared
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.widgets.common.messages import CANCELLED
from napari_snow_unet.widgets.prepare import dock as dock_module
from napari_snow_unet.widgets.prepare import messages
from napari_snow_unet.widgets.prepare.findings_table import MOST_ROWS, FindingsTable

FROZEN_S = 1.0  # of computing; on one core the thread that works takes half of it
COMMAND, DOCK = "napari-snow-unet.prepare", "Prepare a dataset"


def write_snow(folder, tiles, *, um_per_px=None):
    labels = np.zeros((32, 32), np.int32)
    labels[4:12, 4:12], labels[20:28, 16:30] = 1, 2
    (folder / "Image").mkdir(parents=True)
    for number in range(tiles):
        image = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        (folder / "Image" / f"seed{number:04}.png").write_bytes(encode(image, um_per_px))
        write_hovernet_mat(folder / "Mask" / f"seed{number:04}.mat", labels)
    return folder


@pytest.fixture
def dock(open_dock):
    """Open the dock in a napari whose window is on the screen; one process makes the tiles."""
    dock = open_dock(DOCK, show=True)
    dock.choose(workers=1)
    return dock


def choose(dock, dataset, *sources):
    dock.sources.add(sources)
    dock.choose(dataset=dataset)


def test_the_dock_is_in_the_file_menu_and_under_plugins(make_napari_viewer_proxy):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer_proxy()
    manager = PluginManager.instance()
    assert COMMAND in [item.command for item in manager.iter_menu("napari/file/io_utilities")]
    widgets = manager.get_manifest("napari-snow-unet").contributions.widgets
    assert (COMMAND, DOCK) in [(item.command, item.display_name) for item in widgets]
    get_app_model().commands.execute_command(COMMAND)
    assert [name for name in viewer.window.dock_widgets if DOCK in name]


def test_the_sources_and_cancel_explain_themselves(dock):
    assert all(part.toolTip() for part in (dock.sources.list, dock.sources.remove_button))
    assert dock.bar.cancel_button.toolTip() == messages.CANCEL_TIP


def test_empty_subsets_show_their_defaults(dock):
    for subset in ("train", "val", "test"):
        shown = dock.field(subset).native.placeholderText()
        assert shown == declared(SplitOptions)[subset].option.none != ""


def test_the_bar_counts_the_tiles_of_an_archive(dock, tmp_path, held):
    folder = write_snow(tmp_path / "SNOW", 12)
    archive = tmp_path / "SNOW.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder.glob("*/*"):
            packed.write(file, file.relative_to(tmp_path))
    choose(dock, tmp_path / "dataset", archive)
    go_on = held(dock_module, "prepare", 7)
    dock.press_run()
    dock.qtbot.waitUntil(lambda: dock.bar.progress.value() == 7)
    assert dock.bar.progress.maximum() == 12
    go_on.set()
    dock.wait()
    tiles = read_manifest(tmp_path / "dataset")
    assert all(tile.source_image.startswith("SNOW.zip") for tile in tiles)


def test_the_window_never_freezes_while_tiles_are_made(dock, tmp_path, held, pulse):
    """In the same process, so that Python's lock is in the way as much as can be."""
    choose(dock, tmp_path / "dataset", write_snow(tmp_path / "SNOW", 500))
    go_on = held(dock_module, "prepare", 3)
    pulse.start()
    dock.press_run()
    dock.qtbot.waitUntil(lambda: dock.bar.progress.value() == 3)
    ticks = pulse.ticks
    dock.qtbot.waitUntil(lambda: pulse.ticks > ticks + 25)
    assert dock.bar.running
    go_on.set()
    dock.wait()
    assert pulse.stop().max() < FROZEN_S
    assert "500 tiles" in dock.message


@pytest.mark.parametrize(
    ("name", "fact"),
    [("check_button", "2 tiles"), ("sample_button", "seed0001"), ("open_button", "2 pairs")],
)
def test_every_button_shows_its_error_once_and_the_dock_stays_usable(
    dock, tmp_path, name, fact, notifications
):
    folder = tmp_path / "SNOW"
    folder.mkdir()
    choose(dock, folder)
    button = getattr(dock.widget, name)
    dock.run(button)
    (note,) = notifications()
    assert note.message == dock.message
    assert str(folder) in note.message
    assert len(activity._all_instances) == 0
    write_snow(folder, 2)
    dock.run(button)
    assert fact in dock.message


def test_a_cancelled_check_does_not_mention_preparing(dock, tmp_path, held):
    choose(dock, write_snow(tmp_path / "SNOW", 30))
    go_on = held(dock_module, "check_dataset", 3)
    dock.click(dock.widget.check_button)
    dock.qtbot.waitUntil(lambda: dock.bar.progress.value() == 3)
    dock.click(dock.bar.cancel_button)
    go_on.set()
    dock.wait()
    assert dock.message == CANCELLED
    assert dock.widget.check_button.isEnabled()


def test_layers_have_the_pixel_size_and_no_layer_is_replaced(dock, tmp_path):
    run(prepare([write_snow(tmp_path / "SNOW", 4, um_per_px=0.25)], tmp_path / "dataset"))
    choose(dock, tmp_path / "dataset")
    for _ in range(2):
        dock.run(dock.widget.sample_button)
    layers = list(dock.viewer.layers)
    assert [type(layer).__name__ for layer in layers] == ["Image", "Labels"] * 2
    assert len({layer.name for layer in layers}) == 4
    for layer in layers:
        assert layer.name.startswith("dataset ")
        assert list(layer.scale) == [0.25, 0.25]
        assert {str(unit) for unit in layer.units} == {"micrometer"}
    dock.run(dock.widget.open_button)
    stack, masks = list(dock.viewer.layers)[4:]
    assert list(stack.scale) == list(masks.scale) == [1, 0.25, 0.25]


def test_undocking_in_the_middle_changes_nothing(dock, tmp_path, held):
    choose(dock, tmp_path / "dataset", write_snow(tmp_path / "SNOW", 15))
    go_on = held(dock_module, "prepare", 3)
    dock.press_run()
    assert dock.message == messages.PREPARING
    dock.frame.setFloating(True)
    dock.frame.resize(dock.frame.minimumSizeHint())
    dock.qtbot.settled(dock.frame)
    assert dock.bar.running
    bottom = dock.bar.cancel_button.mapTo(dock.frame, dock.bar.cancel_button.rect().bottomRight())
    assert dock.frame.rect().contains(bottom)
    dock.frame.setFloating(False)
    dock.qtbot.settled(dock.frame)
    go_on.set()
    dock.wait()
    assert "15 tiles" in dock.message


def test_closing_the_dock_stops_and_keeps_finished_tiles(dock, tmp_path, held):
    folder, dataset = write_snow(tmp_path / "SNOW", 30), tmp_path / "dataset"
    choose(dock, dataset, folder)
    go_on = held(dock_module, "prepare", 6)
    dock.press_run()
    dock.qtbot.waitUntil(lambda: dock.bar.progress.value() == 6)
    dock.close()
    go_on.set()
    dock.qtbot.runs_ended()
    assert 6 <= len(read_manifest(dataset)) <= 7
    dock.reopen()


def test_the_whole_text_of_a_finding_is_seen_without_scrolling_sideways(qtbot):
    table = FindingsTable()
    qtbot.addWidget(table)
    table.resize(330, 400)
    text = "The file is cut short and is not a HoVer-Net .mat file. Copy or download it again."
    table.show_findings([("problem", "left out", "SNOW_Dataset_20k/Mask/seed0011.mat", text)])
    qtbot.settled(table)
    assert not table.horizontalScrollBar().isVisible()
    width, height = table.columnWidth(3), table.rowHeight(0)
    needed = (
        table.fontMetrics()
        .boundingRect(0, 0, width, 10_000, Qt.TextFlag.TextWordWrap, text)
        .height()
    )
    assert height >= needed > table.fontMetrics().height()


def test_a_long_table_counts_the_rows_that_are_not_shown(dock):
    dock.table.show_findings(("note", "size", f"{n}.png", "small") for n in range(MOST_ROWS + 3))
    rows = dock.rows()
    assert len(rows) == MOST_ROWS + 1
    assert rows[-1][3] == messages.more_findings(3)


OPEN_THE_DOCK = """
import json, sys
import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show=False)
before = set(sys.modules)
_, widget = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Prepare a dataset")
for _ in range(9):
    QApplication.processEvents()
assert not any(timer.isActive() for timer in widget.findChildren(QTimer)), "more is to come"
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
import sys, threading
from multiprocessing import active_children
from pathlib import Path
import napari
from qtpy.QtCore import QTimer
from napari_snow_unet.widgets.prepare import dock

go_on, begin = threading.Event(), dock.prepare

def held(*chosen):
    for step in begin(*chosen):
        yield step
        if step.done == 5 < step.total:
            go_on.wait()

def close():
    if widget.bar.progress.value() < 5:
        return
    timer.stop()
    print([child.pid for child in active_children()], flush=True)
    viewer.close()
    go_on.set()

if __name__ == "__main__":
    dock.prepare = held
    viewer = napari.Viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Prepare a dataset")
    widget.form.sources.add([Path(sys.argv[1])])
    widget.form.target.dataset.value = Path(sys.argv[2])
    widget.form.fields.workers.value = 2
    timer = QTimer()
    timer.timeout.connect(close)
    timer.start(10)
    QTimer.singleShot(0, widget.bar.run_button.click)
    napari.run()
"""


def test_closing_napari_ends_the_processes_and_leaves_a_dataset_to_continue(tmp_path):
    folder, dataset = write_snow(tmp_path / "SNOW", 90), tmp_path / "dataset"
    (tmp_path / "close.py").write_text(CLOSE_NAPARI, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "close.py"), str(folder), str(dataset)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    children = json.loads(ended.stdout.splitlines()[-1])
    assert len(children) == 2
    assert not any(psutil.pid_exists(child) for child in children)
    done = len(read_manifest(dataset))
    assert 5 <= done <= 5 + 1 + 2 * 2, "the next, and two in the hands of each process"
    prepared = run(prepare([folder], dataset, PrepareOptions(workers=1)))
    assert (len(prepared.tiles), prepared.new) == (90, 90 - done)
