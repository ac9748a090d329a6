"""Every tool by real clicks in a real window, on one plane and in a stack."""

import dask.array
import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_snow_unet.segmentation.corrections.messages import NO_NUCLEUS, NOTHING_GROWN
from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.layer_edits import LayerEdits
from napari_snow_unet.widgets.correct.preview import Preview
from napari_snow_unet.widgets.correct.tools import TOOLS


def steps(layer):
    """Return how many times something can be undone and redone."""
    return len(layer._undo_history), len(layer._redo_history)


@pytest.fixture(params=["plane", "stack", "scaled"])
def layer(request, bench, nuclei):
    """Return labels in the window, with the image that they lie on, and another slice shown."""
    shape = (3, 100, 100) if request.param == "stack" else (100, 100)
    image = np.full(shape, 220, np.uint8)
    y, x = np.mgrid[:100, :100]
    image[..., (y - 50) ** 2 + (x - 88) ** 2 <= 9**2] = 60
    image[..., nuclei > 0] = 60
    data = np.zeros(shape, np.int32)
    data[...] = nuclei
    place = {"scale": (0.5, 0.5), "translate": (7, -30)} if request.param == "scaled" else {}
    under = bench.add_image(image, **place)
    layer = bench.add_labels(data, **place)
    if request.param == "stack":
        bench.viewer.dims.set_point(0, 1)
    bench.show(under, layer)
    return layer


def shown(layer):
    """Return the labels of the slice that is shown."""
    return layer.data if layer.ndim == 2 else layer.data[1]


ACTIONS = {
    "delete": lambda bench: bench.click(25, 25),
    "merge": lambda bench: (bench.click(75, 30), bench.click(75, 48)),
    "separate": lambda bench: bench.drag((5, 75), (45, 75)),
    "add": lambda bench: bench.click(50, 88),
    "outline": lambda bench: bench.drag((45, 5), (45, 25), (55, 25), (55, 5), (46, 5)),
    "fill": lambda bench: bench.click(25, 30),
}


@pytest.mark.parametrize("tool", ACTIONS)
def test_a_tool_is_one_step_that_can_be_undone_and_redone(bench, layer, nuclei, tool):
    if tool == "fill":
        layer.data[..., 25, 25] = nuclei[25, 25] = 0
    before, counts = layer.data.copy(), []
    bench.tools.counted.connect(lambda each: counts.append(bench.tools.count.text()))
    bench.take(tool)
    ACTIONS[tool](bench)
    after = layer.data.copy()
    expected = {
        "delete": lambda now: not (now == 1).any() and (now == nuclei)[nuclei != 1].all(),
        "merge": lambda now: not (now == 4).any() and (now[nuclei == 4] == 3).all(),
        "separate": lambda now: np.array_equal(now > 0, nuclei > 0) and (now == 5).sum() > 150,
        "add": lambda now: 200 < (now == 5).sum() < 300 and (now == nuclei)[now != 5].all(),
        "outline": lambda now: (now == 5)[47:54, 8:23].all() and 150 < (now == 5).sum() < 300,
        "fill": lambda now: now[25, 25] == 1 and np.count_nonzero(now != nuclei) == 1,
    }
    assert expected[tool](shown(layer))
    if layer.ndim == 3:
        assert np.array_equal(after[[0, 2]], before[[0, 2]])
    assert steps(layer) == (1, 0)
    assert layer.selected_label > max(before.max(), after.max())
    edited = bench.tools.count.text()
    bench.undo()
    assert np.array_equal(layer.data, before)
    assert steps(layer) == (0, 1)
    assert bench.tools.count.text() == messages.summary(4, 4, 0, 0, 0, 0, 0)
    bench.redo()
    assert np.array_equal(layer.data, after)
    assert steps(layer) == (1, 0)
    assert bench.tools.count.text() == edited != messages.summary(4, 4, 0, 0, 0, 0, 0)
    assert counts


@pytest.fixture
def plane(bench, nuclei):
    layer = bench.add_labels(nuclei)
    bench.show(layer)
    return layer


def test_eight_corrections_are_counted_as_they_are_made_and_undone(bench, plane):
    count = bench.tools.count.text
    texts = [count()]
    bench.take("delete")
    bench.click(25, 25)
    texts.append(count())
    bench.take("merge")
    bench.click(75, 28)
    bench.click(75, 50)
    texts.append(count())
    bench.take("separate")
    bench.drag((25, 60), (25, 90))
    texts.append(count())
    bench.take("outline")
    bench.drag((45, 5), (45, 25), (55, 25), (55, 5))
    texts.append(count())
    numbers = [(4,), (3, 4, 0, 1), (2, 4, 0, 1, 0, 1), (3, 4, 0, 1, 1, 1), (4, 4, 1, 1, 1, 1)]
    written = [messages.summary(*(*each, *[0] * 7)[:7]) for each in [(4, 4), *numbers[1:]]]
    assert texts == written
    for expected in reversed(written[:-1]):
        bench.undo()
        assert count() == expected
    for expected in written[1:]:
        bench.redo()
        assert count() == expected
    assert bench.tools.edits(plane).total()["added"] == 1


