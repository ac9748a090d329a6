"""Sliders after a run, and what becomes of what somebody has drawn."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QLocale, QPoint, Qt
from qtpy.QtWidgets import QDoubleSpinBox, QSlider

from napari_snow_unet.models import DEFAULT_MODEL
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
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
        dock.form.nuclei.threshold.value = threshold
        dock.settle()
        assert result.data.max() == nuclei
        expected = run(segment(graded(discs), network.model, Options(threshold=threshold)))
        assert np.array_equal(result.data, expected.labels)
    assert network.calls == calls + 4  # those of this test itself
    assert dock.nuclei() == [result]
    assert "No nuclei were found" in dock.message


def test_moving_the_threshold_leaves_otsu_and_otsu_can_be_taken_again(dock, result):
    before = result.data.copy()
    shown = dock.form.nuclei.threshold.value
    assert dock.form.nuclei.otsu.value
    dock.form.nuclei.threshold.value = 0.7
    assert not dock.form.nuclei.otsu.value
    dock.settle()
    assert not np.array_equal(result.data, before)
    dock.form.nuclei.otsu.value = True
    dock.settle()
    assert np.array_equal(result.data, before)
    assert dock.form.nuclei.threshold.value == shown


def test_leaving_otsu_without_moving_the_slider_changes_nothing(dock, result):
    before = result.data.copy()
    dock.form.nuclei.otsu.value = False
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
    dock.form.nuclei.min_area_um2.value = 100
    dock.settle()
    assert layer.data.max() == 12
    assert network.calls == calls
    assert layer.metadata["napari-snow-unet"]["options"]["min_area"] == 100


def test_the_smallest_area_is_in_square_micrometres_where_the_pixel_size_is_known(
    dock, network, discs
):
    fields = dock.form.nuclei
    said = dock.form._labels[fields.min_area_um2]
    assert fields.min_area_um2.value == pytest.approx(80)
    assert said.text() == "Min. area (pixels)"
    place = {"scale": (0.5, 0.5), "units": ("um", "um")}
    dock.viewer.add_image(discs(), rgb=True, **place)
    assert fields.min_area_um2.value == pytest.approx(5)
    assert said.text() == "Min. area (µm²)"
    assert with_a_point(fields.min_area_um2.native.findChild(QDoubleSpinBox).text()) == "5.0"
    assert dock.form.options() == Options()
    fields.min_area_um2.value = 10
    layer = dock.run()
    assert layer.metadata["napari-snow-unet"]["options"]["min_area_um2"] == 10
    dock.viewer.add_image(discs(), rgb=True)
    assert fields.min_area_um2.value == pytest.approx(160)


def test_a_smallest_area_in_pixels_is_a_whole_number_as_it_is_shown(dock):
    area = dock.form.nuclei.min_area_um2
    area.native.findChild(QSlider).setValue(area.native.findChild(QSlider).maximum() // 7)
    assert dock.form.options().min_area == int(area.native.findChild(QDoubleSpinBox).text())


def test_a_click_beside_the_handle_moves_the_threshold_by_a_twentieth(dock):
    threshold, area = dock.form.nuclei.threshold, dock.form.nuclei.min_area_um2
    for slider, page in ((threshold, 0.05), (area, 50)):
        before = slider.value
        native = slider.native.findChild(QSlider)
        dock.qtbot.keyClick(native, Qt.Key.Key_PageUp)
        assert slider.value == pytest.approx(before + page, rel=1e-3)


def test_the_threshold_is_the_same_number_wherever_it_is_said(dock, result):
    shown = dock.form.nuclei.threshold.native.findChild(QDoubleSpinBox).text()
    assert len(shown) == len("0.123")
    assert dock.message.endswith(f"threshold {with_a_point(shown)}.")


def test_test_time_augmentation_asks_the_network_four_times_and_sliders_keep_it(
    dock, network, result
):
    assert network.calls == 1
    dock.form.network.test_time_augmentation.value = True
    other = dock.run()
    assert network.calls == 5
    assert other is not result
    dock.form.network.test_time_augmentation.value = False
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert other.metadata["napari-snow-unet"]["options"]["test_time_augmentation"] is True
    assert dock.nuclei() == [result, other]
    assert network.calls == 5


def test_results_are_drawn_as_outlines_if_that_is_chosen(dock, result):
    assert result.contour == 0
    box = dock.form.outlines.native
    dock.qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert result.contour == OUTLINE
    dock.form.model.value = DEFAULT_MODEL
    other = dock.run()
    assert other is not result
    assert other.contour == OUTLINE
    other.contour = 0
    dock.viewer.layers.selection.active = result
    assert dock.form.outlines.value
    dock.viewer.layers.selection.active = other
    assert not dock.form.outlines.value
    assert result.contour == OUTLINE


def test_the_metadata_and_the_message_follow_the_sliders(dock, result):
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    facts = result.metadata["napari-snow-unet"]
    assert facts["threshold"] == pytest.approx(178 / 255)
    assert facts["options"]["threshold"] == pytest.approx(0.7)
    assert facts["model"] == "classical"
    assert "8 nuclei" in dock.message


def test_a_layer_somebody_painted_in_is_never_rewritten(dock, result):
    """Corrections by hand are kept: sliders and Run go on in a new layer."""
    result.paint((3, 3), 99)
    painted = result.data.copy()
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert np.array_equal(result.data, painted)
    assert [layer.name for layer in dock.nuclei()] == [
        "A nuclei (classical)",
        "A nuclei (classical) [1]",
    ]
    second = dock.nuclei()[1]
    assert second.data.max() == 8
    assert second not in dock.form.truth.choices  # no result is a truth
    dock.form.nuclei.threshold.value = 0.55
    dock.settle()
    assert [layer.name for layer in dock.nuclei()] == [
        "A nuclei (classical)",
        "A nuclei (classical) [1]",
    ]
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
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert np.array_equal(result.data, kept)
    assert len(dock.nuclei()) == 2


def test_labels_are_as_they_were_found_once_all_strokes_are_undone(dock, result):
    result.paint((3, 3), 99)
    result.fill((25, 25), 77)
    result.undo()
    result.undo()
    dock.form.nuclei.threshold.value = 0.7
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
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert result.data[3, 0] == 99
    assert len(dock.nuclei()) == 2


def test_what_is_painted_while_the_network_runs_is_kept(dock, network, result):
    network.pause = 0.3
    dock.click(dock.bar.run_button)
    result.paint((3, 3), 99)
    painted = result.data.copy()
    dock.wait()
    assert np.array_equal(result.data, painted)
    assert len(dock.nuclei()) == 2


def test_undo_never_brings_stale_pixels_back(dock, result):
    dock.form.nuclei.threshold.value = 0.7
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
    dock.form.nuclei.threshold.value = 0.7
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
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert [plane.max() for plane in layer.data] == [0, 0, 8]
    dock.form.source.all_slices.value = True
    assert dock.run() == layer
    assert [plane.max() for plane in layer.data] == [8, 8, 8]
    dock.form.nuclei.threshold.value = 0.55
    dock.settle()
    assert [plane.max() for plane in layer.data] == [16, 16, 16]
    assert dock.nuclei() == [layer]


def test_sliders_without_a_result_do_nothing(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True)
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert len(dock.viewer.layers) == 1
    assert dock.form.options().threshold == pytest.approx(0.7)


def test_a_result_that_was_deleted_does_not_come_back(dock, result):
    dock.viewer.layers.remove(result)
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert dock.nuclei() == []


def test_sliders_belong_to_the_result_that_is_looked_at(dock, network, discs, result):
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    dock.viewer.add_image(graded(discs), rgb=True, name="B")
    dock.form.nuclei.otsu.value = True
    other = dock.run()
    before = other.data.copy()
    dock.viewer.layers.selection.active = result
    assert dock.form.nuclei.threshold.value == pytest.approx(0.7)
    assert not dock.form.nuclei.otsu.value
    dock.form.nuclei.threshold.value = 0.55
    dock.settle()
    assert result.data.max() == 16
    assert np.array_equal(other.data, before)
    dock.viewer.layers.selection.active = other
    assert dock.form.nuclei.otsu.value


def test_many_moves_end_at_the_last_one(dock, result):
    for threshold in np.linspace(0.1, 0.7, 50):
        dock.form.nuclei.threshold.value = threshold
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
        raise MemoryError("no room for labels")

    with monkeypatch.context() as patch:
        patch.setattr(stack, "label", out_of_memory)
        dock.form.nuclei.threshold.value = 0.7
        dock.settle()
    (note,) = notifications()
    assert "no room for labels" in note.message
    assert note.message == dock.message
    assert np.array_equal(result.data, before)
    assert dock.bar.run_button.isEnabled()
    dock.form.nuclei.threshold.value = 0.71
    dock.settle()
    assert result.data.max() == 8


def test_options_of_a_folder_are_no_options_of_a_result(dock, network, discs, result):
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    dock.viewer.add_image(graded(discs), rgb=True, name="B")
    other = dock.run()
    before = result.data.copy(), other.data.copy()
    dock.form.source.kind.value = "folder"
    dock.form.nuclei.threshold.value = 0.55
    dock.form.nuclei.min_area_um2.value = 300
    dock.settle()
    for layer, labels in zip((result, other), before, strict=True):
        dock.viewer.layers.selection.active = layer
        assert np.array_equal(layer.data, labels)
        assert dock.form.options() == Options(threshold=0.55, min_area=300)
    dock.viewer.layers.selection.active = result
    dock.form.source.kind.value = "layer"
    assert dock.form.options() == Options(threshold=0.7)
    dock.form.nuclei.threshold.value = 0.55
    dock.settle()
    assert result.data.max() == 16


def test_sliders_moved_during_the_first_run_count_at_its_end(dock, network, discs):
    network.pause = 0.5
    dock.viewer.add_image(graded(discs), rgb=True, name="A")
    dock.click(dock.bar.run_button)
    dock.form.nuclei.threshold.value = 0.7
    dock.wait()
    dock.settle()
    (layer,) = dock.nuclei()
    assert layer.data.max() == 8
    assert layer.metadata["napari-snow-unet"]["options"]["threshold"] == pytest.approx(0.7)
    assert dock.form.options().threshold == pytest.approx(0.7)


def test_sliders_moved_while_an_older_result_is_active_belong_to_the_new_one(
    dock, network, discs, result
):
    dock.form.model.value = DEFAULT_MODEL
    latest = dock.run()
    dock.form.nuclei.threshold.value = 0.55
    dock.settle()
    dock.viewer.layers.selection.active = result
    dock.form.network.test_time_augmentation.value = True
    network.pause = 0.2
    dock.click(dock.bar.run_button)
    dock.form.nuclei.threshold.value = 0.7
    dock.wait()
    dock.settle()
    assert [layer.data.max() for layer in dock.nuclei()] == [24, 16, 8]
    assert dock.nuclei()[1] == latest


def test_a_pixel_size_that_is_new_is_for_the_next_run(dock, result):
    dock.form.nuclei.min_area_um2.value = 100
    dock.settle()
    before = result.data.copy()
    dock.form.network.pixel_size_um.value = 0.5
    dock.form.nuclei.min_area_um2.value = 30
    dock.settle()
    assert "Press Run" in dock.message
    assert dock.bar.message.styleSheet()
    assert np.array_equal(result.data, before)
    other = dock.run()
    assert other.metadata["napari-snow-unet"]["options"]["min_area_um2"] == 30
    dock.form.nuclei.min_area_um2.value = 20
    dock.settle()
    assert other.metadata["napari-snow-unet"]["options"]["min_area_um2"] == 20


def test_scores_are_those_of_the_past_once_sliders_change_some_slices(dock, network, discs):
    stack = np.stack([graded(discs)] * 3)
    dock.viewer.add_image(stack, rgb=True, name="stack")
    layer = dock.run()
    truth = dock.viewer.add_labels(layer.data.copy(), name="truth")
    dock.viewer.layers.selection.active = layer
    measure = dock.viewer.window.add_plugin_dock_widget(
        "napari-snow-unet", "Measure a segmentation"
    )[1]
    measure.form.prediction.value, measure.form.truth.value = layer, truth
    dock.click(measure.bar.run_button)
    dock.qtbot.waitUntil(lambda: not measure.bar.running)
    caption = measure.results.caption
    assert caption.text()
    assert "before the last change" not in caption.text()
    dock.form.nuclei.threshold.value = 0.7
    dock.settle()
    assert layer.data.max() == 8
    assert "before the last change" in caption.text()
    dock.form.nuclei.threshold.value = 0.55
    dock.settle()
    assert layer.data.max() == 16
