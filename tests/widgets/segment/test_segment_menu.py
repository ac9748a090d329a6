"""The menu of the dock: results as files, and texts that make the same labels again."""

from __future__ import annotations

import csv
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.formats.registry import FORMATS
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.slides import slide
from napari_snow_unet.data.slides.slide import open_slide
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.widgets.common.messages import TOO_LATE
from napari_snow_unet.widgets.segment import menu as menu_module
from napari_snow_unet.widgets.segment import messages

PRINT = "\nimport numpy, sys\nnumpy.save(sys.argv[1], labels)\n"


@pytest.fixture
def tile(tmp_path):
    return write_image(tmp_path / "images" / "a tile.png", generate_tile(3, size=320).image)


def pick(dock, action):
    """Open the menu and choose from it, as long as it is allowed."""
    menu = dock.menu
    menu.menu.aboutToShow.emit()
    assert action.isEnabled(), action.toolTip()
    action.trigger()
    dock.wait()


def reasons(dock):
    menu = dock.menu
    menu.menu.aboutToShow.emit()
    actions = (menu.save, menu.python, menu.command)
    assert all(action.toolTip() for action in actions)
    return ["" if action.isEnabled() else action.toolTip() for action in actions]


def started(dock, tmp_path):
    """Copy both texts and start each in a process of its own, as a person would in a terminal."""
    menu, clipboard = dock.menu, QGuiApplication.clipboard()
    pick(dock, menu.python)
    script = tmp_path / "again.py"
    script.write_text(clipboard.text() + PRINT, encoding="utf-8")
    pick(dock, menu.command)
    words = shlex.split(clipboard.text())
    assert words[0] == "napari-snow-unet"
    shell = [sys.executable, "-m", "napari_snow_unet.cli", *words[1:]]
    commands = [[sys.executable, str(script), str(tmp_path / "labels.npy")], shell]
    return [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for command in commands
    ]


def made_again(processes, tmp_path):
    for process in processes:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said.decode()
    (written,) = (tmp_path / "nuclei").glob("*.[pt][ni][gf]")
    stack = written.suffix == ".tif"
    return np.load(tmp_path / "labels.npy"), read_image(written).array if stack else read_labels(
        written
    )


def test_both_texts_give_the_labels_of_the_bundled_network_bit_for_bit(dock, tile, tmp_path):
    dock.viewer.open(tile, plugin="napari")
    models = dock.field("model").choices
    dock.choose(model=next(each for each in models if each not in ("classical", "elsewhere")))
    dock.choose(tile=256)
    layer = dock.run()
    dock.choose(min_area_um2=55, threshold=0.377)
    dock.settle()
    assert layer.data.max() > 5
    for labels in made_again(started(dock, tmp_path), tmp_path):
        assert np.array_equal(labels, layer.data)


def test_both_texts_give_the_labels_of_a_stack_and_keep_what_a_layer_says_of_its_pixels(
    dock, tmp_path
):
    planes = np.stack([generate_tile(seed, size=128).image for seed in (1, 2)])
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="rgb")
    (image,) = dock.viewer.open(tmp_path / "stack.tif", plugin="napari")
    image.scale, image.units = (1, 0.5, 0.5), ("pixel", "um", "um")
    dock.choose(all_slices=True)
    dock.widget.update_hint()
    dock.choose(separate=False, fill_holes=False, clear_border=True, channel="hematoxylin")
    layer = dock.run()
    assert layer.metadata["napari-snow-unet"]["pixel_size_um"] == 0.5
    assert layer.data[0].any()
    assert layer.data[1].any()
    for labels in made_again(started(dock, tmp_path), tmp_path):
        assert np.array_equal(labels, layer.data)


AS_LARGE = """
import sys
from napari_snow_unet.data.slides import slide
slide.LARGEST_WHOLE = 1000
"""


@pytest.mark.parametrize("pixel", [None, 0.25])
def test_both_texts_give_the_labels_of_a_large_file(dock, tmp_path, monkeypatch, pixel):
    """Every image counts as large here, and in the processes that are started."""
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    path = tmp_path / "a slide.tif"
    pixels = np.tile(generate_tile(3, size=320).image, (2, 2, 1))
    tifffile.imwrite(path, pixels, tile=(256, 256), photometric="rgb")
    (image,) = dock.viewer.open(path, plugin="napari")
    dock.choose(threshold=0.6, pixel_size_um=pixel or 0, results=tmp_path / "here")
    dock.run()
    (layer,) = dock.nuclei()
    expected = np.asarray(layer.data[0])
    assert expected.max() > 10
    dock.viewer.layers.selection.active = layer
    assert [bool(reason) for reason in reasons(dock)] == [True, False, False]
    menu, clipboard = dock.menu, QGuiApplication.clipboard()
    pick(dock, menu.python)
    python = AS_LARGE + clipboard.text() + PRINT
    pick(dock, menu.command)
    words = shlex.split(clipboard.text())
    shell = f"{AS_LARGE}from napari_snow_unet.cli import main\nsys.argv = {words!r}\nmain()"
    for number, program in enumerate((python, shell)):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", program, str(tmp_path / "labels.npy")]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        found = open_slide(folder / "nuclei" / "a slide.zarr").levels[0]
        np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), expected)
    dock.viewer.layers.selection.active = image
    path.unlink()
    dock.viewer.layers.selection.active = layer
    assert all(reasons(dock))