def test_strokes_of_napari_count_too(bench, plane):
    bench.tools.edits(plane)
    plane.mode = "paint"
    plane.brush_size = 10
    plane.selected_label = bench.tools.edits(plane).next_id
    bench.drag((50, 5), (50, 20))
    assert bench.tools.count.text() == messages.summary(5, 4, 1, 0, 0, 0, 0)
    plane.fill((25, 25), 0)
    bench.qtbot.turn()
    assert bench.tools.count.text() == messages.summary(4, 4, 1, 1, 0, 0, 0)
    bench.undo()
    bench.undo()
    assert bench.tools.count.text() == messages.summary(4, 4, 0, 0, 0, 0, 0)


def test_relabelling_is_one_step_and_no_edit_of_a_nucleus(bench, plane):
    bench.take("delete")
    bench.click(25, 25)
    bench.take("relabel")
    assert np.unique(plane.data).tolist() == [0, 1, 2, 3]
    assert bench.tools.count.text() == messages.summary(3, 4, 0, 1, 0, 0, 0)
    assert steps(plane) == (2, 0)
    bench.undo()
    assert np.unique(plane.data).tolist() == [0, 2, 3, 4]


def test_the_automatic_labels_come_back_whatever_was_done(bench, plane):
    before = plane.data.copy()
    bench.take("delete")
    bench.click(25, 25)
    plane.fill((75, 30), 9)
    plane.paint((3, 3), 8)
    assert np.array_equal(bench.tools.edits(plane).automatic(), before)
    assert bench.tools.edits(plane).is_edited


def test_more_edits_than_napari_can_undo_are_all_counted(bench, nuclei):
    labels = np.arange(1, 151, dtype=np.int32).reshape(10, 15).repeat(8, 0).repeat(8, 1)
    layer = bench.add_labels(labels)
    bench.show(layer)
    edits = bench.tools.edits(layer)
    for number in range(1, 131):
        with layer.block_history():
            layer.data_setitem(np.nonzero(layer.data == number), 0)
    assert len(edits.of_plane().deleted) == 130
    for _ in range(100):
        layer.undo()
    assert len(edits.of_plane().deleted) == 30


def test_replaced_labels_are_a_new_beginning(bench, plane, nuclei):
    bench.take("delete")
    bench.click(25, 25)
    plane.data = np.where(nuclei > 2, nuclei, 0)
    bench.qtbot.turn()
    assert bench.tools.count.text() == messages.summary(2, 2, 0, 0, 0, 0, 0)


def test_dragging_moves_the_view_and_deletes_nothing(bench, plane):
    before, centre = plane.data.copy(), tuple(bench.viewer.scene.camera.center)
    bench.take("delete")
    bench.drag((25, 25), (45, 45))
    assert np.array_equal(plane.data, before)
    assert tuple(bench.viewer.scene.camera.center) != centre


def test_a_line_is_shown_while_it_is_drawn_and_the_view_stays(bench, plane):
    layers, centre = len(bench.viewer.layers), tuple(bench.viewer.scene.camera.center)
    bench.take("separate")
    bench.press(10, 75)
    for row in range(12, 42, 4):
        bench.move(row, 75)
    (preview,) = bench.canvas.findChildren(Preview)
    assert preview.isVisible()
    assert len(preview.points) > 4
    assert preview.points[0].toPoint() == bench.at(10, 75)
    assert len(bench.viewer.layers) == layers
    bench.release(42, 75)
    bench.qtbot.turn()
    assert not any(each.isVisible() for each in bench.canvas.findChildren(Preview))
    assert tuple(bench.viewer.scene.camera.center) == centre


def test_a_click_that_finds_nothing_says_why_and_changes_nothing(bench, plane):
    before = plane.data.copy()
    for name in ("delete", "merge"):
        bench.take(name)
        bench.click(50, 50)
        assert bench.tools.note.text() == NO_NUCLEUS.text()
    bench.take("add")
    bench.click(50, 50)
    assert bench.tools.note.text() == NOTHING_GROWN.text()
    assert np.array_equal(plane.data, before)
    assert steps(plane) == (0, 0)


