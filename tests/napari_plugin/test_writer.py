"""Saving Labels layers as napari does it, and what is known of them then."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import zarr
from napari.layers import Labels
from napari.plugins.io import save_layers
from tifffile import imread

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.hovernet import read_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.napari_plugin.writer import nuclei_of, write_layer

pytestmark = pytest.mark.usefixtures("installed_plugins")
DATA = np.zeros((20, 30), np.int32)
DATA[2:8, 3:9] = 1
DATA[12:15, 20:30] = 2


def saved(layer, path):
    (written,) = save_layers(str(path), [layer])
    assert written == str(path)
    return path


def known(layer):
    data, meta, _ = layer.as_layer_data_tuple()
    return nuclei_of(data, meta)


def test_napari_saves_each_format_by_its_suffix(tmp_path):
    layer = Labels(DATA, scale=(0.5, 0.5), units=("um", "um"))
    assert np.array_equal(read_hovernet_mat(saved(layer, tmp_path / "a.mat")).labels, DATA)
    assert np.array_equal(read_labels(saved(layer, tmp_path / "a.geojson"), DATA.shape), DATA)
    group = zarr.open_group(saved(layer, tmp_path / "a.zarr"))
    assert np.array_equal(group["0"][:], DATA)
    (image,) = group.attrs["multiscales"]
    assert image["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.5, 0.5]
    with saved(layer, tmp_path / "a.csv").open(newline="") as file:
        assert [row["area_um2"] for row in csv.DictReader(file)] == ["9", "7.5"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [([3, 5], [3, 5]), ([3.0, np.nan], [3, 0]), (["tumour", "stroma"], None)],
)
def test_types_of_nuclei_come_back_from_hovernets_format(tmp_path, kinds, expected):
    layer = Labels(DATA, features={"index": [1, 2], "type": kinds})
    found = read_hovernet_mat(saved(layer, tmp_path / "a.mat")).type
    assert (None if found is None else found.tolist()) == expected


def test_napari_still_saves_other_names_itself(tmp_path):
    (written,) = save_layers(str(tmp_path / "a.tif"), [Labels(DATA)])
    assert np.array_equal(imread(written), DATA)


def test_saving_again_replaces_as_napari_has_asked(tmp_path):
    saved(Labels(DATA), tmp_path / "a.mat")
    assert not read_labels(saved(Labels(DATA * 0), tmp_path / "a.mat")).any()


def test_the_finest_level_of_a_pyramid_is_saved(tmp_path):
    layer = Labels([DATA, DATA[::2, ::2]], multiscale=True)
    assert np.array_equal(read_labels(saved(layer, tmp_path / "a.mat")), DATA)


def test_a_stack_is_refused_for_one_plane(tmp_path):
    data, meta, _ = Labels(np.stack([DATA, DATA])).as_layer_data_tuple()
    with pytest.raises(InputError, match="one plane"):
        write_layer(str(tmp_path / "a.geojson"), data, meta)
    assert not list(tmp_path.iterdir())


def test_units_become_micrometres():
    assert known(Labels(DATA)).spacing_um is None
    millimetres = Labels(DATA, scale=(0.001, 0.002), units=("mm", "mm"), rotate=30)
    assert known(millimetres).spacing_um == pytest.approx((1, 2))
    sheared = Labels(DATA, scale=(1, 1), units=("um", "um"), shear=[0.5])
    assert known(sheared).spacing_um is None


@pytest.mark.parametrize(
    ("translate", "origin"), [((5, 12.5), (25, 10)), ((0, 0), (0, 0)), ((5.1, 3.2), (0, 0))]
)
def test_a_crop_lies_where_it_was_cut(translate, origin):
    layer = Labels(DATA, scale=(0.5, 0.5), units=("um", "um"), translate=translate)
    assert known(layer).origin == origin


def test_a_tile_that_qupath_exported_lies_in_its_slide(tmp_path):
    facts = {"image": "slide [d=4,x=100,y=50,w=120,h=80]"}
    layer = Labels(DATA, metadata={PLUGIN: facts}, translate=(3, 4))
    found = known(layer)
    assert (found.downsample, found.origin) == (4, (100, 50))


def test_colour_comes_from_the_file_the_labels_were_found_in(tmp_path):
    source = write_image(tmp_path / "a.png", np.full((20, 30, 3), (80, 1, 2), np.uint8))
    layer = Labels(DATA, metadata={PLUGIN: {"source": str(source)}})
    with saved(layer, tmp_path / "a.csv").open(newline="") as file:
        assert [row["mean_red"] for row in csv.DictReader(file)] == ["80", "80"]
    write_image(source, np.zeros((5, 5, 3), np.uint8), overwrite=True)
    assert known(layer).image is None
    source.unlink()
    assert known(layer).image is None


def test_classes_are_saved(tmp_path):
    features = {"index": [1, 2], "class": ["Tumor", ""]}
    path = saved(Labels(DATA, features=features), tmp_path / "a.geojson")
    first, second = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert first["properties"]["classification"] == {"name": "Tumor"}
    assert "classification" not in second["properties"]
