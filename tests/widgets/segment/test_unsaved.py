"""Edits that are not saved: kept on disk, offered at the next start, asked for before they go."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.origin import origin_of
from napari_snow_unet.data.names.folder_names import AUTOMATIC
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.correct import messages, unsaved
from napari_snow_unet.widgets.correct.kept import FILE, left_by_others, read_kept, user_folder
from napari_snow_unet.widgets.correct.tools import DELETE
from napari_snow_unet.widgets.segment import messages as dock_messages


def delete(dock, *places):
    """Delete nuclei of the result."""
    for place in places:
        tools = dock.widget.corrections
        tools._use(dock.result(), DELETE, np.array([place], float))
        dock.qtbot.turn()


def kept_files():
    return sorted(user_folder().glob(f"*/{FILE}"))


def answer(label, questions):
    """Click a button of the next question, and note what it asked."""

    def look():
        box = QApplication.activeModalWidget()
        if box is None:
            QTimer.singleShot(20, look)
            return
        questions.append(box.text())
        next(each for each in box.buttons() if each.text() == label).click()

    QTimer.singleShot(20, look)


@pytest.fixture
def edited(dock, network, discs):
    """Return a dock with a result of which one nucleus was deleted."""
    dock.viewer.add_image(discs(), rgb=True, name="A")
    dock.run()
    delete(dock, (25, 25))
    return dock


def test_a_copy_is_written_after_some_edits_and_goes_when_they_are_undone(edited, monkeypatch):
    monkeypatch.setattr(unsaved, "EVERY_EDITS", 3)
    dock, layer = edited, edited.result()
    delete(dock, (25, 75))
    assert kept_files() == []
    delete(dock, (25, 125))
    dock.qtbot.waitUntil(lambda: len(kept_files()) == 1)
    (path,) = kept_files()
    found = read_kept(path.parent)
    assert np.array_equal(found.labels, layer.data)
    assert found.automatic.max() == 24
    assert found.edits == dock.widget.corrections.edits(layer).total()
    assert (found.edits["n_now"], found.edits["deleted"]) == (21, 3)
    assert layer.metadata[PLUGIN]["edits"] == found.edits
    for _ in range(3):
        layer.undo()
        dock.qtbot.turn()
    assert kept_files() == []
    assert "edits" not in layer.metadata[PLUGIN]


def test_a_copy_is_written_after_a_while(edited, monkeypatch):
    assert edited.widget.unsaved._timer.remainingTime() > 50_000
    edited.widget.unsaved._timer.start(0)
    edited.qtbot.waitUntil(lambda: len(kept_files()) == 1)


def test_copies_say_nothing_of_folders_and_users(dock, network, tmp_path):
    from napari_snow_unet.data.pixels.images import write_image
    from napari_snow_unet.data.synthetic import generate_tile

    path = write_image(tmp_path / "home" / "alice" / "tile.png", generate_tile(3, size=128).image)
    dock.viewer.open(path, plugin="napari")
    layer = dock.run()
    delete(dock, np.argwhere(layer.data == 1)[0])
    dock.widget.unsaved._write(layer)
    (kept,) = kept_files()
    with np.load(kept) as arrays:
        record = arrays["record"].tobytes().decode()
    assert "alice" not in record
    assert str(tmp_path) not in record
    assert json.loads(record)["image"] == "tile"


def test_what_is_left_is_offered_opened_and_goes_once_it_is_saved(
    edited, open_dock, tmp_path, monkeypatch
):
    labels, automatic = edited.result().data.copy(), edited.result().data.copy()
    place = edited.result().data_to_world((3, 4))
    automatic = edited.widget.corrections.edits(edited.result()).automatic()
    edited.viewer.layers.clear()  # nobody is asked in a window that nobody sees
    edited.qtbot.turn()
    assert len(left_by_others()) == 1
    other = open_dock("Segment nuclei")
    offer = other.widget.recovery
    assert offer.isVisibleTo(other.widget)
    assert messages.left("A", "T", 23, 24).split("T")[0] in offer.text.text()
    assert left_by_others() == []  # it is this one's now
    other.click(offer.open_button)
    other.qtbot.turn()
    (layer,) = other.viewer.layers
    assert np.array_equal(layer.data, labels)
    assert layer.data_to_world((3, 4)) == place
    assert other.widget.corrections.count.text() == messages.summary(23, 24, 0, 1, 0, 0, 0)
    assert messages.image_missing("A") in other.message
    assert not offer.isVisibleTo(other.widget)
    path = tmp_path / "mine.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), ""))
    menu = other.menu
    menu.menu.aboutToShow.emit()
    assert menu.python.toolTip() == dock_messages.NO_MAP
    menu.save.trigger()
    other.wait()
    assert path.is_file()
    assert np.array_equal(read_labels(tmp_path / AUTOMATIC / "mine.csv.png"), automatic)
    assert kept_files() == []


def test_discarding_an_offer_removes_the_copy_and_offers_the_next(edited, open_dock):
    edited.viewer.layers.clear()
    edited.qtbot.turn()
    (first,) = left_by_others()
    other = open_dock("Segment nuclei")
    other.click(other.widget.recovery.discard_button)
    assert not first.exists()
    assert not other.widget.recovery.isVisibleTo(other.widget)


def test_a_damaged_copy_is_named_and_can_only_be_discarded(edited, open_dock):
    edited.viewer.layers.clear()
    edited.qtbot.turn()
    (path,) = kept_files()
    path.write_bytes(b"no archive")
    other = open_dock("Segment nuclei")
    offer = other.widget.recovery
    assert messages.KEPT_DAMAGED.problem in offer.text.text()
    assert not offer.open_button.isEnabled()
    other.click(offer.discard_button)
    assert not path.exists()
    assert not offer.isVisibleTo(other.widget)


@pytest.mark.parametrize("name", ["a.png", "a.csv", "a.geojson", "a.zarr"])
def test_a_saved_result_says_what_was_edited_and_keeps_the_automatic_labels(
    edited, tmp_path, monkeypatch, name
):
    dock, layer = edited, edited.result()
    dock.widget.unsaved._write(layer)
    assert len(kept_files()) == 1
    edits = dock.widget.corrections.edits(layer)
    path = tmp_path / name
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), ""))
    dock.menu.save.trigger()
    dock.wait()
    before = tmp_path / AUTOMATIC / (name if name == "a.png" else f"{name}.png")
    assert np.array_equal(read_labels(before), edits.automatic())
    record = json.loads(before.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["edits"] == edits.total()
    assert record["edits"]["deleted"] == 1
    assert record["file"] == name
    assert record["model"] == "classical"
    assert dock_messages.automatic_beside(before) in dock.message
    if name in ("a.png", "a.zarr"):
        assert origin_of(path)["edits"] == edits.total()
    assert kept_files() == []
    delete(dock, (25, 75))
    dock.menu.save_as(path, overwrite=name != "a.zarr")
    dock.wait()
    if name == "a.zarr":
        assert dock.told_problem
        assert json.loads(before.with_suffix(".json").read_text(encoding="utf-8")) == record
    else:
        assert np.array_equal(read_labels(before), edits.automatic())


@pytest.mark.parametrize("label", [messages.KEEP_LABEL, messages.DISCARD_LABEL])
def test_edits_are_asked_for_once_when_napari_is_closed(shown_dock, network, discs, label):
    dock, questions = shown_dock, []
    dock.viewer.add_image(discs(), rgb=True, name="A")
    layer = dock.run()
    delete(dock, (25, 25))
    unsaved_edits = dock.widget.unsaved
    window = unsaved_edits._window
    answer(messages.CANCEL_LABEL, questions)
    window.close()
    assert window.isVisible()
    assert questions == [messages.closing(f"“{layer.name}”")]
    assert unsaved_edits.layers == [layer]
    answer(label, questions)
    assert not unsaved_edits.eventFilter(window, QCloseEvent())  # napari goes on with closing
    assert len(questions) == 2
    assert not unsaved_edits.eventFilter(window, QCloseEvent())
    left = left_by_others()
    assert len(left) == (label == messages.KEEP_LABEL)
    for folder in left:
        assert np.array_equal(read_kept(folder).labels, layer.data)


@pytest.mark.parametrize("label", [messages.KEEP_LABEL, messages.DISCARD_LABEL])
def test_a_closed_dock_asks_once_and_goes_on_when_it_is_opened_again(
    shown_dock, network, discs, label
):
    dock, questions = shown_dock, []
    dock.viewer.add_image(discs(), rgb=True, name="A")
    layer = dock.run()
    delete(dock, (25, 25))
    answer(label, questions)
    dock.close()
    assert questions == [messages.dock_closed(f"“{layer.name}”")]
    assert len(kept_files()) == (label == messages.KEEP_LABEL)
    assert left_by_others() == []
    dock.reopen()
    dock.viewer.layers.selection.active = layer
    dock.qtbot.turn()
    was = 24 if label == messages.KEEP_LABEL else 23
    numbers = (23, was, 0, was - 23, 0, 0, 0)
    assert dock.widget.corrections.count.text() == messages.summary(*numbers)
    dock.widget.unsaved._forget(*dock.widget.unsaved.layers)


@pytest.mark.parametrize(
    "label", [messages.KEEP_LABEL, messages.DISCARD_LABEL, messages.PUT_BACK_LABEL]
)
def test_a_removed_layer_asks_once(dock, network, discs, label, monkeypatch):
    """The window is not on the screen: Mesa dies when a painted layer leaves a shown one."""
    asked = []
    choices = (messages.KEEP_LABEL, messages.DISCARD_LABEL, messages.PUT_BACK_LABEL)
    monkeypatch.setattr(
        dock.widget.unsaved, "_ask", lambda text, given: asked.append(text) or given.index(label)
    )
    dock.viewer.add_image(discs(), rgb=True, name="A")
    layer = dock.run()
    delete(dock, (25, 25))
    dock.viewer.layers.remove(layer)
    dock.qtbot.waitUntil(lambda: bool(asked))
    assert asked == [messages.removed(f"“{layer.name}”")]
    dock.qtbot.turn()
    if label == choices[0]:
        (folder,) = left_by_others()
        assert np.array_equal(read_kept(folder).labels, layer.data)
    elif label == choices[1]:
        assert kept_files() == []
    else:
        assert dock.result() is layer
        assert dock.widget.corrections.count.text() == messages.summary(23, 24, 0, 1, 0, 0, 0)
        assert left_by_others() == []
        assert len(kept_files()) == 1


SESSION = textwrap.dedent(
    """
    import os, signal
    import napari, numpy as np
    from qtpy.QtWidgets import QApplication
    from napari_snow_unet.widgets.correct.tools import DELETE

    viewer = napari.Viewer()
    _, dock = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Segment nuclei")
    automatic = np.arange(1, 201, dtype=np.int32).reshape(10, 20).repeat(12, 0).repeat(12, 1)
    facts = {"napari-snow-unet": {"model": "classical", "image": "A"}}
    layer = viewer.add_labels(automatic, name="A nuclei", metadata=facts)
    app = QApplication.instance()
    app.processEvents()
    for number in range(50):
        row, column = divmod(number, 20)
        dock.corrections._use(layer, DELETE, np.array([[12 * row + 6.0, 12 * column + 6.0]]))
        for _ in range(3):
            app.processEvents()
    os.kill(os.getpid(), signal.SIGKILL)
    """
)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_at_most_twenty_edits_are_lost_when_napari_is_killed():
    done = subprocess.run(
        [sys.executable, "-c", SESSION], capture_output=True, text=True, timeout=300, env=os.environ
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    (folder,) = left_by_others()
    found = read_kept(folder)
    assert found.edits["n_automatic"] == 200
    assert 30 <= found.edits["deleted"] <= 50
    assert np.count_nonzero(np.unique(found.labels)) == found.edits["n_now"]
    assert re.fullmatch("[0-9a-f]{32}", folder.name)
