"""Use as training data, by clicks in a real window: asked once, then one click per image."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from napari.settings import get_plugin_settings
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.manifest import YES, read_manifest
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common.form import wrapped
from napari_snow_unet.widgets.common.settings import GROUP, settings
from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.tools import DELETE, OUTLINE
from napari_snow_unet.widgets.segment.region import SHOWN

CHECKSUM = "0" * 64  # of the network in `conftest`


@pytest.fixture
def preferences():
    """Hold the settings to one test."""
    group = getattr(get_plugin_settings(PLUGIN), GROUP)
    before = group.model_dump()
    yield group
    group.update(before)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Let dialogs choose the folder `mine`, and return how often they have."""
    times = []

    def choose(*args):
        (tmp_path / "mine").mkdir(exist_ok=True)
        times.append(args[1])
        return str(tmp_path / "mine")

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    return times


@pytest.fixture
def data(open_dock, request, network, preferences, asked):
    """Return the segment dock, on the screen if asked, with a network that finds what is dark."""
    dock = open_dock("Segment nuclei", show=getattr(request, "param", False))
    models = dock.field("model").choices
    dock.choose(model=next(m for m in models if m not in ("classical", "elsewhere")))
    return dock


def open_tile(dock, tmp_path, number):
    """Open a tile from its file, and press Run."""
    path = write_image(tmp_path / f"10_{number}.png", generate_tile(number, size=96).image)
    (image,) = dock.viewer.open(path, plugin="napari")
    dock.viewer.layers.selection.active = image
    return image, dock.run()


def use(dock, tool, *places):
    """Use a tool at places of the shown slice, as the mouse hands them over."""
    tools = dock.widget.corrections
    tools._use(tools._layer_of(), tool, np.array(places, float))
    dock.qtbot.turn()


def delete_one(dock, layer):
    y, x = np.argwhere(layer.data == layer.data[layer.data > 0][0])[0]
    use(dock, DELETE, (y, x))


def add(dock):
    """Click the button, and wait until the tile is there or a question is asked."""
    dock.click(dock.widget.training_data.button)
    dock.wait()
    dock.qtbot.turn()


def answer(dock, text):
    box = dock.widget.training_data.question
    dock.qtbot.waitUntil(box.isVisible)
    dock.click(next(button for button in box.buttons() if button.text().strip("&") == text))
    dock.qtbot.turn()
    dock.wait()


@pytest.mark.parametrize("data", [True], indirect=True)
def test_asked_once_then_one_click_for_each_image(data, asked, tmp_path):
    widget, mine = data.widget.training_data, tmp_path / "mine"
    for number in range(3):
        image, layer = open_tile(data, tmp_path, number)
        if number == 2:
            assert widget.note.text() == messages.will_favour("mine", "val")
        if number:
            delete_one(data, layer)
        add(data)
        row = read_manifest(mine)[-1]
        assert row.name == f"10_{number}"
        assert np.array_equal(read_image(mine / row.image).array, image.data)
        assert np.array_equal(read_labels(mine / row.mask), layer.data)
        assert (row.truth, row.truth_model_sha256) == ("prediction", CHECKSUM)
        assert row.truth_model == data.field("model").value
        assert row.truth_edits == ("1 deleted" if number else "none")
        assert of_datasets.added(mine, row.image, row.mask) in data.message
        assert (of_datasets.UNEDITED in data.message) == (number == 0)
    assert of_datasets.favours(row.truth_model) in data.message
    assert asked == [messages.CHOOSE_DATASET_LABEL]
    assert settings().dataset == str(mine)
    assert widget.button.toolTip() == wrapped(messages.training_data_tip(mine))
    table = (mine / "manifest.csv").read_text()
    assert Path.home().name not in re.split(r"[\W_]+", table)
    assert not run(check_dataset(mine, workers=1)).problems
    assert widget.note.isVisible()
    data.qtbot.small_enough(data.frame)


def test_a_tile_is_replaced_only_after_a_question(data, tmp_path):
    _, layer = open_tile(data, tmp_path, 1)
    add(data)
    delete_one(data, layer)
    before = (tmp_path / "mine/manifest.csv").read_bytes()
    add(data)
    answer(data, messages.KEEP_TILE_LABEL)
    assert (data.message, (tmp_path / "mine/manifest.csv").read_bytes()) == (
        messages.NOT_REPLACED,
        before,
    )
    add(data)
    answer(data, messages.REPLACE_LABEL)
    (row,) = read_manifest(tmp_path / "mine")
    assert row.truth_edits == "1 deleted"
    assert np.array_equal(read_labels(tmp_path / "mine" / row.mask), layer.data)


