"""The measuring dock in a real napari: scores, errors, the table of nuclei, refusals."""

import csv

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.objects import error_map
from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
from napari_snow_unet.metrics.scores.score_names import KEYS, MEANINGS
from napari_snow_unet.metrics.scores.tile import measure
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.evaluate import dock as dock_module

LEFT = Qt.MouseButton.LeftButton


class Dock:
    """The measuring dock of a viewer, and what a person does with it."""

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget(
            "napari-snow-unet", "Measure a segmentation"
        )
        self.form, self.bar, self.results = (
            getattr(self.widget, name) for name in ("form", "bar", "results")
        )

    @property
    def message(self):
        return self.bar.message.text()

    def run(self):
        self.qtbot.mouseClick(self.bar.run_button, LEFT)
        assert self.bar.running, self.message
        self.wait()

    def wait(self):
        ready = lambda: not (self.bar.running or self.form.live.counting)  # noqa: E731
        self.qtbot.waitUntil(ready)

    def choose(self, prediction, truth):
        self.form.prediction.value, self.form.truth.value = prediction, truth
        self.wait()

    def errors(self):
        return [layer for layer in self.viewer.layers if "errors" in layer.name]

    def click_row(self, table, row):
        place = table.visualRect(table.model().index(row, 0)).center()
        self.qtbot.mouseClick(table.viewport(), LEFT, pos=place)


@pytest.fixture
def dock(make_napari_viewer_proxy, qtbot):
    """Open the measuring dock in a napari whose window is on the screen."""
    opened = Dock(make_napari_viewer_proxy(show=True), qtbot)
    yield opened
    opened.bar.cancel()
    opened.form.live.ask(None)
    opened.wait()
    opened.viewer = opened.frame = opened.widget = None
    opened.form = opened.bar = opened.results = None


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
    dock.choose(layer, true_layer)
    dock.run()

    expected = measure(found, truth, spacing=(0.5, 0.5)).scores()
    assert dock.results.scores.sets == {"found": expected}
    assert score_in_words("dice", expected["dice"]) in dock.message
    (errors,) = dock.errors()
    assert np.array_equal(errors.data, error_map(found, truth))
    corner = [119, 159]
    assert np.allclose(errors.data_to_world(corner), layer.data_to_world(corner))

    dock.qtbot.mouseClick(dock.results.copy_button, LEFT)
    rows = list(csv.reader(QGuiApplication.clipboard().text().splitlines(), delimiter="\t"))
    assert rows[0] == ["prediction", "name", *KEYS]
    assert float(rows[1][rows[0].index("dice")]) == expected["dice"]
    dock.qtbot.mouseClick(dock.results.save_button, LEFT)
    dock.results.dialog.fileSelected.emit(str(tmp_path / "scores.csv"))
    dock.results.dialog.close()
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert list(csv.reader(file)) == rows


@pytest.mark.parametrize("names", [("truth", "found"), ("found", "Truth"), ("a mask", "b")])
def test_a_layer_called_truth_is_taken_for_it(dock, names):
    for name in names:
        dock.viewer.add_labels(truth_and_prediction()[0], name=name)
    chosen = dock.form.truth.value.name, dock.form.prediction.value.name
    assert chosen[0].lower() in ("truth", "a mask")
    assert chosen[0] != chosen[1]


def test_layers_of_two_images_are_doubted_and_measured(dock):
    truth, found = truth_and_prediction()
    facts = {PLUGIN: {"model": "default", "source": "/data/seed0002.png"}}
    layer = dock.viewer.add_labels(found, name="found", metadata=facts)
    for path, doubt in (("seed0011.mat", True), ("seed0002.mat", False), ("seed0002_mask.png", 0)):
        true_layer = dock.viewer.add_labels(truth, metadata={"source": f"/data/{path}"})
        dock.choose(layer, true_layer)
        dock.run()
        text = "Are both of one image? The files are named seed0002 and seed0011. "
        assert dock.message.startswith(text) == bool(doubt)
        assert "Dice" in dock.message