def test_one_slice_is_no_command_but_a_program(dock, tmp_path):
    planes = np.stack([generate_tile(seed, size=128).image for seed in (1, 2)])
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="rgb")
    dock.viewer.open(tmp_path / "stack.tif", plugin="napari")
    layer = dock.run()
    assert reasons(dock) == ["", "", messages.SOME_SLICES]
    pick(dock, dock.menu.python)
    found = {}
    exec(QGuiApplication.clipboard().text(), found)
    assert np.array_equal(found["labels"], layer.data)
    dock.viewer.dims.set_point(0, 1)
    dock.choose(separate=False)
    dock.settle()
    dock.run()
    assert reasons(dock)[1:] == ["", ""]


def test_no_result_is_the_reason(dock, discs):
    assert reasons(dock) == [messages.NO_RESULT] * 3
    dock.viewer.add_image(discs(), rgb=True)
    assert reasons(dock) == [messages.NO_RESULT] * 3


def test_an_image_that_is_no_file_has_no_text(dock, discs):
    dock.viewer.add_image(discs(), rgb=True)
    dock.run()
    assert reasons(dock) == ["", messages.NO_FILE, messages.NO_FILE]
    assert dock.menu.reason.text() == messages.NO_FILE


def test_labels_changed_by_hand_have_no_command_and_a_script_that_says_so(dock, tile):
    dock.viewer.open(tile, plugin="napari")
    layer = dock.run()
    automatic = layer.data.copy()
    assert reasons(dock) == ["", "", ""]
    layer.data_setitem((np.array([0]), np.array([0])), 900)
    assert reasons(dock) == ["", "", messages.EDITED]
    pick(dock, dock.menu.python)
    script, found = QGuiApplication.clipboard().text(), {}
    numbers = dock.widget.corrections.edits(layer).total()
    assert numbers["added"] == 1
    comment = [line for line in script.splitlines() if line.startswith("#")][-1]
    assert all(f"{name} {number}" in comment for name, number in numbers.items())
    exec(script, found)
    assert np.array_equal(found["labels"], automatic)
    layer.undo()
    assert reasons(dock) == ["", "", ""]
    pick(dock, dock.menu.python)
    assert "added" not in QGuiApplication.clipboard().text()
    pick(dock, dock.menu.command)
    assert dock.message == messages.COPIED


def test_pixels_that_are_not_those_of_the_file_have_no_text(dock, tile):
    (image,) = dock.viewer.open(tile, plugin="napari")
    image.data = 255 - image.data
    dock.run()
    QGuiApplication.clipboard().setText("mine")
    pick(dock, dock.menu.python)
    assert "other pixels" in dock.message
    assert QGuiApplication.clipboard().text() == "mine"
    tile.unlink()
    assert reasons(dock)[1:] != ["", ""]


@pytest.mark.parametrize("name", ["a.mat", "a.geojson", "a.csv", "a.tif", "a.zarr"])
def test_a_result_is_saved_in_the_format_of_its_name(dock, tile, tmp_path, monkeypatch, name):
    dock.viewer.open(tile, plugin="napari")
    layer = dock.run()
    path = tmp_path / name
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), ""))
    pick(dock, dock.menu.save)
    assert dock.message == f"{messages.saved(path)} {CONTAIN_NAMES}"
    if name == "a.csv":
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["label"]) for row in rows] == list(range(1, layer.data.max() + 1))
        assert {"mean_red", "mean_probability"} <= set(rows[0])
    elif name != "a.zarr":
        assert np.array_equal(read_labels(path, layer.data.shape), layer.data)


def test_a_name_without_an_ending_gets_that_of_the_kind_and_replaces_nothing(
    dock, tile, tmp_path, monkeypatch
):
    dock.viewer.open(tile, plugin="napari")
    dock.run()
    chosen = (str(tmp_path / "mine"), FORMATS["mat"].title)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: chosen)
    (tmp_path / "mine.mat").write_bytes(b"mine")
    pick(dock, dock.menu.save)
    assert "already exists" in dock.message
    assert (tmp_path / "mine.mat").read_bytes() == b"mine"


