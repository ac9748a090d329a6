"""The dock Compare with ground truth in a real napari: scores, errors, nuclei, refusals."""

import csv
import re

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_snow_unet.data.datasets.messages import favours
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei
from napari_snow_unet.data.masks import notes
from napari_snow_unet.data.pixels.channels import map_divisor
from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.objects import error_map
from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
from napari_snow_unet.metrics.scores.score_names import KEYS, MEANINGS
from napari_snow_unet.metrics.scores.tile import compare
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.napari_plugin.layers import read_as_labels
from napari_snow_unet.widgets.common.live_scores import SHOWN
from napari_snow_unet.widgets.common.messages import OPEN_AS_LABELS
from napari_snow_unet.widgets.evaluate import dock as dock_module
from napari_snow_unet.widgets.evaluate import messages


@pytest.fixture
def dock(open_dock):
    """Open the dock in a napari whose window is on the screen."""
    return open_dock("Compare with ground truth", show=True)


@pytest.fixture
def two(dock):
    """Return labels and their truth as layers, chosen in the dock."""
    truth, found = truth_and_prediction()
    layers = (
        dock.viewer.add_labels(found, name="found"),
        dock.viewer.add_labels(truth, name="truth"),
    )
    dock.compare(*layers)
    return layers


def truth_and_prediction():
    """Nine squares; of the predictions one is missing, one is moved, one is made up."""
    truth, found = np.zeros((120, 160), np.int32), np.zeros((120, 160), np.int32)
    for label, (y, x) in enumerate(np.ndindex(3, 3), 1):
        truth[y * 40 + 5 : y * 40 + 25, x * 50 + 5 : x * 50 + 25] = label
    found[:, :] = np.where(truth == 5, 0, truth)
    found[5:25, 5:25] = 0
    found[7:27, 5:25] = 1
    found[105:115, 140:155] = 77
    return truth, found


def test_labels_against_labels(dock, tmp_path):
    truth, found = truth_and_prediction()
    place = {"scale": (0.5, 0.5), "translate": (3, 4), "rotate": 20, "units": "um"}
    true_layer = dock.viewer.add_labels(truth, name="truth", **place)
    layer = dock.viewer.add_labels(found, name="found", **place)
    dock.compare(layer, true_layer)
    dock.run()

    expected = compare(found, truth, spacing=(0.5, 0.5)).scores()
    assert dock.scores == {"found": expected}
    assert score_in_words("dice", expected["dice"]) in dock.message
    (errors,) = dock.errors()
    assert np.array_equal(errors.data, error_map(found, truth))
    corner = [119, 159]
    assert np.allclose(errors.data_to_world(corner), layer.data_to_world(corner))

    dock.click(dock.results.copy_button)
    rows = list(csv.reader(QGuiApplication.clipboard().text().splitlines(), delimiter="\t"))
    assert rows[0] == ["prediction", "name", *KEYS]
    assert float(rows[1][rows[0].index("dice")]) == expected["dice"]
    dock.click(dock.results.save_button)
    dock.results.dialog.fileSelected.emit(str(tmp_path / "scores.csv"))
    dock.results.dialog.close()
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert list(csv.reader(file)) == rows


@pytest.mark.parametrize("names", [("truth", "found"), ("found", "Truth"), ("a mask", "b")])
def test_a_layer_called_truth_is_taken_for_it(dock, names):
    for name in names:
        dock.viewer.add_labels(truth_and_prediction()[0], name=name)
    chosen = dock.chosen("truth").name, dock.chosen("prediction").name
    assert chosen[0].lower() in ("truth", "a mask")
    assert chosen[0] != chosen[1]


def test_layers_of_two_images_are_doubted_and_measured(dock):
    truth, found = truth_and_prediction()
    facts = {PLUGIN: {"model": "default", "source": "/data/seed0002.png"}}
    layer = dock.viewer.add_labels(found, name="found", metadata=facts)
    for path in ("seed0011.mat", "seed0002.mat", "seed0002_mask.png"):
        doubt = "0002" not in path
        true_layer = dock.viewer.add_labels(truth, metadata={"source": f"/data/{path}"})
        dock.compare(layer, true_layer)
        dock.run()
        assert all(name in dock.message for name in ("seed0002", "seed0011")) == doubt
        assert dock.told_problem == doubt
        assert score_in_words("dice", dock.scores["found"]["dice"]) in dock.message


