"""The model list of the dock: up to date, honest about what cannot be used."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.cli.models import _facts
from napari_snow_unet.models import DEFAULT_MODEL, describe_model, list_models, open_model
from napari_snow_unet.unet.models.folder import user_folder
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.segment import messages


@pytest.fixture
def bundled():
    """Return the folder of the bundled model."""
    (entry,) = [entry for entry in list_models() if entry.name == DEFAULT_MODEL]
    return entry.path


def listed(dock):
    native = dock.field("model").native
    return [native.itemText(number) for number in range(native.count())]


def test_the_list_has_networks_and_the_classical_method(dock):
    assert listed(dock) == [DEFAULT_MODEL, "classical (no network)"]
    dock.choose(model=DEFAULT_MODEL)
    entry = dock.widget.models.entry
    lines = " ".join(dock.field("model").tooltip.split())
    assert messages.model_sizes(entry.pixel_size_um, "red") in lines
    assert messages.trained_on(entry.trained_on) in lines


def test_a_new_model_appears_while_the_dock_is_open(shown_dock, bundled, qtbot):
    shown_dock.choose(model=DEFAULT_MODEL)
    shutil.copytree(bundled, user_folder() / "mine")
    qtbot.waitUntil(lambda: "mine (yours)" in listed(shown_dock))
    assert shown_dock.chosen("model") == DEFAULT_MODEL
    shown_dock.choose(model="mine")
    shutil.rmtree(user_folder() / "mine")
    qtbot.waitUntil(lambda: "mine (yours)" not in listed(shown_dock))
    assert shown_dock.chosen("model") == DEFAULT_MODEL


def test_a_damaged_model_says_so_and_cannot_be_run(dock, bundled, network, discs):
    folder = user_folder() / "mine"
    shutil.copytree(bundled, folder)
    (folder / "model.weights.h5").write_bytes(b"damaged")
    dock.viewer.add_image(discs(), rgb=True)
    dock.widget.models.refresh()
    assert "mine (damaged)" in listed(dock)
    dock.choose(model="mine")
    assert not dock.bar.run_button.isEnabled()
    assert dock.message == dock.widget.models.entry.problem
    assert "damaged" in dock.message
    dock.choose(model="classical")
    assert dock.bar.run_button.isEnabled()


def test_a_model_from_elsewhere_on_the_disk(dock, bundled, network, discs, monkeypatch, tmp_path):
    folder = shutil.copytree(bundled, tmp_path / "from a colleague")
    chosen = [str(folder / "config.json"), ""]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (chosen[0], ""))
    dock.viewer.add_image(discs(), rgb=True)
    dock.click(dock.form.browse.native)
    assert dock.chosen("model") == str(folder)
    assert any(name.startswith("from a colleague ") for name in listed(dock))
    assert "million parameters" in dock.field("model").tooltip
    assert dock.run().metadata["napari-snow-unet"]["model"] == str(folder)
    chosen[0] = ""  # the dialog was cancelled
    dock.click(dock.form.browse.native)
    assert dock.chosen("model") == str(folder)


def refusal(path):
    """Return the error of a path that is not a model, as the dock shows it."""
    with pytest.raises(InputError) as refused:
        describe_model(path)
    return error_in_words(refused.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.h5", b"\x89HDF\r\n\x1a\n"),
        ("notes.txt", b"hello"),
        ("other/config.json", b'{"name": 1}'),
    ],
)
def test_a_file_that_is_no_model_is_refused_when_it_is_chosen(
    dock, discs, monkeypatch, tmp_path, notifications, name, data
):
    wrong = tmp_path / name
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_bytes(data)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (str(wrong), ""))
    dock.viewer.add_image(discs(), rgb=True)
    before, chosen = listed(dock), dock.chosen("model")
    dock.click(dock.form.browse.native)
    assert dock.message == refusal(wrong.parent if wrong.name == "config.json" else wrong)
    assert name in dock.message
    assert len(notifications()) == 1
    assert (listed(dock), dock.chosen("model")) == (before, chosen)
    assert dock.bar.run_button.isEnabled()


def test_weights_that_are_none_are_refused_when_they_are_chosen(
    dock, bundled, monkeypatch, tmp_path
):
    folder = shutil.copytree(bundled, tmp_path / "mine")
    (folder / "SHA256SUMS").unlink()
    (folder / "model.weights.h5").write_bytes(b"<html>Sign in</html>")
    wrong = str(folder / "model.weights.h5")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (wrong, ""))
    dock.click(dock.form.browse.native)
    assert dock.message == refusal(folder)
    assert not any("mine" in name for name in listed(dock))
    (folder / "model.weights.h5").unlink()
    dock.click(dock.form.browse.native)
    assert dock.message == refusal(folder)
    assert "model.safetensors" in dock.message


def test_the_bundled_network_needs_no_internet_and_stays_loaded(dock, monkeypatch):
    """With every socket to the outside closed, the sample and the default model work."""
    from napari_snow_unet.models import _open_network

    dock.viewer.open_sample("napari-snow-unet", "tile")
    dock.choose(model=DEFAULT_MODEL)
    layer = dock.run()
    assert layer.data.max() > 20
    assert layer.metadata["napari-snow-unet"]["pixel_size_um"] == 0.25
    loaded = _open_network.cache_info().misses
    first = layer.data.copy()
    assert dock.run() == layer
    assert np.array_equal(layer.data, first)
    assert _open_network.cache_info().misses == loaded
    model = open_model(DEFAULT_MODEL)
    assert dock.form.device.value == f"{model.device}, {model.precision}"
    assert model.device in layer.metadata["napari-snow-unet"]["device"]
    dock.choose(tile=320)
    assert np.mean((dock.run().data > 0) != (first > 0)) < 0.001
    assert _open_network.cache_info().misses == loaded


WITHOUT_OPENVINO = """
import json, sys
sys.modules["openvino"] = None  # as if the installation were broken
import napari, numpy as np
from qtpy.QtTest import QTest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show=False)
_, widget = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Segment nuclei")
image = np.full((64, 64, 3), 240, np.uint8)
image[20:30, 20:30] = 20
viewer.add_image(image, rgb=True, name="A")
told = {}
for model in ("he-breast-nuclei", "classical"):
    widget.form.model.value = model
    QTest.mouseClick(widget.bar.run_button, Qt.MouseButton.LeftButton)
    while widget.bar.running:
        QApplication.processEvents()
    told[model] = widget.bar.message.text()