def test_a_file_of_another_name_than_was_asked_about_is_spared(dock, discs, tmp_path, monkeypatch):
    dock.viewer.add_image(np.stack([discs()] * 2), rgb=True)
    dock.run()
    for name in ("mine.png", "mine.tif"):
        (tmp_path / name).write_bytes(b"mine")
    chosen = (
        str(tmp_path / "mine.png"),
        messages.ALL_FORMATS_LABEL,
    )  # of which the dialog has asked
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: chosen)
    pick(dock, dock.menu.save)
    assert "mine.tif" in dock.message
    assert "already exists" in dock.message
    assert (tmp_path / "mine.tif").read_bytes() == b"mine"


def test_the_next_result_is_saved_beside_the_last(dock, tile, tmp_path, monkeypatch):
    dock.viewer.open(tile, plugin="napari")
    dock.run()
    (tmp_path / "results").mkdir()
    begun = []

    def ask(parent, title, start, kinds):
        begun.append(start)
        return str(tmp_path / "results" / "mine"), kinds.split(";;")[0]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    pick(dock, dock.menu.save)
    assert (
        dock.message == f"{messages.saved(tmp_path / 'results' / 'mine.geojson')} {CONTAIN_NAMES}"
    )
    pick(dock, dock.menu.save)
    assert [Path(start).parent for start in begun] == [tile.parent, tmp_path / "results"]


def test_the_kind_saved_last_is_offered_first_and_a_stack_only_what_holds_one(
    dock, tile, discs, tmp_path, monkeypatch
):
    dock.viewer.open(tile, plugin="napari")
    layer = dock.run()
    asked = []

    def ask(parent, title, start, kinds):
        asked.append((Path(start).suffix, kinds.split(";;")))
        return str(tmp_path / "mine"), FORMATS["csv"].title

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    pick(dock, dock.menu.save)
    pick(dock, dock.menu.save)
    assert [(ending, kinds[0]) for ending, kinds in asked] == [
        (".geojson", FORMATS["geojson"].title),
        (".csv", FORMATS["csv"].title),
    ]
    assert all(len(kinds) == len(FORMATS) + 1 for _, kinds in asked)
    layer.name = "tile (0.5 µm, a/b)"
    chosen = FORMATS["mat"].title  # and the name that was suggested
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (args[2], chosen))
    pick(dock, dock.menu.save)
    assert dock.message == f"{messages.saved(tmp_path / 'tile (0.5 µm, a_b).mat')} {CONTAIN_NAMES}"
    dock.viewer.add_image(np.stack([discs()] * 2), rgb=True)
    dock.run()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    pick(dock, dock.menu.save)
    ending, kinds = asked[-1]
    assert ending == ".tif"
    assert kinds == [FORMATS[x].title for x in ("tif", "zarr", "csv")] + [
        messages.ALL_FORMATS_LABEL
    ]


def test_labels_opened_from_the_table_of_a_folder_say_how_they_came_about(dock, tile):
    dock.choose(kind="folder", folder=tile.parent)
    dock.run()
    dock.open_row(0)
    facts = dock.viewer.layers[-1].metadata["napari-snow-unet"]
    assert facts["source"] == str(tile)
    assert facts["model"] == "classical"
    assert facts["options"]["threshold"] == "otsu"


def test_labels_that_a_script_has_changed_have_no_text(dock, tile):
    dock.viewer.open(tile, plugin="napari")
    layer = dock.run()
    layer.data[0, :5] = 77
    assert reasons(dock)[2] == messages.EDITED
    pick(dock, dock.menu.python)
    assert dock.message == messages.CHANGED_OTHERWISE


def test_cancel_does_not_deny_a_file_that_is_written(dock, tile, tmp_path, monkeypatch):
    dock.viewer.open(tile, plugin="napari")
    dock.run()
    writing, cancelled, write = threading.Event(), threading.Event(), menu_module.write_nuclei

    def slow(*args, **kwargs):
        writing.set()
        assert cancelled.wait(60)
        return write(*args, **kwargs)

    monkeypatch.setattr(menu_module, "write_nuclei", slow)
    dock.menu.save_as(tmp_path / "a.png", overwrite=False)
    dock.qtbot.waitUntil(writing.is_set)
    dock.click(dock.bar.cancel_button)
    cancelled.set()
    dock.wait()
    assert (tmp_path / "a.png").is_file()
    assert dock.message.startswith(TOO_LATE)
    assert str(tmp_path / "a.png") in dock.message