def test_the_tables_name_what_was_compared_until_the_next_run(dock):
    truth, found = truth_and_prediction()
    true_layer, layer, other = (
        dock.viewer.add_labels(labels.copy(), name=name)
        for labels, name in ((truth, "truth"), (found, "found"), (found, "other"))
    )
    dock.choose(layer, true_layer)
    dock.run()
    caption = dock.results.caption
    assert caption.isVisibleTo(dock.widget)
    dock.choose(other, true_layer)
    other.paint((2, 2), 1)
    assert caption.text() == "found against truth"
    layer.paint((2, 2), 1)
    layer.paint((9, 9), 1)
    assert caption.text() == "found against truth, before the last change"
    dock.run()
    assert caption.text() == "other against truth"
    dock.viewer.layers.remove(layer)
    assert caption.text() == "other against truth"
    dock.viewer.layers.remove(true_layer)
    assert caption.text() == "other against truth, before the last change"


@pytest.mark.parametrize("painted", ["truth", "found"])
def test_scores_are_those_of_the_past_after_undo_and_redo_too(dock, painted):
    truth, found = truth_and_prediction()
    layers = {
        name: dock.viewer.add_labels(labels, name=name)
        for name, labels in (("truth", truth), ("found", found))
    }
    dock.choose(layers["found"], layers["truth"])
    layer = layers[painted]
    for change in (lambda: layer.paint((110, 40), 5), layer.undo, layer.redo):
        dock.run()
        dice = dock.results.scores.sets["found"]["dice"]
        dock.viewer.dims.set_point(0, 0)
        layer.refresh()
        assert dock.results.caption.text() == "found against truth"
        change()
        assert dock.results.caption.text() == "found against truth, before the last change"
        dock.run()
        assert dock.results.scores.sets["found"]["dice"] != dice


def test_a_region_that_is_changed_makes_scores_those_of_the_past(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth, name="truth")
    layer = dock.viewer.add_labels(found, name="found")
    region = dock.viewer.add_labels(np.ones_like(truth), name="region")
    dock.choose(layer, true_layer)
    dock.form.region.value = region
    dock.run()
    region.paint((10, 10), 0)
    assert dock.results.caption.text() == "found against truth, before the last change"


def test_live_scores_follow_what_is_painted_in_the_truth(dock):
    truth, found = truth_and_prediction()
    layer = dock.viewer.add_labels(truth, name="truth")
    probability = np.where(found > 0, 200, 20).astype(np.uint8)
    dock.choose(dock.viewer.add_image(probability, name="map"), layer)
    text = dock.form.live.text
    said = [text.text()]
    for change in (lambda: layer.paint((110, 40), 5), layer.undo, layer.redo):
        change()
        assert "Dice" not in text.text()
        dock.qtbot.waitUntil(lambda: "Dice" in text.text())
        said.append(text.text())
    assert said[0] == said[2] != said[1] == said[3]
    dock.run()
    layer.undo()
    dock.qtbot.waitUntil(lambda: text.text() == said[0])


def test_tables_explain_themselves_and_fit_into_the_dock(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth * 10, name="truth")
    dock.choose(dock.viewer.add_labels(found * 10, name="found"), true_layer)
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
    dock.choose(dock.viewer.add_labels(found, name="found", **place), true_layer)
    dock.run()
    table = dock.results.nuclei
    dock.results.tabs.setCurrentWidget(table)
    dock.qtbot.settled(table)
    dock.viewer.reset_view()  # the dock has taken room since the layers came
    whole = dock.viewer.scene.camera.zoom
    assert [table.view.contents.index(row, 0).data() for row in (0, 1)] == ["missed", "spurious"]
    for row, label, of in ((0, 5, true_layer), (1, 77, dock.form.prediction.value)):
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
    dock.choose(dock.viewer.add_image(probability, name="map"), truth_layer)
    live = dock.form.live
    assert live.mark.value == pytest.approx(dock.form.fields.threshold.value, abs=1e-3)
    for threshold in (0.03, 0.6):
        dock.form.fields.threshold.value = threshold
        assert dock.form.options()["threshold"] != "otsu"
        expected = pixel_scores(count_pixels(probability > threshold * 255, truth))
        for key in ("dice", "precision", "recall"):
            assert (
                f"{key.replace('dice', 'Dice')}\u00a0{score_in_words(key, expected[key])}"
                in live.text.text()
            )
        assert live.text.text().startswith("Pixels above the threshold: ")
    dock.run()
    sets = dock.results.scores.sets
    assert sets["map"]["dice"] == expected["dice"]
    assert sets["map"]["auc"] is not None
    assert {"at Otsu", "at 0.5"} < set(sets)


