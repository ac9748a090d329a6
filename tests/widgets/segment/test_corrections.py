"""Corrections in the segment dock, with the map that a result came from."""

import numpy as np

from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.tools import ADD, DELETE


def use(dock, tool, *places):
    """Use a tool at places of the shown slice, as the mouse hands them over."""
    tools = dock.widget.corrections
    tools._use(dock.result(), tool, np.array(places, float))
    dock.qtbot.turn()


def test_a_result_is_corrected_and_counted(dock, network, discs):
    dock.viewer.add_image(discs((100, 150)), rgb=True)
    layer = dock.run()
    count = int(layer.data.max())
    tools = dock.widget.corrections
    assert layer.selected_label == count + 1
    assert tools.count.text() == messages.summary(count, count, 0, 0, 0, 0, 0)
    use(dock, DELETE, (25, 25))
    assert tools.count.text() == messages.summary(count - 1, count, 0, 1, 0, 0, 0)
    before = layer.data.copy()
    use(dock, ADD, (25, 25))
    assert np.array_equal(layer.data > 0, tools.edits(layer).automatic() > 0)
    assert np.count_nonzero(layer.data == count + 1) == np.count_nonzero(before == 2)
    assert tools.count.text().startswith(f"{count} nuclei")
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_the_tools_are_shown_with_labels_only(shown_dock, discs, qtbot):
    tools = shown_dock.widget.corrections
    assert not any(button.isVisible() for button in tools.buttons.values())
    shown_dock.viewer.add_labels(np.eye(30, dtype=np.int32))
    qtbot.settled(tools)
    assert all(button.isVisible() for button in tools.buttons.values())
    assert "D" in [str(key) for key in shown_dock.viewer.keymap]
    shown_dock.widget.closed()
    assert not shown_dock.viewer.keymap