def test_only_the_chosen_region_counts(data, tmp_path):
    image, layer = open_tile(data, tmp_path, 1)
    square = [[9.5, 19.5], [9.5, 59.5], [49.5, 59.5], [49.5, 19.5]]
    shapes = data.viewer.add_shapes([np.array(square, float)], name="annotated")
    data.choose(roi=shapes)
    data.viewer.layers.selection.active = layer
    add(data)
    region = read_labels(tmp_path / "mine/regions/000000.png") > 0
    assert np.array_equal(np.argwhere(region).min(0), [10, 20])
    assert np.array_equal(np.argwhere(region).max(0), [49, 59])
    data.viewer.layers.selection.active = image
    part = data.run()
    assert part.data.shape == (40, 40)
    add(data)
    row = read_manifest(tmp_path / "mine")[1]
    assert row.name == "10_1_y10_x20"
    assert np.array_equal(read_image(tmp_path / "mine" / row.image).array, image.data[10:50, 20:60])
    data.choose(roi=SHOWN)
    add(data)
    answer(data, messages.REPLACE_LABEL)
    assert len(read_manifest(tmp_path / "mine")) == 2


def test_a_validation_tile_is_drawn_without_the_prediction(data, tmp_path):
    for number in range(3):
        image, layer = open_tile(data, tmp_path, number)
        add(data)
    widget = data.widget.training_data
    data.click(widget.draw)
    drawn = data.viewer.layers.selection.active
    assert drawn.name == f"{image.name} {messages.DRAWN_NAME_LABEL}"
    assert (layer.visible, drawn.data.any(), data.message) == (False, False, messages.DRAW_NOW)
    assert read_manifest(tmp_path / "mine")[2].draw_without_prediction == YES
    assert widget.note.isHidden()
    use(data, OUTLINE, (20, 20), (20, 40), (40, 40), (40, 20), (21, 20))
    add(data)
    answer(data, messages.REPLACE_LABEL)
    row = read_manifest(tmp_path / "mine")[2]
    assert (row.truth, row.truth_model, row.draw_without_prediction) == ("drawn", "", YES)
    assert (row.nuclei, row.split) == (1, "val")
    layer.visible = True
    data.viewer.layers.selection.active = layer
    add(data)
    answer(data, messages.REPLACE_LABEL)
    assert of_datasets.TO_BE_DRAWN.problem in data.message
    assert read_manifest(tmp_path / "mine")[2] == row


def test_labels_that_lie_elsewhere_and_other_folders_are_refused(data, tmp_path):
    _, layer = open_tile(data, tmp_path, 1)
    data.viewer.add_labels(np.eye(96, dtype=np.int32), translate=(0.5, 0))
    add(data)
    assert messages.LABELS_BESIDE_IMAGE.problem in data.message
    data.viewer.layers.selection.active = layer
    (tmp_path / "mine").mkdir(exist_ok=True)
    (tmp_path / "mine/letter.txt").write_text("mine")
    add(data)
    assert data.told_problem
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_labels_of_16_bits_in_a_stack_are_taken_slice_by_slice(data, tmp_path):
    planes = np.stack([generate_tile(seed, size=64).image for seed in (1, 2)])
    data.viewer.add_image(planes.astype(np.uint16) * 16, rgb=True, name="stack")
    data.choose(all_slices=True)
    layer = data.run()
    data.viewer.dims.set_point(0, 1)
    add(data)
    (row,) = read_manifest(tmp_path / "mine")
    assert row.name == "stack_z1"
    assert np.array_equal(read_labels(tmp_path / "mine" / row.mask), layer.data[1])


def test_what_save_as_calls_a_result_is_paired_by_prepare(data, tmp_path, monkeypatch):
    offered = []

    def accept(parent, title, start, formats):
        offered.append(Path(start).with_suffix(".png"))
        return str(offered[-1]), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", accept)
    images = [open_tile(data, tmp_path, number) for number in (1, 2)]
    for _, layer in images:
        data.viewer.layers.selection.active = layer
        delete_one(data, layer)
        data.menu.save.trigger()
        data.wait()
    assert [path.parent for path in offered] == [tmp_path] * 2
    prepared = run(prepare([tmp_path], tmp_path / "prepared", PrepareOptions(workers=1)))
    assert [tile.name for tile in prepared.tiles] == ["10_1", "10_2"]
    assert not prepared.problems
    for tile, (_, layer) in zip(prepared.tiles, images, strict=True):
        assert np.array_equal(read_labels(tmp_path / "prepared" / tile.mask), layer.data)
        assert (tile.truth, tile.truth_model_sha256) == ("prediction", CHECKSUM)
        assert tile.truth_edits == "1 deleted"


def test_another_dataset_can_be_chosen(data, tmp_path, asked):
    open_tile(data, tmp_path, 1)
    data.click(data.widget.training_data.another)
    add(data)
    assert len(asked) == 1
    assert len(read_manifest(tmp_path / "mine")) == 1