def test_a_ground_truth_that_a_model_made_is_named(dock, tmp_path):
    truth, found = truth_and_prediction()
    path = tmp_path / "tile.png"
    write_nuclei(path, Nuclei(truth, provenance={"model": "my-run"}))
    data, facts, _ = read_as_labels(path)
    made = dock.viewer.add_labels(data, **facts)
    layer = dock.viewer.add_labels(found, name="found")
    note = favours("my-run")
    for prediction, true_layer in ((layer, made), (made, layer)):
        dock.compare(prediction, true_layer)
        dock.run()
        assert (note in dock.message) == (true_layer is made)


def test_the_tables_name_what_was_compared_until_the_next_run(dock):
    truth, found = truth_and_prediction()
    true_layer, layer, other = (
        dock.viewer.add_labels(labels.copy(), name=name)
        for labels, name in ((truth, "truth"), (found, "found"), (found, "other"))
    )
    dock.compare(layer, true_layer)
    dock.run()
    assert dock.results.caption.isVisibleTo(dock.widget)
    assert dock.caption == messages.caption("found", "truth", "")
    dock.compare(other, true_layer)
    other.paint((2, 2), 1)
    assert not dock.outdated
    layer.paint((2, 2), 1)
    layer.paint((9, 9), 1)
    assert dock.outdated
    assert "found" in dock.caption
    dock.run()
    assert not dock.outdated
    assert "other" in dock.caption
    dock.viewer.layers.remove(layer)
    assert not dock.outdated
    dock.viewer.layers.remove(true_layer)
    assert dock.outdated
    assert "other" in dock.caption


@pytest.mark.parametrize("painted", ["truth", "found"])
def test_scores_are_those_of_the_past_after_undo_and_redo_too(dock, two, painted):
    layer = dock.viewer.layers[painted]
    for change in (lambda: layer.paint((110, 40), 5), layer.undo, layer.redo):
        dock.run()
        dice = dock.scores["found"]["dice"]
        dock.viewer.dims.set_point(0, 0)
        layer.refresh()
        assert not dock.outdated
        change()
        assert dock.outdated
        dock.run()
        assert dock.scores["found"]["dice"] != dice


def test_a_region_that_is_changed_makes_scores_those_of_the_past(dock, two):
    region = dock.viewer.add_labels(np.ones_like(two[1].data), name="region")
    dock.choose(region=region)
    dock.run()
    region.paint((10, 10), 0)
    assert dock.outdated


def test_live_scores_follow_what_is_painted_in_the_truth(dock):
    truth, found = truth_and_prediction()
    layer = dock.viewer.add_labels(truth, name="truth")
    probability = np.where(found > 0, 200, 20).astype(np.uint8)
    dock.compare(dock.viewer.add_image(probability, name="map"), layer)
    said = [dock.live_scores()]
    for change in (lambda: layer.paint((110, 40), 5), layer.undo, layer.redo):
        change()
        assert not dock.live_scores()
        said.append(dock.next_live_scores())
    assert said[0] == said[2] != said[1] == said[3]
    dock.run()
    layer.undo()
    dock.qtbot.waitUntil(lambda: dock.live_scores() == said[0])
    layer.data = truth[:100]
    dock.qtbot.waitUntil(lambda: "100 x 160" in dock.message)
    assert not dock.bar.run_button.isEnabled()
    assert not dock.live_scores()