@pytest.mark.parametrize("way", ["escape", "key", "button", "mode", "layer"])
def test_a_tool_is_left_in_many_ways(bench, plane, nuclei, way):
    bench.take("separate")
    assert not plane.mouse_pan
    if way == "escape":
        bench.key(Qt.Key.Key_Escape)
    elif way == "key":
        bench.key(Qt.Key.Key_S)
    elif way == "button":
        bench.take("separate")
    elif way == "mode":
        plane.mode = "paint"
    else:
        bench.add_labels(nuclei.copy())
    assert bench.tools.mouse.tool is None
    assert not bench.tools.buttons["separate"].isChecked()
    assert plane.mode == ("paint" if way == "mode" else "pan_zoom")
    assert plane.mouse_pan == (way != "mode")
    before = plane.data.copy()
    plane.mode = "pan_zoom"
    bench.show(plane)
    bench.drag((25, 5), (25, 45))
    assert np.array_equal(plane.data, before)


def test_keys_take_the_tools(bench, plane):
    for tool in TOOLS:
        bench.key(getattr(Qt.Key, f"Key_{tool.key}"))
        assert bench.tools.mouse.tool is tool
        assert bench.tools.buttons[tool.name].isChecked()
        assert bench.tools.buttons[tool.name].toolTip() == tool.tip_with(tool.key)
    bench.tools.close_tools()
    bench.key(Qt.Key.Key_D)
    assert bench.tools.mouse.tool is None


def test_no_key_is_one_of_napari_s(bench):
    """Neither of the viewer and its Labels, as its settings give them, nor of its menus."""
    from napari._app_model import get_app_model
    from napari.utils.key_bindings import coerce_keybinding
    from napari.viewer import Viewer

    used = set(Labels.class_keymap) | set(Viewer.class_keymap)
    menus = {str(rule.keybinding) for rule in get_app_model().keybindings}
    assert coerce_keybinding("P") in used
    assert "Ctrl+O" in menus
    for tool in TOOLS:
        assert coerce_keybinding(tool.key) not in used
        assert tool.key not in menus


def test_a_key_that_the_user_has_given_to_napari_is_left_alone(make_napari_viewer_proxy, qtbot):
    from napari_snow_unet.widgets.correct.toolbar import Corrections

    viewer, pressed = make_napari_viewer_proxy(), []
    viewer.bind_key("D", lambda _: pressed.append(1))
    widget = Corrections(viewer)
    qtbot.addWidget(widget)
    assert "(D)" not in widget.buttons["delete"].toolTip()
    assert "(S)" in widget.buttons["separate"].toolTip()
    widget.close_tools()
    assert len([key for key in viewer.keymap if str(key) == "D"]) == 1


def refused(bench):
    return bench.tools.note.text(), any(b.isEnabled() for b in bench.tools.buttons.values())


def test_what_cannot_be_corrected_is_refused_in_a_sentence(bench, nuclei, tmp_path):
    assert refused(bench) == (messages.NO_LABELS.text(), False)
    path = tmp_path / "labels.npy"
    np.save(path, nuclei)
    fixed = nuclei.copy()
    fixed.flags.writeable = False
    kinds = {
        messages.ON_DISK: [dask.array.from_array(nuclei), np.load(path, mmap_mode="r+")],
        messages.READ_ONLY: [fixed],
        messages.MULTISCALE: [[nuclei, nuclei[::2, ::2]]],
    }
    for message, kind in kinds.items():
        for data in kind:
            bench.show(bench.add_labels(data))
            assert refused(bench) == (message.text(), False)
    layer = bench.add_labels(np.stack([nuclei] * 3))
    bench.show(layer)
    assert refused(bench) == ("", True)
    layer.editable = False
    assert refused(bench) == (messages.LOCKED.text(), False)
    layer.editable = True
    layer.visible = False
    assert refused(bench) == (messages.HIDDEN.text(), False)
    layer.visible = True
    bench.viewer.dims.order = (1, 0, 2)
    assert refused(bench) == (messages.NOT_FLAT.text(), False)
    bench.viewer.dims.order = (0, 1, 2)
    bench.take("delete")
    bench.viewer.dims.ndisplay = 3
    assert refused(bench) == (messages.NOT_FLAT.text(), False)
    assert bench.tools.mouse.tool is None
    bench.viewer.dims.ndisplay = 2
    assert refused(bench) == ("", True)


def test_the_automatic_labels_of_a_removed_layer_are_let_go(bench, plane):
    bench.take("delete")
    bench.click(25, 25)
    before = len(bench.tools.findChildren(LayerEdits))
    bench.viewer.layers.remove(plane)
    bench.qtbot.waitUntil(lambda: len(bench.tools.findChildren(LayerEdits)) == before - 1)
    assert bench.tools.mouse.tool is None
    assert refused(bench) == (messages.NO_LABELS.text(), False)


def test_the_toolbar_is_narrow(bench, qtbot):
    assert bench.tools.minimumSizeHint().width() < 50 * bench.tools.fontMetrics().horizontalAdvance(
        "0"
    )