def test_a_map_of_16_bits_is_one_and_what_is_assumed_of_another_is_said(dock):
    truth, found = truth_and_prediction()
    probability = np.where(found > 0, 200, 20)
    true_layer = dock.viewer.add_labels(truth, name="truth")
    add = dock.viewer.add_image
    for layer, recall, said in (
        (add((probability * 17).astype(np.uint16), name="16 bits"), 0, ""),
        (add(probability.astype(np.int32), name="int32"), None, "in which 255 is taken"),
    ):
        dock.choose(layer, true_layer)
        dock.run()
        at_half = dock.results.scores.sets["at 0.5"]
        assert recall is None or at_half["recall"] == recall
        assert said in dock.message
        assert ("The probability map is one of" in dock.message) == bool(said)


def test_layers_that_do_not_fit_are_refused_and_why(dock):
    truth, found = truth_and_prediction()
    assert "Open a truth" in dock.message
    layer = dock.viewer.add_labels(truth, name="only")
    assert "only one Labels layer" in dock.message
    small = dock.viewer.add_labels(found[:100], name="small")
    dock.choose(small, layer)
    assert "100 x 160" in dock.message
    assert "120 x 160" in dock.message
    assert not dock.bar.run_button.isEnabled()
    apart = dock.viewer.add_labels(found, name="apart", scale=(2, 2))
    dock.choose(apart, layer)
    assert "scale or position differ" in dock.message
    dock.form.fields.pixel_by_pixel.value = True
    dock.run()
    assert "Dice" in dock.message
    apart.name = "renamed"
    assert dock.form.prediction.current_choice == "renamed"
    assert dock.form.prediction.value.name == "renamed"
    dock.viewer.layers.clear()
    assert "Open a truth" in dock.message


@pytest.mark.parametrize("file", ["labels.png", "labels.tif"])
def test_labels_that_napari_opens_as_an_image_are_no_probability_map(dock, tmp_path, file):
    truth, _ = truth_and_prediction()
    (image,) = dock.viewer.open(write_labels(tmp_path / file, truth), plugin="napari")
    assert "Open a truth" in dock.message
    assert "('labels')" in dock.message
    assert "Press Open as Labels" in dock.message
    dock.choose(image, dock.viewer.add_labels(truth, name="truth"))
    assert dock.message == ("'labels' is an image, but holds labels. Press Open as Labels.")
    assert not dock.bar.run_button.isEnabled()
    assert not dock.form.live.text.text()
    image.data = np.where(truth, 255, 0).astype(np.uint8)  # a mask may serve as a map
    dock.widget.update_hint()
    dock.run()
    assert dock.results.scores.sets["labels"]["dice"] == 1


def test_a_class_map_has_a_nucleus_for_each_region_and_the_choice_overrules_it(dock):
    truth, _ = truth_and_prediction()
    classes = np.where(truth, truth % 2 + 1, 0)
    dock.choose(
        dock.viewer.add_labels(truth, name="found"), dock.viewer.add_labels(classes, name="classes")
    )
    dock.run()
    assert "of 9 nuclei" in dock.message
    assert "'classes': class map: each connected region is one nucleus (1 and 2)." in dock.message
    dock.form.fields.masks_are.value = "labels"
    dock.run()
    assert "of 2 nuclei" in dock.message
    dock.form.fields.masks_are.value = ""
    dock.form.truth.value.data = classes + 1
    dock.run()
    assert dock.message.startswith("No pixel of it is 0")