def test_tables_explain_themselves_and_fit_into_the_dock(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth * 10, name="truth")
    dock.compare(dock.viewer.add_labels(found * 10, name="found"), true_layer)
    dock.run()
    (errors,) = dock.errors()
    assert errors.opacity == 1
    scores_shown = dock.results.scores.contents
    down, tip = Qt.Orientation.Vertical, Qt.ItemDataRole.ToolTipRole
    tips = [scores_shown.headerData(row, down, tip) for row in range(len(KEYS))]
    assert all(tips)
    assert len(set(tips)) == len(KEYS) == len(MEANINGS)
    table = dock.results.nuclei
    dock.results.tabs.setCurrentWidget(table)
    dock.qtbot.settled(table)
    header = table.view.horizontalHeader()
    for column in range(header.count()):
        assert header.sectionSize(column) >= table.view.sizeHintForColumn(column)
        assert header.sectionSize(column) >= header.sectionSizeHint(column)
    assert header.length() <= table.view.viewport().width()
    model = table.view.contents
    area = [column.title for column in model.columns].index("Area (pixels)")
    assert {model.index(row, area).data() for row in range(3)} <= {"400", "150"}


def test_a_click_on_a_nucleus_goes_there(dock):
    truth, found = truth_and_prediction()
    place = {"scale": (0.5, 0.5), "translate": (30, 40)}
    true_layer = dock.viewer.add_labels(truth, name="truth", **place)
    dock.compare(dock.viewer.add_labels(found, name="found", **place), true_layer)
    dock.run()
    table = dock.results.nuclei
    dock.results.tabs.setCurrentWidget(table)
    dock.qtbot.settled(table)
    dock.viewer.reset_view()  # the dock has taken room since the layers came
    whole = dock.viewer.scene.camera.zoom
    assert [table.view.contents.index(row, 0).data() for row in (0, 1)] == ["missed", "spurious"]
    for row, label, of in ((0, 5, true_layer), (1, 77, dock.chosen("prediction"))):
        dock.click_row(table.view, row)
        middle = np.argwhere(of.data == label).mean(axis=0)
        assert np.allclose(dock.viewer.scene.camera.center[-2:], of.data_to_world(middle))
        assert dock.viewer.scene.camera.zoom > whole
    dock.viewer.layers.remove(true_layer)
    dock.click_row(table.view, 0)  # it is still known where it was
    assert np.allclose(dock.viewer.scene.camera.center[-2:], (30 + 27.25 * 2 * 0.5, 40 + 32.25))


def test_a_probability_map_is_cut_where_the_slider_stands(dock):
    truth, found = truth_and_prediction()
    probability = np.where(found > 0, 200, 20).astype(np.uint8)
    probability[60:80, 60:80] = 120
    truth_layer = dock.viewer.add_labels(truth, name="truth")
    dock.compare(dock.viewer.add_image(probability, name="map"), truth_layer)
    assert dock.form.live.mark.value == pytest.approx(dock.chosen("threshold"), abs=1e-3)
    for threshold in (0.03, 0.6):
        dock.choose(threshold=threshold)
        assert dock.form.chosen().options["threshold"] != "otsu"
        expected = pixel_scores(count_pixels(probability > threshold * 255, truth))
        assert dock.live_scores() == [score_in_words(key, expected[key]) for key in SHOWN]
    dock.run()
    sets = dock.scores
    assert sets["map"]["dice"] == expected["dice"]
    assert sets["map"]["auc"] is not None
    assert {"at Otsu", "at 0.5"} < set(sets)


def test_a_map_of_16_bits_is_one_and_what_is_assumed_of_another_is_said(dock):
    truth, found = truth_and_prediction()
    probability = np.where(found > 0, 200, 20)
    true_layer = dock.viewer.add_labels(truth, name="truth")
    add = dock.viewer.add_image
    dock.compare(add((probability * 17).astype(np.uint16), name="deep"), true_layer)
    dock.run()
    assert dock.scores["at 0.5"]["recall"] == 0
    assert "probability map" not in dock.message
    dock.compare(add(probability.astype(np.int32), name="whole numbers"), true_layer)
    dock.run()
    assert dock.scores["at 0.5"]["recall"] > 0
    assert map_divisor(probability.astype(np.int32))[1] in dock.message


