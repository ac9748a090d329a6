"""What napari's own process and the shell load: OpenVINO, and never what trains."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

FOUND = """
import json, sys
for_training = {"tensorflow", "keras", "torch", "jax"}
found = {name: name in sys.modules for name in ("openvino", *sorted(for_training))}
print(json.dumps([name for name, loaded in found.items() if loaded]))
"""
IN_NAPARI = """
import napari, numpy as np
from npe2 import PluginManager
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

def press_run(widget):
    QTest.mouseClick(widget.bar.run_button, Qt.MouseButton.LeftButton)
    assert widget.bar.running, widget.bar.message.text()
    while widget.bar.running:
        QApplication.processEvents()

viewer = napari.Viewer(show=False)
PluginManager.instance().discover()
manifest = PluginManager.instance().get_manifest("napari-snow-unet")
docks = {
    one.display_name: viewer.window.add_plugin_dock_widget("napari-snow-unet", one.display_name)[1]
    for one in manifest.contributions.widgets
}
assert len(docks) == 4, docks
for _ in range(20):
    QApplication.processEvents()
viewer.open_sample("napari-snow-unet", "tile")
image = viewer.layers[0]
segment = docks["Segment nuclei"]
segment.form.model.value = "he-breast-nuclei"
press_run(segment)
labels = next(layer for layer in viewer.layers if "nuclei" in layer.name)
assert labels.data.max() > 10, segment.bar.message.text()
truth = viewer.add_labels(labels.data.copy(), name="truth", scale=labels.scale, units=labels.units)
evaluate = docks["Compare with ground truth"]
evaluate.form.prediction.value, evaluate.form.truth.value = labels, truth
while evaluate.form.live.counting:
    QApplication.processEvents()
press_run(evaluate)
assert "1.000" in evaluate.bar.message.text(), evaluate.bar.message.text()
viewer.close()
"""
IN_SHELL = """
import sys
from napari_snow_unet.cli import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
"""


def loaded(code: str, *words: object) -> list[str]:
    """Run code and words in an interpreter of its own; tell which libraries it has loaded."""
    command = [sys.executable, "-c", code + FOUND, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_napari_with_every_dock_loads_nothing_that_trains():
    assert loaded(IN_NAPARI) == ["openvino"]


@pytest.fixture
def tiles(tmp_path):
    for seed in (1, 2):
        tile = generate_tile(seed, size=128)
        write_image(tmp_path / "images" / f"t{seed}.png", tile.image)
        write_labels(tmp_path / "masks" / f"t{seed}.png", tile.labels)
    return tmp_path


def test_neither_does_the_shell(tiles):
    found, images = tiles / "found", tiles / "images"
    assert loaded(IN_SHELL, "models") == []
    assert loaded(IN_SHELL, "segment", images, "-o", found, "--model", "classical") == []
    with_network = ("segment", images, "-o", found, "--overwrite", "--precision", "fast")
    assert loaded(IN_SHELL, *with_network) == ["openvino"]
    assert loaded(IN_SHELL, "evaluate", found, tiles / "masks") == []


@pytest.mark.parametrize(("name", "libraries"), [("m.onnx", []), ("m.zip", ["openvino"])])
def test_nor_does_an_export(tmp_path, name, libraries):
    pytest.importorskip("onnx")
    assert loaded(IN_SHELL, "export", "default", "-o", tmp_path / name) == libraries
    assert (tmp_path / name).stat().st_size > 1_000_000


def test_nor_does_what_lists_and_opens_models():
    code = (
        "from napari_snow_unet.models import describe_model, list_models, open_model\n"
        "list_models(); describe_model('default'); open_model('classical')\n"
    )
    assert loaded(code) == []
    assert loaded(code + "open_model('default')\n") == ["openvino"]
