"""File > IO Utilities > Open labels..., and the docks' offer of it, in real napari."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from npe2 import PluginManager
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.opening import messages
from napari_snow_unet.widgets.opening.labels import add_labels_of

COMMAND = "napari-snow-unet.open_labels"
ABOUT = {"image": "tile", "model": "he-breast-nuclei", "options": {"output": "nuclei"}}


@pytest.fixture
def labels():
    labels = np.zeros((60, 70), np.int32)
    for number in range(6):
        labels[5 + number * 8 : 10 + number * 8, 10:16] = number + 1
    return labels


@pytest.fixture
def files(labels, tmp_path):
    """Own labels in three formats, and a label image of somebody else."""
    nuclei = Nuclei(labels, spacing_um=(0.25, 0.25), provenance=ABOUT)
    own = [write_nuclei(tmp_path / f"own.{name}", nuclei) for name in ("png", "tif", "zarr")]
    return [*own, write_labels(tmp_path / "other.png", labels)]


@pytest.fixture
def offer(open_dock):
    """Return a viewer and the offer of its dock Compare with ground truth."""
    dock = open_dock("Compare with ground truth")
    return dock.viewer, dock.offer


def test_the_menu_opens_files_of_labels(make_napari_viewer_proxy, labels, files, monkeypatch):
    chosen = [str(file / ".zattrs" if file.is_dir() else file) for file in files]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    viewer = make_napari_viewer_proxy()
    PluginManager.instance().commands.execute(COMMAND)
    assert [type(layer).__name__ for layer in viewer.layers] == ["Labels"] * 4
    for layer in viewer.layers:
        assert np.array_equal(layer.data, labels)
    for layer in viewer.layers[:3]:
        assert layer.scale.tolist() == [0.25, 0.25]
        assert str(layer.units[0]) == "micrometer"
        assert layer.metadata[PLUGIN]["model"] == "he-breast-nuclei"
    assert PLUGIN not in viewer.layers[3].metadata


def test_a_picture_is_refused_in_one_sentence(make_napari_viewer_proxy, tmp_path):
    colours = np.random.default_rng(1).integers(0, 255, (9, 9, 3), np.uint8)
    path = write_image(tmp_path / "photo.png", colours)
    with pytest.raises(InputError, match="in colour") as refused:
        add_labels_of(make_napari_viewer_proxy(), path)
    assert refused.value.path == path


@pytest.mark.parametrize("number", range(4))
def test_the_measuring_dock_turns_an_image_into_labels(offer, labels, files, number):
    viewer, shown = offer
    assert shown.isHidden()
    (image,) = viewer.open(files[number], plugin="napari")
    assert not shown.isHidden()
    assert shown.text.text() == messages.opened_as_image(image.name)
    shown.button.click()
    (layer,) = viewer.layers
    assert type(layer).__name__ == "Labels"
    assert np.array_equal(layer.data, labels)
    assert shown.isHidden()
    own = number < 3
    assert layer.scale.tolist() == ([0.25, 0.25] if own else [1, 1])
    assert layer.metadata.get(PLUGIN, {}).get("image") == ("tile" if own else None)


def test_a_stack_of_files_stays_a_stack_that_is_read_where_it_is_shown(offer, labels, tmp_path):
    viewer, shown = offer
    planes = [labels, np.where(labels == 2, 0, labels)]
    files = [
        write_nuclei(tmp_path / f"t{number}.png", Nuclei(plane, provenance=ABOUT))
        for number, plane in enumerate(planes)
    ]
    (image,) = viewer.open([str(file) for file in files], stack=True, plugin="napari")
    name = image.name
    assert image.source.path == str(files[0])
    shown.button.click()
    (layer,) = viewer.layers
    assert layer.name == f"{name} labels"
    assert isinstance(layer.data, da.Array)
    assert np.array_equal(np.asarray(layer.data), planes)


def test_a_lazy_pyramid_stays_one(offer, labels):
    viewer, shown = offer
    levels = [da.from_array(labels[::step, ::step].astype(np.uint16)) for step in (1, 2)]
    viewer.add_image(levels, multiscale=True, name="found", scale=(0.5, 0.5))
    shown.button.click()
    (layer,) = viewer.layers
    assert layer.multiscale
    assert layer.scale.tolist() == [0.5, 0.5]
    for level, other in zip(layer.data, levels, strict=True):
        assert isinstance(level, da.Array)
        assert np.array_equal(np.asarray(level), np.asarray(other))