def test_layers_that_do_not_fit_are_refused_and_why(dock):
    truth, found = truth_and_prediction()
    assert dock.message == messages.NO_LABELS
    layer = dock.viewer.add_labels(truth, name="only")
    assert dock.message == messages.ONE_LAYER
    small = dock.viewer.add_labels(found[:100], name="small")
    dock.compare(small, layer)
    assert "100 x 160" in dock.message
    assert "120 x 160" in dock.message
    assert not dock.bar.run_button.isEnabled()
    apart = dock.viewer.add_labels(found, name="apart", scale=(2, 2))
    dock.compare(apart, layer)
    assert all(said in dock.message for said in ("'apart'", "'only'", "scale"))
    assert not dock.bar.run_button.isEnabled()
    dock.choose(pixel_by_pixel=True)
    dock.run()
    assert score_in_words("dice", dock.scores["apart"]["dice"]) in dock.message
    apart.name = "renamed"
    assert dock.field("prediction").current_choice == "renamed"
    assert dock.chosen("prediction").name == "renamed"
    dock.viewer.layers.clear()
    assert dock.message == messages.NO_LABELS


def test_layers_that_are_made_to_fit_can_be_compared_at_once(dock):
    truth, found = truth_and_prediction()
    layer = dock.viewer.add_labels(truth, name="truth")
    other = dock.viewer.add_labels(found[:100], name="found", scale=(2, 2))
    dock.compare(other, layer)
    assert "100 x 160" in dock.message
    other.data = found
    dock.nothing_due()
    assert "scale" in dock.message
    assert not dock.bar.run_button.isEnabled()
    other.scale = (1, 1)
    dock.nothing_due()
    assert dock.message == ""
    dock.run()
    assert not dock.outdated
    for each in dock.viewer.layers:
        each.scale = (0.5, 0.5)
    assert dock.outdated
    dock.nothing_due()
    dock.run()
    assert not dock.outdated
    (errors,) = dock.errors()
    assert np.array_equal(errors.scale, (0.5, 0.5))
    layer.translate = (10, 0)
    dock.nothing_due()
    assert not dock.bar.run_button.isEnabled()


@pytest.mark.parametrize("file", ["labels.png", "labels.tif"])
def test_labels_that_napari_opens_as_an_image_are_no_probability_map(dock, tmp_path, file):
    truth, _ = truth_and_prediction()
    (image,) = dock.viewer.open(write_labels(tmp_path / file, truth), plugin="napari")
    assert all(said in dock.message for said in (messages.NO_LABELS, "'labels'", OPEN_AS_LABELS))
    dock.compare(image, dock.viewer.add_labels(truth, name="truth"))
    assert dock.message.startswith("'labels' ")
    assert dock.message.endswith(OPEN_AS_LABELS)
    assert not dock.bar.run_button.isEnabled()
    assert not dock.form.live.text.text()
    image.data = np.where(truth, 255, 0).astype(np.uint8)  # a mask may serve as a map
    dock.widget.update_state()
    dock.run()
    assert dock.scores["labels"]["dice"] == 1


def test_a_class_map_has_a_nucleus_for_each_region_and_the_choice_overrules_it(dock):
    truth, _ = truth_and_prediction()
    classes = np.where(truth, truth % 2 + 1, 0)
    dock.compare(
        dock.viewer.add_labels(truth, name="found"), dock.viewer.add_labels(classes, name="classes")
    )
    dock.run()
    assert messages.nuclei(9, 0, 0, 0, 0) in dock.message
    assert f"'classes': {notes.classes(np.array([1, 2]))}" in dock.message
    dock.choose(masks_are="labels")
    dock.run()
    assert dock.scores["found"]["n_truth"] == 2
    assert "class map" not in dock.message
    dock.choose(masks_are="")
    dock.chosen("truth").data = classes + 1
    dock.run()
    assert dock.told_problem
    assert re.match(r"(?i)no pixel\b.*\b0\b", dock.message)


def header(table, orientation):
    model = table.model()
    count = model.rowCount() if orientation == Qt.Orientation.Vertical else model.columnCount()
    return [model.headerData(number, orientation) for number in range(count)]


