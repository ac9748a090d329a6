"""Sliders after a run, and what becomes of what somebody has drawn."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QLocale, QPoint, Qt
from qtpy.QtWidgets import QSlider

from napari_snow_unet.models import DEFAULT_MODEL
from napari_snow_unet.segmentation.messages import NO_NUCLEI
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.current_result import OUTLINE


def with_a_point(shown):
    """Return a number as fields show it, in the language of the system, as texts say it."""
    return shown.replace(QLocale().decimalPoint(), ".")


def graded(discs):
    """Discs of three depths on a white ground: other thresholds find other ones."""
    image = discs()
    for column, red in ((0, 20), (100, 90), (200, 130)):
        part = image[:, column : column + 100, 0]
        part[part < 240] = red
    return image


@pytest.fixture
def result(dock, network, discs):
    """Return the result of a first run."""
    dock.viewer.add_image(graded(discs), rgb=True, name="A")
    return dock.run()


def test_the_threshold_slider_labels_at_once_without_the_network(dock, network, discs, result):
    calls = network.calls
    assert result.data.max() == 24
    for threshold, nuclei in ((0.7, 8), (0.55, 16), (0.4, 24), (0.95, 0)):
        dock.choose(threshold=threshold)
        dock.settle()
        assert result.data.max() == nuclei
        expected = run(segment(graded(discs), network.model, Options(threshold=threshold)))
        assert np.array_equal(result.data, expected.labels)
    assert network.calls == calls + 4  # those of this test itself
    assert dock.nuclei() == [result]
    assert NO_NUCLEI in dock.message


def test_moving_the_threshold_leaves_otsu_and_otsu_can_be_taken_again(dock, result):
    before = result.data.copy()
    shown = dock.chosen("threshold")
    assert dock.chosen("otsu")
    dock.choose(threshold=0.7)
    assert not dock.chosen("otsu")
    dock.settle()
    assert not np.array_equal(result.data, before)
    dock.choose(otsu=True)
    dock.settle()
    assert np.array_equal(result.data, before)
    assert dock.chosen("threshold") == shown


def test_leaving_otsu_without_moving_the_slider_changes_nothing(dock, result):
    before = result.data.copy()
    dock.choose(otsu=False)
    dock.settle()
    assert np.array_equal(result.data, before)
    assert result.metadata["napari-snow-unet"]["options"]["threshold"] != "otsu"


def test_the_smallest_area_slider_labels_at_once(dock, network, discs):
    image = discs()
    image[:, :150] = discs(radius=5)[:, :150]
    dock.viewer.add_image(image, rgb=True)
    layer = dock.run()
    calls = network.calls
    assert layer.data.max() == 24
    dock.choose(min_area_um2=100)
    dock.settle()
    assert layer.data.max() == 12
    assert network.calls == calls
    assert layer.metadata["napari-snow-unet"]["options"]["min_area"] == 100


def test_the_smallest_area_is_in_square_micrometres_where_the_pixel_size_is_known(
    dock, network, discs
):
    assert dock.chosen("min_area_um2") == pytest.approx(80)
    assert "pixels" in dock.label_of("min_area_um2")
    place = {"scale": (0.5, 0.5), "units": ("um", "um")}
    dock.viewer.add_image(discs(), rgb=True, **place)
    assert dock.chosen("min_area_um2") == pytest.approx(5)
    assert "µm²" in dock.label_of("min_area_um2")
    assert with_a_point(dock.text_of("min_area_um2")) == "5.0"
    assert dock.form.options() == Options()
    dock.choose(min_area_um2=10)
    layer = dock.run()
    assert layer.metadata["napari-snow-unet"]["options"]["min_area_um2"] == 10
    dock.viewer.add_image(discs(), rgb=True)
    assert dock.chosen("min_area_um2") == pytest.approx(160)


def test_a_smallest_area_in_pixels_is_a_whole_number_as_it_is_shown(dock):
    slider = dock.field("min_area_um2").native.findChild(QSlider)
    slider.setValue(slider.maximum() // 7)
    assert dock.form.options().min_area == int(dock.text_of("min_area_um2"))


def test_a_click_beside_the_handle_moves_the_threshold_by_a_twentieth(dock):
    threshold, area = dock.field("threshold"), dock.field("min_area_um2")
    for slider, page in ((threshold, 0.05), (area, 50)):
        before = slider.value
        native = slider.native.findChild(QSlider)
        dock.qtbot.keyClick(native, Qt.Key.Key_PageUp)
        assert slider.value == pytest.approx(before + page, rel=1e-3)


def test_the_threshold_is_the_same_number_wherever_it_is_said(dock, result):
    shown = dock.text_of("threshold")
    assert len(shown) == len("0.123")
    assert dock.message.endswith(f"threshold {with_a_point(shown)}.")


def test_test_time_augmentation_asks_the_network_four_times_and_sliders_keep_it(
    dock, network, result
):
    assert network.calls == 1
    dock.choose(test_time_augmentation=True)
    other = dock.run()
    assert network.calls == 5
    assert other is not result
    dock.choose(test_time_augmentation=False)
    dock.choose(threshold=0.7)
    dock.settle()
    assert other.metadata["napari-snow-unet"]["options"]["test_time_augmentation"] is True
    assert dock.nuclei() == [result, other]
    assert network.calls == 5


def test_results_are_drawn_as_outlines_if_that_is_chosen(dock, result):
    assert result.contour == 0
    box = dock.field("outlines").native
    dock.qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert result.contour == OUTLINE
    dock.choose(model=DEFAULT_MODEL)
    other = dock.run()
    assert other is not result
    assert other.contour == OUTLINE
    other.contour = 0
    dock.viewer.layers.selection.active = result
    assert dock.chosen("outlines")
    dock.viewer.layers.selection.active = other
    assert not dock.chosen("outlines")
    assert result.contour == OUTLINE


def test_the_metadata_and_the_message_follow_the_sliders(dock, result):
    dock.choose(threshold=0.7)
    dock.settle()
    facts = result.metadata["napari-snow-unet"]
    assert facts["threshold"] == pytest.approx(178 / 255)
    assert facts["options"]["threshold"] == pytest.approx(0.7)
    assert facts["model"] == "classical"
    assert "8 nuclei" in dock.message


def test_a_layer_that_was_painted_in_is_never_rewritten(dock, result):
    """Corrections by hand are kept: only Run makes a new layer, in which sliders go on."""
    result.paint((3, 3), 99)
    painted = result.data.copy()
    dock.choose(threshold=0.7)
    dock.settle()
    assert np.array_equal(result.data, painted)
    assert dock.nuclei() == [result]
    assert messages.edits_kept(result.name) in dock.message
    dock.run()
    first, second = dock.nuclei()
    assert (first, second.name) == (result, f"{result.name} [1]")
    assert second.data.max() == 8
    assert second not in dock.field("truth").choices  # no result is a truth
    dock.choose(threshold=0.55)
    dock.settle()
    assert dock.nuclei() == [result, second]
    assert second.data.max() == 16
    assert np.array_equal(result.data, painted)


def test_run_after_painting_makes_a_new_layer(dock, result):
    result.fill((25, 25), 77)
    painted = result.data.copy()
    other = dock.run()
    assert other != result
    assert np.array_equal(result.data, painted)
    assert other.data.max() == 24


@pytest.mark.parametrize(
    "how", ["assigned", "item by item", "in place", "redone", "undone halfway"]
)
def test_labels_changed_in_any_other_way_are_kept_too(dock, result, how):
    if how == "assigned":
        result.data = np.full_like(result.data, 7)
    elif how == "item by item":
        result.data_setitem((np.array([1]), np.array([1])), 7)
    elif how == "in place":
        result.data[1, 1] = 7
        result.refresh()
    else:
        result.paint((3, 3), 99)
        result.paint((9, 9), 98)
        result.undo()
        if how == "redone":
            result.undo()
            result.redo()
    kept = result.data.copy()
    dock.choose(threshold=0.7)
    dock.settle()
    assert np.array_equal(result.data, kept)
    assert dock.nuclei() == [result]
    assert messages.edits_kept(result.name) in dock.message
    dock.run()
    assert np.array_equal(result.data, kept)
    assert len(dock.nuclei()) == 2


def test_labels_are_as_they_were_found_once_all_strokes_are_undone(dock, result):
    result.paint((3, 3), 99)
    result.fill((25, 25), 77)
    result.undo()
    result.undo()
    dock.choose(threshold=0.7)
    dock.settle()
    assert dock.nuclei() == [result]
    assert result.data.max() == 8
    result.paint((3, 3), 99)
    result.undo()
    assert dock.run() == result
    assert dock.nuclei() == [result]
    result.paint((3, 3), 99)
    assert dock.run() != result


def test_more_strokes_than_can_be_undone_are_not_taken_for_none(dock, result):
    for column in range(result._history_limit + 1):
        result.data_setitem((np.array([3]), np.array([column])), 99)
    while result._undo_history:
        result.undo()
    assert result.data[3, 0] == 99
    dock.choose(threshold=0.7)
    dock.settle()
    assert result.data[3, 0] == 99
    assert messages.edits_kept(result.name) in dock.message


def test_what_is_painted_while_the_network_runs_is_kept(dock, network, result):
    network.pause = 0.3
    dock.press_run()
    result.paint((3, 3), 99)
    painted = result.data.copy()
    dock.wait()
    assert np.array_equal(result.data, painted)
    assert len(dock.nuclei()) == 2


def test_undo_never_brings_stale_pixels_back(dock, result):
    dock.choose(threshold=0.7)
    dock.settle()
    labelled = result.data.copy()
    result.undo()
    result.redo()
    assert np.array_equal(result.data, labelled)
    result.paint((3, 3), 99)
    result.undo()
    assert np.array_equal(result.data, labelled)


def test_the_brush_stays_in_the_hand_while_labels_change(dock, result):
    result.mode = "paint"
    dock.choose(threshold=0.7)
    dock.settle()
    assert result.mode == "paint"
    assert result.editable


def test_sliders_of_a_stack_change_the_slices_that_were_segmented(dock, network, discs):
    stack = np.stack([graded(discs)] * 3)
    dock.viewer.add_image(stack, rgb=True, name="stack")
    dock.viewer.dims.set_point(0, 2)
    layer = dock.run()
    layer_of_the_user = layer.data[0]
    assert not layer_of_the_user.any()
    dock.choose(threshold=0.7)
    dock.settle()
    assert [plane.max() for plane in layer.data] == [0, 0, 8]
    dock.choose(all_slices=True)
    assert dock.run() == layer
    assert [plane.max() for plane in layer.data] == [8, 8, 8]
    dock.choose(threshold=0.55)
    dock.settle()
    assert [plane.max() for plane in layer.data] == [16, 16, 16]
    assert dock.nuclei() == [layer]


def test_sliders_without_a_result_do_nothing(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True)
    dock.choose(threshold=0.7)
    dock.settle()
    assert len(dock.viewer.layers) == 1
    assert dock.form.options().threshold == pytest.approx(0.7)


def test_a_result_that_was_deleted_does_not_come_back(dock, result):
    dock.viewer.layers.remove(result)
    dock.choose(threshold=0.7)
    dock.settle()
    assert dock.nuclei() == []


def test_sliders_belong_to_the_result_that_is_looked_at(dock, network, discs, result):
    dock.choose(threshold=0.7)
    dock.settle()
    dock.viewer.add_image(graded(discs), rgb=True, name="B")
    dock.choose(otsu=True)
    other = dock.run()
    before = other.data.copy()
    dock.viewer.layers.selection.active = result
    assert dock.chosen("threshold") == pytest.approx(0.7)
    assert not dock.chosen("otsu")
    dock.choose(threshold=0.55)
    dock.settle()
    assert result.data.max() == 16
    assert np.array_equal(other.data, before)
    dock.viewer.layers.selection.active = other
    assert dock.chosen("otsu")


def test_many_moves_end_at_the_last_one(dock, result):
    for threshold in np.linspace(0.1, 0.7, 50):
        dock.choose(threshold=threshold)
        dock.qtbot.turn(1)
    dock.settle()
    assert result.data.max() == 8
    assert dock.nuclei() == [result]


def test_an_error_while_labelling_is_told_and_leaves_the_labels(
    dock, network, result, notifications, monkeypatch
):
    from napari_snow_unet.segmentation import stack

    before = result.data.copy()

    def out_of_memory(*args, **kwargs):
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(stack, "label", out_of_memory)
        dock.choose(threshold=0.7)
        dock.settle()
    (note,) = notifications()
    assert "no room" in note.message
    assert note.message == dock.message
    assert np.array_equal(result.data, before)
    assert dock.bar.run_button.isEnabled()
    dock.choose(threshold=0.71)
    dock.settle()
    assert result.data.max() == 8


def test_options_of_a_folder_are_no_options_of_a_result(dock, network, discs, result):
    dock.choose(threshold=0.7)
    dock.settle()
    dock.viewer.add_image(graded(discs), rgb=True, name="B")
    other = dock.run()
    before = result.data.copy(), other.data.copy()
    dock.choose(kind="folder", threshold=0.55, min_area_um2=300)
    dock.settle()
    for layer, labels in zip((result, other), before, strict=True):
        dock.viewer.layers.selection.active = layer
        assert np.array_equal(layer.data, labels)
        assert dock.form.options() == Options(threshold=0.55, min_area=300)
    dock.viewer.layers.selection.active = result
    dock.choose(kind="layer")
    assert dock.form.options() == Options(threshold=0.7)
    dock.choose(threshold=0.55)
    dock.settle()
    assert result.data.max() == 16


def test_sliders_moved_during_the_first_run_count_at_its_end(dock, network, discs):
    network.pause = 0.5
    dock.viewer.add_image(graded(discs), rgb=True, name="A")
    dock.press_run()
    dock.choose(threshold=0.7)
    dock.wait()
    dock.settle()
    (layer,) = dock.nuclei()
    assert layer.data.max() == 8
    assert layer.metadata["napari-snow-unet"]["options"]["threshold"] == pytest.approx(0.7)
    assert dock.form.options().threshold == pytest.approx(0.7)


def test_sliders_moved_while_an_older_result_is_active_belong_to_the_new_one(
    dock, network, discs, result
):
    dock.choose(model=DEFAULT_MODEL)
    latest = dock.run()
    dock.choose(threshold=0.55)
    dock.settle()
    dock.viewer.layers.selection.active = result
    dock.choose(test_time_augmentation=True)
    network.pause = 0.2
    dock.press_run()
    dock.choose(threshold=0.7)
    dock.wait()
    dock.settle()
    assert [layer.data.max() for layer in dock.nuclei()] == [24, 16, 8]
    assert dock.nuclei()[1] == latest


def test_a_threshold_set_by_hand_is_said_and_is_for_one_image(dock, network, discs, result):
    assert messages.BY_HAND not in dock.message
    dock.choose(threshold=0.7)
    dock.settle()
    assert messages.BY_HAND in dock.message
    image = dock.chosen("image")
    dock.viewer.add_image(discs(), rgb=True, name="another")
    assert dock.chosen("otsu")
    dock.run()
    assert messages.BY_HAND not in dock.message
    dock.viewer.layers.selection.active = image
    assert (dock.chosen("otsu"), dock.chosen("threshold")) == (False, 0.7)
    dock.run()
    assert messages.BY_HAND in dock.message


def test_a_pixel_size_that_is_new_is_for_the_next_run(dock, result):
    dock.choose(min_area_um2=100)
    dock.settle()
    before = result.data.copy()
    dock.choose(pixel_size_um=0.5)
    dock.choose(min_area_um2=30)
    dock.settle()
    assert dock.message == messages.AREA_OF_UNKNOWN_SIZE
    assert dock.told_problem
    assert np.array_equal(result.data, before)
    other = dock.run()
    assert other.metadata["napari-snow-unet"]["options"]["min_area_um2"] == 30
    dock.choose(min_area_um2=20)
    dock.settle()
    assert other.metadata["napari-snow-unet"]["options"]["min_area_um2"] == 20


def test_scores_are_those_of_the_past_once_sliders_change_some_slices(
    dock, open_dock, network, discs
):
    stack = np.stack([graded(discs)] * 3)
    dock.viewer.add_image(stack, rgb=True, name="stack")
    layer = dock.run()
    truth = dock.viewer.add_labels(layer.data.copy(), name="truth")
    dock.viewer.layers.selection.active = layer
    measure = open_dock("Compare with ground truth", dock.viewer)
    measure.compare(layer, truth)
    measure.run()
    assert measure.caption
    assert not measure.outdated
    dock.choose(threshold=0.7)
    dock.settle()
    assert layer.data.max() == 8
    assert measure.outdated
    dock.choose(threshold=0.55)
    dock.settle()
    assert layer.data.max() == 16