widget.form.model.value = "he-breast-nuclei"
told["note"] = widget.form.note
told["layers"] = [layer.name for layer in viewer.layers]
viewer.close()
print(json.dumps(told))
"""


def test_where_openvino_is_broken_the_dock_says_why_and_the_classical_method_works():
    command = [sys.executable, "-c", WITHOUT_OPENVINO]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    for text in (told["he-breast-nuclei"], told["note"]):
        assert "networks" in text
        assert "classical" in text
    image, result = told["layers"]
    assert image == "A"
    assert told["classical"].startswith(f"{result}: ")


def test_another_model_begins_with_otsu_again_and_its_results_have_its_name(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True, name="A")
    dock.choose(model=DEFAULT_MODEL, threshold=0.95)
    layer = dock.run()
    labels = layer.data.copy()
    dock.choose(model="classical")
    assert dock.chosen("otsu")
    dock.settle()
    assert np.array_equal(layer.data, labels)  # what was found before stays
    assert layer.metadata["napari-snow-unet"]["options"]["threshold"] == 0.95
    assert dock.run().data.max() == 24
    assert ["classical" in layer.name for layer in dock.nuclei()] == [False, True]
    dock.choose(threshold=0.95)
    dock.settle()
    dock.widget.models.refresh()
    assert not dock.chosen("otsu")


def test_the_first_run_of_a_network_says_that_it_was_not_checked_here(
    dock, open_dock, network, discs
):
    dock.viewer.add_image(discs(), rgb=True, name="A")
    dock.run()  # the classical method
    assert messages.NOT_CHECKED not in dock.message
    dock.choose(model=DEFAULT_MODEL)
    dock.run()
    assert dock.message.endswith(messages.NOT_CHECKED)
    dock.run()
    assert messages.NOT_CHECKED not in dock.message
    again = open_dock(dock.title, dock.viewer)
    again.choose(model=DEFAULT_MODEL)
    again.run()
    assert messages.NOT_CHECKED not in again.message


def test_a_model_that_states_no_pixel_size_is_listed_so(dock, bundled):
    folder = shutil.copytree(bundled, user_folder() / "mine")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["pixel_size_um"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    dock.widget.models.refresh()
    dock.choose(model="mine")
    unknown = messages.model_sizes(None, "red")
    assert unknown in dock.field("model").tooltip.replace("\n", " ")
    dock.choose(model="classical")
    assert unknown not in dock.field("model").tooltip.replace("\n", " ")
    (mine,) = [entry for entry in list_models() if entry.name == "mine"]
    assert _facts(mine)[-1] == "unknown"
    assert [_facts(entry)[-1] for entry in list_models() if entry.kind == "classical"] == ["any"]
