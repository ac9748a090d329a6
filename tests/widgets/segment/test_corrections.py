"""Corrections in the segment dock: counts, sliders and runs follow the edits of a result."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_snow_unet.models import DEFAULT_MODEL
from napari_snow_unet.segmentation.messages import UNKNOWN_SIZE
from napari_snow_unet.widgets.correct import messages as tool_messages
from napari_snow_unet.widgets.correct.preview import canvas_of
from napari_snow_unet.widgets.correct.tools import ADD, DELETE
from napari_snow_unet.widgets.segment import messages


def summary(now, was, *, added=0, deleted=0):
    return tool_messages.summary(now, was, added, deleted, 0, 0, 0)


def use(dock, tool, *places):
    """Use a tool at places of the shown slice, as the mouse hands them over."""
    tools = dock.widget.corrections
    tools._use(dock.result(), tool, np.array(places, float))
    dock.qtbot.turn()


def click(dock, tool, row, column):
    """Take a tool by its button and click a pixel of the result in the window."""
    tools, layer = dock.widget.corrections, dock.result()
    dock.qtbot.settled(dock.widget)
    if not tools.buttons[tool.name].isChecked():
        dock.click(tools.buttons[tool.name])
    dock.qtbot.settled(dock.widget)
    canvas, camera = canvas_of(tools), dock.viewer.scene.camera
    middle = np.array([canvas.height(), canvas.width()]) / 2
    world = np.array(layer.data_to_world((row, column)))
    y, x = (world - np.array(camera.center)[-2:]) * camera.zoom + middle
    QTest.mouseMove(canvas, QPoint(round(x), round(y)))
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    dock.qtbot.turn()


@pytest.fixture
def sizes(discs):
    """Return discs of radius 9 on the left, 5 in the middle and 3 on the right, on white."""
    image = discs()
    image[:, 100:200] = discs(radius=5)[:, 100:200]
    image[:, 200:] = discs(radius=3)[:, 200:]
    return image


@pytest.fixture
def result(dock, network, sizes):
    """Return the result of a first run: 8 discs of 253 and 8 of 81 pixels; 8 of 29 are left out."""
    dock.viewer.add_image(sizes, rgb=True, name="A")
    layer = dock.run()
    assert layer.data.max() == 16
    return layer


def test_a_result_is_corrected_and_counted(dock, network, discs):
    dock.viewer.add_image(discs((100, 150)), rgb=True)
    layer = dock.run()
    count = int(layer.data.max())
    tools = dock.widget.corrections
    assert layer.selected_label == count + 1
    assert tools.count.text() == summary(count, count)
    use(dock, DELETE, (25, 25))
    assert tools.count.text() == summary(count - 1, count, deleted=1)
    before = layer.data.copy()
    use(dock, ADD, (25, 25))
    assert np.array_equal(layer.data > 0, tools.edits(layer).automatic() > 0)
    assert np.count_nonzero(layer.data == count + 1) == np.count_nonzero(before == 2)
    assert tools.count.text().startswith(f"{count} nuclei")
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_the_message_follows_every_click_and_its_undo(shown_dock, network, sizes):
    dock = shown_dock
    dock.viewer.add_image(sizes, rgb=True, name="A")
    layer = dock.run()
    tools, before = dock.widget.corrections, dock.message
    assert f"{layer.name}: 16 nuclei" in before
    click(dock, DELETE, 25, 25)
    assert tools.count.text() == summary(15, 16, deleted=1)
    assert f"{layer.name}: 15 nuclei" in dock.message
    assert messages.EDITED_BY_HAND in dock.message
    fraction = np.count_nonzero(layer.data) / layer.data.size
    assert f"{fraction:.1%}" in dock.message
    click(dock, DELETE, 75, 25)
    assert f"{layer.name}: 14 nuclei" in dock.message
    dock.click(tools.buttons["undo"])
    dock.qtbot.turn()
    assert f"{layer.name}: 15 nuclei" in dock.message
    dock.click(tools.buttons["undo"])
    dock.qtbot.turn()
    assert dock.message == before
    assert tools.count.text() == summary(16, 16)


def test_sliders_filter_edited_labels_and_put_nuclei_back(dock, network, result):
    tools = dock.widget.corrections
    use(dock, DELETE, (25, 25))
    use(dock, DELETE, (25, 125))
    edited = result.data.copy()
    calls = network.calls
    dock.choose(min_area_um2=100)
    dock.settle()
    dock.qtbot.turn()
    assert np.array_equal(result.data, np.where(np.isin(edited, edited[:, :100]), edited, 0))
    assert tools.count.text() == summary(7, 8, deleted=1)
    assert f"{result.name}: 7 nuclei" in dock.message
    dock.choose(min_area_um2=90)
    dock.settle()
    assert len(result._undo_history) == 3  # two deletions and the slider
    dock.choose(min_area_um2=80)
    dock.settle()
    dock.qtbot.turn()
    assert np.array_equal(result.data, edited)
    assert tools.count.text() == summary(14, 16, deleted=2)
    dock.choose(min_area_um2=20)  # smaller than any that was shown before
    dock.settle()
    dock.qtbot.turn()
    assert tools.count.text() == summary(22, 24, deleted=2)
    assert np.array_equal(np.where(np.isin(result.data, edited), result.data, 0), edited)
    assert not result.data[25, [25, 125]].any()
    assert (result.data[25::50, 225] > 0).all()
    assert result.metadata["napari-snow-unet"]["options"]["min_area"] == 20
    assert dock.nuclei() == [result]
    assert network.calls == calls


def test_undo_takes_a_slider_back_and_redo_moves_it_again(dock, result):
    tools = dock.widget.corrections
    use(dock, DELETE, (25, 25))
    edited = result.data.copy()
    dock.choose(min_area_um2=100)
    dock.settle()
    filtered = result.data.copy()
    use(dock, DELETE, (75, 25))
    assert tools.count.text() == summary(6, 8, deleted=2)
    for labels, count, area in (
        (filtered, summary(7, 8, deleted=1), 100),
        (edited, summary(15, 16, deleted=1), 80),
    ):
        result.undo()
        dock.qtbot.turn()
        assert np.array_equal(result.data, labels)
        assert tools.count.text() == count
        assert dock.chosen("min_area_um2") == pytest.approx(area)
    result.redo()
    dock.qtbot.turn()
    assert np.array_equal(result.data, filtered)
    assert tools.count.text() == summary(7, 8, deleted=1)
    assert dock.chosen("min_area_um2") == pytest.approx(100)
    result.undo()
    result.undo()
    dock.qtbot.turn()
    assert tools.count.text() == summary(16, 16)
    dock.choose(min_area_um2=20)  # nothing is edited: the labels are made anew
    dock.settle()
    assert result.data.max() == 24
    assert not result._undo_history


def test_nuclei_at_the_edge_go_and_come_back_with_the_edits(dock, network, discs):
    dock.viewer.add_image(discs()[20:], rgb=True)
    layer = dock.run()
    use(dock, DELETE, (55, 25))
    edited = layer.data.copy()
    dock.choose(clear_border=True)
    dock.settle()
    assert not layer.data[0].any()
    assert layer.data[55, 75]
    dock.choose(clear_border=False)
    dock.settle()
    assert np.array_equal(layer.data, edited)


def test_other_settings_leave_edited_labels_and_say_so_and_run_makes_a_new_result(dock, result):
    use(dock, DELETE, (25, 25))
    edited = result.data.copy()
    dock.choose(separate=False)
    dock.settle()
    assert dock.nuclei() == [result]
    assert np.array_equal(result.data, edited)
    assert messages.edits_kept(result.name) in dock.message
    dock.choose(min_area_um2=100)
    dock.settle()
    assert messages.edits_kept(result.name) in dock.message
    assert result.metadata["napari-snow-unet"]["options"]["separate"] is True
    dock.choose(min_area_um2=80)
    dock.settle()
    other = dock.run()
    assert other is not result
    assert np.array_equal(result.data, edited)
    assert result.visible
    assert messages.new_beside_edited(f"“{result.name}”") in dock.message
    assert other.data[25, 25]


def test_the_message_is_about_the_result_that_is_chosen(dock, network, discs, result):
    dock.viewer.add_image(discs(), rgb=True, name="B")
    other = dock.run()
    assert f"{other.name}: 24 nuclei" in dock.message
    dock.viewer.layers.selection.active = result
    assert f"{result.name}: 16 nuclei" in dock.message
    use(dock, DELETE, (25, 25))
    dock.viewer.layers.selection.active = other
    assert f"{other.name}: 24 nuclei" in dock.message
    dock.viewer.layers.selection.active = result
    assert f"{result.name}: 15 nuclei" in dock.message


def test_an_unknown_pixel_size_is_said_once(dock, discs):
    dock.choose(model=DEFAULT_MODEL)
    dock.viewer.add_image(discs((100, 150)), rgb=True)
    dock.run()
    assert UNKNOWN_SIZE.removesuffix(".") in dock.form.size_note
    assert UNKNOWN_SIZE not in dock.message


def test_the_tools_are_shown_with_labels_only(shown_dock, discs, qtbot):
    tools = shown_dock.widget.corrections
    assert not any(button.isVisible() for button in tools.buttons.values())
    shown_dock.viewer.add_labels(np.eye(30, dtype=np.int32))
    qtbot.settled(tools)
    assert all(button.isVisible() for button in tools.buttons.values())
    assert "D" in [str(key) for key in shown_dock.viewer.keymap]
    shown_dock.widget.closed()
    assert not shown_dock.viewer.keymap