def test_a_stack_has_a_row_for_each_slice(dock):
    truth, found = truth_and_prediction()
    empty = np.zeros_like(truth)
    true_layer = dock.viewer.add_labels(np.stack([truth, truth, empty]), name="truth")
    dock.compare(dock.viewer.add_labels(np.stack([truth, found, empty]), name="found"), true_layer)
    dock.run()
    table = dock.results.scores
    assert list(table.sets) == ["pooled", "mean", "slice 0", "slice 1", "slice 2"]
    assert table.sets["slice 1"] == compare(found, truth).scores()
    nuclei = dock.results.nuclei
    dock.results.tabs.setCurrentWidget(nuclei)
    dock.frame.setFloating(True)
    dock.frame.resize(54 * dock.results.caption.fontMetrics().horizontalAdvance("0"), 600)
    dock.qtbot.settled(nuclei)
    assert header(nuclei.view, Qt.Orientation.Horizontal) == [
        "Status", "ID", "Layer", "IoU", "Area (pixels)", "Slice",
    ]  # fmt: skip
    assert nuclei.view.horizontalScrollBar().maximum() == 0
    dock.results.tabs.setCurrentIndex(0)
    dock.viewer.dims.set_current_step(0, 0)
    dock.click_row(table, 3)
    assert dock.viewer.dims.current_step[0] == 1
    dock.choose(all_slices=False)
    assert header(table, Qt.Orientation.Vertical) == list(table.sets)
    assert dock.caption == messages.caption("found", "truth", "3 slices pooled")
    dock.run()
    assert list(table.sets) == header(table, Qt.Orientation.Horizontal) == ["slice 1"]
    assert header(table, Qt.Orientation.Vertical)[0] == "accuracy"
    assert dock.caption == messages.caption("found", "truth", "slice 1")
    assert list(dock.results.rows())[1][1] == "slice 1"


