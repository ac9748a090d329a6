"""A folder of files as the source: the table, the summary, opening what was found."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from napari_snow_unet.batch.messages import RESULT_EXISTS
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.slides import slide
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.result_names import name_suffix

TILES = ["tile1.png", "tile2.png", "tile10.png"]
OF_TILE = f"tile{{}} {name_suffix('nuclei', 'classical')}"


@pytest.fixture
def folder(tmp_path, discs):
    """Three images, a broken one, and junk."""
    images = tmp_path / "tissue äöü"
    for number in (1, 2, 10):
        write_image(images / f"tile{number}.png", discs(pitch=50))
    (images / "broken.png").write_bytes(b"no image at all")
    (images / "notes.txt").write_text("junk")
    (images / ".DS_Store").write_text("junk")
    return images


@pytest.fixture
def chosen(dock, network, folder):
    """Choose the folder in the dock."""
    dock.choose(kind="folder", folder=folder)
    return dock


def test_without_a_folder_run_says_what_to_do(dock, folder):
    dock.choose(kind="folder")
    assert not dock.bar.run_button.isEnabled()
    assert dock.message == messages.NO_FOLDER
    dock.choose(folder=folder)
    assert dock.bar.run_button.isEnabled()
    assert dock.message == ""
    assert dock.chosen("results") == folder / "nuclei"


def test_every_image_gets_labels_a_row_and_a_line_in_the_summary(chosen, folder):
    chosen.run()
    assert [row[0] for row in chosen.rows()] == ["broken.png", *TILES]
    assert [row[3][:6] for row in chosen.rows()] == ["failed", "done", "done", "done"]
    assert [row[1] for row in chosen.rows()] == ["", "24", "24", "24"]
    assert read_labels(folder / "nuclei" / "tile10.png").max() == 24
    with (folder / "nuclei" / "summary.csv").open(newline="", encoding="utf-8") as file:
        lines = {line["image"].rpartition("broken")[1]: line for line in csv.DictReader(file)}
    assert lines["broken"]["error"]
    assert chosen.message.startswith("3 of 4 ")
    assert all(name in chosen.message for name in ("broken.png", "notes.txt"))
    assert chosen.told_problem
    (folder / "broken.png").unlink()
    chosen.choose(overwrite=True)
    chosen.run()
    assert chosen.message.startswith("3 of 3 ")
    assert "notes.txt" in chosen.message
    assert chosen.message.count("nuclei") == 1  # the folder of the results is not skipped
    assert not chosen.told_problem
    assert len(chosen.viewer.layers) == 0
    assert CONTAIN_NAMES in chosen.message


def test_progress_counts_files_and_rows_come_one_by_one(chosen, network):
    network.hold(3)
    bar, table = chosen.bar.progress, chosen.table.contents
    chosen.press_run()
    chosen.qtbot.waitUntil(lambda: table.rowCount() == bar.value() == 2)
    assert chosen.bar.running
    assert bar.maximum() == 4
    assert "tile" in bar.format()
    network.go_on.set()
    chosen.wait()
    assert table.rowCount() == 4


def test_cancel_keeps_what_is_done(chosen, network, folder):
    network.hold(3)
    table = chosen.table.contents
    chosen.press_run()
    chosen.qtbot.waitUntil(lambda: table.rowCount() == 2)
    chosen.click(chosen.bar.cancel_button)
    network.go_on.set()
    chosen.wait()
    assert table.rowCount() == 2
    assert chosen.message == messages.FILES_KEPT
    assert read_labels(folder / "nuclei" / "tile1.png").max() == 24
    assert not list((folder / "nuclei").glob(".writing*"))
    assert chosen.bar.run_button.isEnabled()


def test_a_click_on_a_row_opens_image_and_labels_once(chosen, folder):
    chosen.run()
    chosen.open_row(2)
    image, labels = chosen.viewer.layers
    assert (image.name, labels.name) == ("tile2", OF_TILE.format(2))
    assert image.rgb
    assert np.array_equal(labels.data, read_labels(folder / "nuclei" / "tile2.png"))
    chosen.open_row(1)
    assert len(chosen.viewer.layers) == 4
    chosen.open_row(2)
    assert len(chosen.viewer.layers) == 4
    assert chosen.viewer.layers.selection.active == image


def test_a_click_on_a_failed_row_opens_nothing(chosen):
    chosen.run()
    chosen.open_row(0)
    assert len(chosen.viewer.layers) == 0


def test_results_that_exist_are_replaced_only_when_asked(chosen, folder):
    chosen.run()
    chosen.run()
    assert [row[3][:6] for row in chosen.rows()] == ["failed"] * 4
    overwrite = chosen.field("overwrite").text
    assert RESULT_EXISTS.problem in chosen.rows()[1][3]
    assert f"({overwrite})" in chosen.rows()[1][3]
    places = [chosen.message.index(name) for name in ("broken.png", ", ".join(TILES))]
    assert places == sorted(places)
    assert overwrite not in chosen.message
    (folder / "broken.png").unlink()
    chosen.run()
    assert "tile1.png" in chosen.message
    assert f"({overwrite})" in chosen.message
    (folder / "broken.png").write_bytes(b"no image at all")
    chosen.choose(overwrite=True)
    chosen.run()
    assert [row[3][:6] for row in chosen.rows()] == ["failed", "done", "done", "done"]


def test_maps_and_outlines_are_written_when_asked(chosen, folder):
    chosen.choose(probability=True, overlay=True)
    chosen.run()
    names = {path.name for path in (folder / "nuclei").iterdir()}
    assert {"tile1.png", "tile1_probability.png", "tile1_overlay.png"} <= names


def test_a_stack_in_a_file_opens_as_a_stack(chosen, tmp_path, discs):
    import tifffile

    stacks = tmp_path / "stacks"
    stacks.mkdir()
    tifffile.imwrite(stacks / "s.tif", np.stack([discs()] * 3), photometric="rgb")
    chosen.choose(folder=stacks)
    chosen.run()
    chosen.open_row(0)
    image, labels = chosen.viewer.layers
    assert image.data.shape == (3, 200, 300, 3)
    assert [plane.max() for plane in labels.data] == [24, 24, 24]


def test_a_folder_without_images_is_refused_in_one_sentence(chosen, tmp_path, notifications):
    empty = tmp_path / "empty"
    empty.mkdir()
    chosen.choose(folder=empty)
    chosen.run()
    assert "no image" in chosen.message
    assert len(notifications()) == 1
    assert not (empty / "nuclei").exists()


def test_files_that_are_gone_when_a_row_is_clicked_are_told(chosen, folder, notifications):
    chosen.run()
    (folder / "tile2.png").unlink()
    chosen.open_row(2)
    assert len(chosen.viewer.layers) == 0
    (note,) = notifications()
    assert "tile2.png" in note.message
    assert note.message == chosen.message


def test_a_large_layer_whose_results_exist_is_told_which_box_to_tick(
    dock, network, discs, tmp_path, monkeypatch
):
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    dock.viewer.add_image(discs(), rgb=True, name="A")
    dock.widget.update_hint()
    dock.choose(results=tmp_path)
    (tmp_path / "A.zarr").mkdir()
    dock.press_run()
    dock.wait()
    assert RESULT_EXISTS.problem in dock.message
    assert f"({dock.field('overwrite').text})" in dock.message


def test_labels_that_were_written_anew_are_shown_beside_the_older_ones(chosen, folder):
    (folder / "broken.png").unlink()
    chosen.run()
    chosen.open_row(0)
    image, labels = chosen.viewer.layers
    chosen.choose(overwrite=True, min_area_um2=300)  # a disc has 253
    chosen.run()
    chosen.open_row(0)
    assert list(chosen.viewer.layers)[:2] == [image, labels]
    (anew,) = list(chosen.viewer.layers)[2:]
    assert (labels.data.max(), anew.data.max()) == (24, 0)
    chosen.choose(results=folder.parent / "elsewhere")
    chosen.run()
    chosen.open_row(0)
    assert len(chosen.viewer.layers) == 4
    chosen.open_row(0)
    assert len(chosen.viewer.layers) == 4
    assert chosen.viewer.layers.selection.active == image


def test_a_half_that_was_removed_comes_back_where_the_other_lies(chosen):
    chosen.run()
    chosen.open_row(1)
    image, labels = chosen.viewer.layers
    image.scale = (0.5, 0.5)
    chosen.viewer.layers.remove(labels)
    chosen.open_row(1)
    assert chosen.viewer.layers[0] == image
    labels = chosen.viewer.layers[1]
    assert labels.name == OF_TILE.format(1)
    assert labels.scale.tolist() == [0.5, 0.5]
    chosen.viewer.layers.remove(image)
    chosen.open_row(1)
    assert [layer.name for layer in chosen.viewer.layers] == ["tile1", labels.name]


def test_a_folder_for_results_that_was_chosen_stays(chosen, folder, tmp_path, discs):
    results = chosen.field("results")
    assert results.value == folder / "nuclei"
    other = tmp_path / "other"
    write_image(other / "a.png", discs())
    chosen.choose(folder=other)
    assert results.value == other / "nuclei"
    results.value = tmp_path / "mine"
    chosen.choose(folder=folder)
    assert results.value == tmp_path / "mine"
