"""Dropped files become layers: masks with their tiles, once each, and nothing of anyone else's."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.io

from napari_snow_unet._reader import get_reader
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.hovernet_mat import write_hovernet_mat
from napari_snow_unet.data.images import write_image, write_labels

PLUGIN = "napari-snow-unet"


@pytest.fixture
def snow(tmp_path):
    """Two tiles in SNOW's own layout."""
    labels = np.zeros((40, 50), np.int32)
    labels[5:15, 5:15] = 3
    labels[20:30, 20:32] = 7
    for name in ("seed0000", "seed0001"):
        write_image(tmp_path / "Image" / f"{name}.png", np.full((40, 50, 3), 99, np.uint8))
        write_hovernet_mat(tmp_path / "Mask" / f"{name}.mat", labels)
    return tmp_path


def kinds(layers):
    return [(type(layer).__name__, layer.name) for layer in layers]


BOTH = [("Image", "seed0000"), ("Labels", "seed0000 mask")]


@pytest.mark.parametrize("name", ["Mask/seed0000.mat", "Image/seed0000.png"])
def test_either_file_brings_the_other(make_napari_viewer_proxy, snow, name):
    viewer = make_napari_viewer_proxy()
    viewer.open(snow / name, plugin=PLUGIN)
    assert kinds(viewer.layers) == BOTH
    image, labels = viewer.layers
    assert image.rgb
    assert labels.data.dtype == np.int32
    assert set(np.unique(labels.data)) == {0, 3, 7}
    assert list(labels.features["index"]) == [3, 7]
    assert labels.features["centroid_x"][1] == pytest.approx(25.5)
    assert labels.metadata["source"].endswith("seed0000.mat")


@pytest.mark.parametrize("first", [0, 1])
def test_both_dropped_together_give_one_layer_each(make_napari_viewer_proxy, snow, first):
    viewer = make_napari_viewer_proxy()
    paths = [snow / "Image" / "seed0000.png", snow / "Mask" / "seed0000.mat"]
    viewer.open([paths[first], paths[1 - first]], plugin=PLUGIN)
    assert sorted(kinds(viewer.layers)) == BOTH


def test_two_tiles_with_their_masks_dropped_together(make_napari_viewer_proxy, snow):
    viewer = make_napari_viewer_proxy()
    paths = sorted(snow.glob("*/seed*"))
    viewer.open(paths, plugin=PLUGIN)
    assert len(viewer.layers) == 4
    assert {layer.name for layer in viewer.layers} == {
        "seed0000",
        "seed0000 mask",
        "seed0001",
        "seed0001 mask",
    }


def test_opening_again_later_gives_new_layers(make_napari_viewer_proxy, snow):
    viewer = make_napari_viewer_proxy()
    mask, tile = snow / "Mask" / "seed0000.mat", snow / "Image" / "seed0000.png"
    viewer.open(mask, plugin=PLUGIN)
    viewer.open(tile, plugin=PLUGIN)  # within the same drop: the mask brought it
    assert len(viewer.layers) == 2
    viewer.open(tile, plugin=PLUGIN)
    assert len(viewer.layers) == 4
    viewer.layers.clear()
    viewer.open(tile, plugin=PLUGIN)
    assert kinds(viewer.layers) == BOTH


def test_a_mask_without_a_tile_opens_alone(make_napari_viewer_proxy, tmp_path):
    write_hovernet_mat(tmp_path / "lonely.mat", np.eye(9, dtype=np.int32))
    viewer = make_napari_viewer_proxy()
    viewer.open(tmp_path / "lonely.mat", plugin=PLUGIN)
    assert kinds(viewer.layers) == [("Labels", "lonely mask")]


def test_a_broken_partner_does_not_keep_a_file_from_opening(snow):
    (snow / "Image" / "seed0000.png").write_bytes(b"\x89PNG broken")
    path = str(snow / "Mask" / "seed0000.mat")
    with pytest.warns(UserWarning, match=r"seed0000\.png"):
        layers = get_reader(path)(path)
    assert [layer[2] for layer in layers] == ["labels"]


def test_files_of_others_are_declined_and_broken_ones_named(tmp_path):
    scipy.io.savemat(tmp_path / "eeg.mat", {"signal": np.arange(10)})
    assert get_reader(str(tmp_path / "eeg.mat")) is None
    (tmp_path / "text.mat").write_text("hello")
    assert get_reader(str(tmp_path / "text.mat")) is None
    assert get_reader(str(tmp_path / "missing.mat")) is None
    assert get_reader(str(tmp_path)) is None
    assert get_reader([]) is None
    whole = tmp_path / "whole.mat"
    write_hovernet_mat(whole, np.arange(10_000, dtype=np.int32).reshape(100, 100))
    cut = tmp_path / "cut.mat"
    cut.write_bytes(whole.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"cut\.mat"):
        get_reader(str(cut))(str(cut))


def test_prepared_masks_in_png_open_as_labels(make_napari_viewer_proxy, tmp_path):
    write_image(tmp_path / "images" / "seed3.png", np.full((8, 9, 3), 7, np.uint8))
    write_labels(tmp_path / "masks" / "seed3.png", np.eye(8, 9, dtype=np.int32))
    viewer = make_napari_viewer_proxy()
    viewer.open(tmp_path / "masks" / "seed3.png", plugin=PLUGIN)
    assert kinds(viewer.layers) == [("Image", "seed3"), ("Labels", "seed3 mask")]


def test_reading_loads_nothing_heavy(snow):
    code = (
        "import sys; from napari_snow_unet._reader import get_reader;"
        f"p = {str(snow / 'Mask' / 'seed0000.mat')!r}; assert len(get_reader(p)(p)) == 2;"
        "print(sorted(set(sys.modules) & {'tensorflow', 'keras', 'torch', 'cv2', 'matplotlib',"
        "'qtpy', 'napari'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