def header(table, orientation):
    model = table.model()
    count = model.rowCount() if orientation == Qt.Orientation.Vertical else model.columnCount()
    return [model.headerData(number, orientation) for number in range(count)]


def test_a_stack_has_a_row_for_each_slice(dock):
    truth, found = truth_and_prediction()
    empty = np.zeros_like(truth)
    true_layer = dock.viewer.add_labels(np.stack([truth, truth, empty]), name="truth")
    dock.choose(dock.viewer.add_labels(np.stack([truth, found, empty]), name="found"), true_layer)
    dock.run()
    table = dock.results.scores
    assert list(table.sets) == ["pooled", "mean", "slice 0", "slice 1", "slice 2"]
    assert table.sets["slice 1"] == measure(found, truth).scores()
    nuclei = dock.results.nuclei
    dock.results.tabs.setCurrentWidget(nuclei)
    dock.frame.setFloating(True)
    dock.frame.resize(54 * dock.results.caption.fontMetrics().horizontalAdvance("0"), 600)
    dock.qtbot.settled(nuclei)
    assert header(nuclei.view, Qt.Orientation.Horizontal) == [
        "Status", "Id", "Layer", "IoU", "Area (pixels)", "Slice",
    ]  # fmt: skip
    assert nuclei.view.horizontalScrollBar().maximum() == 0
    dock.results.tabs.setCurrentIndex(0)
    dock.viewer.dims.set_current_step(0, 0)
    dock.click_row(table, 3)
    assert dock.viewer.dims.current_step[0] == 1
    dock.form.fields.all_slices.value = False
    assert header(table, Qt.Orientation.Vertical) == list(table.sets)
    assert dock.message.startswith("found against truth, 3 slices pooled: Dice")
    dock.run()
    assert list(table.sets) == header(table, Qt.Orientation.Horizontal) == ["slice 1"]
    assert header(table, Qt.Orientation.Vertical)[0] == "accuracy"
    assert dock.message.startswith("found against truth, slice 1: Dice")
    assert dock.results.caption.text() == "found against truth, slice 1"
    assert list(dock.results.rows())[1][1] == "slice 1"


def test_slices_in_which_nothing_was_predicted_are_counted_in_words(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(np.stack([truth, truth]), name="truth")
    layer = dock.viewer.add_labels(np.stack([found, 0 * found]), name="found")
    dock.choose(layer, true_layer)
    dock.run()
    assert dock.message.endswith("In 1 slice nothing was predicted.")
    alone = dock.viewer.add_labels(0 * found, name="alone")
    dock.choose(alone, dock.viewer.add_labels(truth, name="plane"))
    dock.run()
    assert "slice" not in dock.message


def test_a_region_drawn_by_hand_limits_the_scores(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth, name="truth", scale=(0.5, 0.5))
    dock.choose(dock.viewer.add_labels(found, name="found", scale=(0.5, 0.5)), true_layer)
    corners = np.array([(-0.5, 79.5), (-0.5, 200), (200, 200), (200, 79.5)])
    region = dock.viewer.add_shapes([corners], shape_type="polygon", scale=(0.5, 0.5))
    dock.form.region.value = region
    dock.run()
    inside = np.zeros(truth.shape, bool)
    inside[:, 80:] = True
    expected = measure(found, truth, region=inside, spacing=1.0).scores()
    measured = dock.results.scores.sets["found"]
    assert measured["n_truth"] == expected["n_truth"] == 3
    assert measured["dice"] == expected["dice"]
    line = dock.viewer.add_shapes([[(0, 0), (50, 50)]], shape_type="line", name="a line")
    dock.form.region.value = line
    dock.qtbot.mouseClick(dock.bar.run_button, LEFT)
    assert "'a line'" in dock.message


def test_an_errors_layer_somebody_painted_in_stays(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth, name="truth")
    dock.choose(dock.viewer.add_labels(found, name="found"), true_layer)
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
        dock.choose(prediction, other)
        dock.run()
        assert "'found' holds values from -1 to 77 in slice 1; expected whole" in dock.message
    assert not dock.results.isVisible()


def test_an_error_is_told_once_and_the_dock_goes_on(dock, monkeypatch, notifications):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth, name="truth")
    dock.choose(dock.viewer.add_labels(found, name="found"), true_layer)

    def fail(chosen):
        yield from ()
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(dock_module, "compare", fail)
        dock.run()
    assert "not enough memory" in dock.message
    assert len(notifications()) == 1
    assert dock.errors() == []
    dock.run()
    assert len(dock.errors()) == 1