def test_live_scores_are_those_of_the_slice_that_is_shown(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(np.stack([truth, truth]), name="truth")
    maps = np.where(np.stack([truth, found]) > 0, 200, 20).astype(np.uint8)
    dock.compare(dock.viewer.add_image(maps, name="map"), true_layer)
    pooled = dock.live_scores()
    dock.choose(all_slices=False)
    seen = []
    for number in (0, 1):
        dock.viewer.dims.set_current_step(0, number)
        dock.wait()
        seen.append(dock.live_scores())
    assert seen[0] == [score_in_words(key, 1.0) for key in SHOWN]
    expected = pixel_scores(count_pixels(found > 0, truth))
    assert seen[1] == [score_in_words(key, expected[key]) for key in SHOWN] != pooled
    dock.viewer.add_labels(found[None], name="another")  # nothing to count anew
    assert dock.live_scores() == seen[1]
    assert not dock.form.live.counting


def test_slices_in_which_nothing_was_predicted_are_counted_in_words(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(np.stack([truth, truth]), name="truth")
    layer = dock.viewer.add_labels(np.stack([found, 0 * found]), name="found")
    dock.compare(layer, true_layer)
    dock.run()
    assert messages.nothing_predicted(1) in dock.message
    alone = dock.viewer.add_labels(0 * found, name="alone")
    dock.compare(alone, dock.viewer.add_labels(truth, name="plane"))
    dock.run()
    assert "slice" not in dock.message


def test_a_region_drawn_by_hand_limits_the_scores(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth, name="truth", scale=(0.5, 0.5))
    dock.compare(dock.viewer.add_labels(found, name="found", scale=(0.5, 0.5)), true_layer)
    corners = np.array([(-0.5, 79.5), (-0.5, 200), (200, 200), (200, 79.5)])
    region = dock.viewer.add_shapes([corners], shape_type="polygon", scale=(0.5, 0.5))
    dock.choose(region=region)
    dock.run()
    inside = np.zeros(truth.shape, bool)
    inside[:, 80:] = True
    expected = compare(found, truth, region=inside, spacing=1.0).scores()
    measured = dock.scores["found"]
    assert measured["n_truth"] == expected["n_truth"] == 3
    assert measured["dice"] == expected["dice"]
    line = dock.viewer.add_shapes([[(0, 0), (50, 50)]], shape_type="line", name="a line")
    dock.choose(region=line)
    dock.press_run()
    assert "'a line'" in dock.message


def test_an_errors_layer_somebody_painted_in_stays(dock, two):
    dock.run()
    dock.run()
    (errors,) = dock.errors()
    errors.paint((2, 2), 1)
    painted = errors.data.copy()
    dock.run()
    assert len(dock.errors()) == 2
    assert np.array_equal(errors.data, painted)


def test_negative_labels_are_refused_by_name(dock):
    truth, found = truth_and_prediction()
    found = np.stack([found, found])
    found[1, 0, 0] = -1
    true_layer = dock.viewer.add_labels(np.stack([truth, truth]), name="right")
    layer = dock.viewer.add_labels(found, name="found")
    for prediction, other in ((layer, true_layer), (true_layer, layer)):
        dock.compare(prediction, other)
        dock.run()
        assert dock.told_problem
        assert all(fact in dock.message for fact in ("'found'", "-1", "slice 1"))
    assert not dock.results.isVisible()


def test_an_error_is_told_once_and_the_dock_goes_on(dock, two, monkeypatch, notifications):
    def fail(chosen):
        yield from ()
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(dock_module, "compare", fail)
        dock.run()
    (note,) = notifications()
    assert note.message == dock.message
    assert "no room" in note.message
    assert dock.errors() == []
    dock.run()
    assert len(dock.errors()) == 1


def test_it_is_low_enough_and_can_be_closed(dock, two):
    dock.run()
    dock.qtbot.small_enough(dock.frame)
    dock.close()
    dock.viewer.add_labels(two[1].data)  # nobody listens any more
    dock.reopen()
    dock.run()


@pytest.mark.parametrize("shape", [(1, 120, 160), (120, 160, 1)])
def test_axes_of_length_1_do_not_count(dock, shape):
    truth, found = truth_and_prediction()
    area = np.zeros(truth.shape, np.int32)
    area[:, :80] = 1
    true_layer = dock.viewer.add_labels(truth, name="truth")
    layer = dock.viewer.add_labels(found.reshape(shape), name="found")
    dock.compare(layer, true_layer)
    assert not dock.offers("all_slices")
    dock.run()
    assert dock.scores == {"found": compare(found, truth).scores()}
    (errors,) = dock.errors()
    assert np.array_equal(errors.data, error_map(found, truth).reshape(shape))
    dock.choose(region=dock.viewer.add_labels(area.reshape(shape), name="area"))
    dock.compare(true_layer, layer)
    dock.run()
    within = compare(truth, found, region=area > 0).scores()
    assert dock.scores == {"truth": within}


def test_axes_of_length_1_do_not_count_in_a_stack_nor_for_shapes(dock):
    truth, found = truth_and_prediction()
    place = {"scale": (1, 1, 0.5, 0.5), "translate": (2, 7, 30, 40)}
    true_layer = dock.viewer.add_labels(np.stack([found, truth])[:, None], name="truth", **place)
    layer = dock.viewer.add_labels(np.stack([found, found])[:, None], name="found", **place)
    box = np.array([[3, 7, 30, 40], [3, 7, 30, 80], [3, 7, 91, 80], [3, 7, 91, 40]])
    shapes = dock.viewer.add_shapes([box], name="box")
    dock.compare(layer, true_layer)
    dock.choose(all_slices=False)
    dock.viewer.dims.set_point((0, 1), (3, 7))
    dock.run()
    assert dock.scores == {"slice 1": compare(found, truth).scores()}
    dock.click_row(dock.results.nuclei.view, 0)  # number 5, which was missed
    assert dock.viewer.dims.point[:2] == (3, 7)
    middle = dock.viewer.scene.camera.center[-2:]
    assert np.allclose(middle, (30 + 0.5 * 54.5, 40 + 0.5 * 64.5))
    dock.choose(all_slices=True)
    dock.choose(region=shapes)
    dock.run()
    inside = np.zeros(truth.shape, bool)
    inside[:, :80] = True
    expected = compare(found, truth, region=inside).scores()
    assert dock.scores == {"slice 1": expected}