def test_it_is_low_enough_and_can_be_closed(dock):
    truth, found = truth_and_prediction()
    true_layer = dock.viewer.add_labels(truth, name="truth")
    dock.choose(dock.viewer.add_labels(found, name="found"), true_layer)
    dock.run()
    dock.qtbot.small_enough(dock.frame)
    dock.qtbot.close_dock(dock.frame, dock.widget)
    dock.viewer.add_labels(truth)  # nobody listens any more
    dock.__init__(dock.viewer, dock.qtbot)
    dock.run()


@pytest.mark.parametrize("shape", [(1, 120, 160), (120, 160, 1)])
def test_axes_of_length_1_do_not_count(dock, shape):
    truth, found = truth_and_prediction()
    area = np.zeros(truth.shape, np.int32)
    area[:, :80] = 1
    true_layer = dock.viewer.add_labels(truth, name="truth")
    layer = dock.viewer.add_labels(found.reshape(shape), name="found")
    dock.choose(layer, true_layer)
    assert not dock.form.fields.all_slices.visible
    dock.run()
    assert dock.results.scores.sets == {"found": measure(found, truth).scores()}
    (errors,) = dock.errors()
    assert np.array_equal(errors.data, error_map(found, truth).reshape(shape))
    dock.form.region.value = dock.viewer.add_labels(area.reshape(shape), name="area")
    dock.choose(true_layer, layer)
    dock.run()
    within = measure(truth, found, region=area > 0).scores()
    assert dock.results.scores.sets == {"truth": within}


def test_axes_of_length_1_do_not_count_in_a_stack_nor_for_shapes(dock):
    truth, found = truth_and_prediction()
    place = {"scale": (1, 1, 0.5, 0.5), "translate": (2, 7, 30, 40)}
    true_layer = dock.viewer.add_labels(np.stack([found, truth])[:, None], name="truth", **place)
    layer = dock.viewer.add_labels(np.stack([found, found])[:, None], name="found", **place)
    box = np.array([[3, 7, 30, 40], [3, 7, 30, 80], [3, 7, 91, 80], [3, 7, 91, 40]])
    shapes = dock.viewer.add_shapes([box], name="box")
    dock.choose(layer, true_layer)
    dock.form.fields.all_slices.value = False
    dock.viewer.dims.set_point((0, 1), (3, 7))
    dock.run()
    assert dock.results.scores.sets == {"slice 1": measure(found, truth).scores()}
    dock.click_row(dock.results.nuclei.view, 0)  # number 5, which was missed
    assert dock.viewer.dims.point[:2] == (3, 7)
    middle = dock.viewer.scene.camera.center[-2:]
    assert np.allclose(middle, (30 + 0.5 * 54.5, 40 + 0.5 * 64.5))
    dock.form.fields.all_slices.value = True
    dock.form.region.value = shapes
    dock.run()
    inside = np.zeros(truth.shape, bool)
    inside[:, :80] = True
    expected = measure(found, truth, region=inside).scores()
    assert dock.results.scores.sets == {"slice 1": expected}
