"""Nuclei in every format: what is written is what is read, and what a format cannot hold."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import zarr

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.hovernet import read_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.nuclei_file import Nuclei, file_for, write_nuclei
from napari_snow_unet.data.formats.ome_zarr import write_ome_zarr_labels
from napari_snow_unet.data.formats.registry import FORMATS, format_of
from napari_snow_unet.data.pixels.images import read_image

LABELS = np.zeros((20, 31), np.int32)
LABELS[2:8, 3:9] = 1
LABELS[12:15, 20:30] = 2


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF", "a.mat", "a.geojson", "a.geojson.gz"])
def test_labels_come_back_as_they_were(tmp_path, name):
    path = write_nuclei(tmp_path / name, Nuclei(LABELS))
    assert path.name == name
    assert np.array_equal(read_labels(path, LABELS.shape), LABELS)


def test_a_mat_has_ids_and_centres(tmp_path):
    labels = LABELS * 300
    nuclei = read_hovernet_mat(write_nuclei(tmp_path / "a.mat", Nuclei(labels)))
    assert np.array_equal(nuclei.labels, labels)
    assert nuclei.index.tolist() == [300, 600]
    assert nuclei.centroid.tolist() == [[4.5, 5.5], [13, 24.5]]


def test_a_table_has_colour_probability_and_micrometres(tmp_path):
    image = np.full((*LABELS.shape, 3), (90, 1, 2), np.uint8)
    probability = np.full(LABELS.shape, 255, np.uint8)
    nuclei = Nuclei(LABELS, image, probability, spacing_um=(0.5, 0.5))
    with write_nuclei(tmp_path / "a.csv", nuclei).open(newline="") as file:
        first, _ = csv.DictReader(file)
    assert [first[name] for name in ("mean_red", "mean_probability", "area_um2")] == [
        "90",
        "1",
        "9",
    ]
    features = json.loads(write_nuclei(tmp_path / "a.geojson", nuclei).read_text())["features"]
    shown = features[0]["properties"]["measurements"]
    assert shown["Red: Mean"] == 90
    assert shown["Area µm^2"] == 9


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "a.csv"])
def test_a_stack_in_the_formats_that_hold_one(tmp_path, name):
    stack = np.stack([LABELS, LABELS[::-1]])
    path = write_nuclei(tmp_path / name, Nuclei(stack, image=stack.astype(np.uint8)))
    if name == "a.csv":
        with path.open(newline="") as file:
            assert [row["plane"] for row in csv.DictReader(file)] == ["0", "0", "1", "1"]
    else:
        found = zarr.open_group(path)["0"][:] if name == "a.zarr" else read_image(path).array
        assert np.array_equal(found, stack)


@pytest.mark.parametrize(
    ("name", "labels", "written"),
    [
        ("a.png", LABELS, "a.png"),
        ("a.png", LABELS * 70_000, "a.tif"),
        ("a.png", np.stack([LABELS, LABELS]), "a.tif"),
        ("a.tiff", np.stack([LABELS, LABELS]), "a.tiff"),
        ("a.TIF", LABELS * 70_000, "a.TIF"),
    ],
)
def test_the_name_that_is_written_is_known_before(tmp_path, name, labels, written):
    nuclei = Nuclei(labels)
    assert file_for(tmp_path / name, nuclei) == tmp_path / written
    assert write_nuclei(tmp_path / name, nuclei) == tmp_path / written
    assert np.array_equal(read_image(tmp_path / written).array, labels)


@pytest.mark.parametrize("name", ["a.mat", "a.geojson"])
def test_a_stack_is_refused_where_there_is_room_for_a_plane(tmp_path, name):
    with pytest.raises(InputError, match="one plane"):
        write_nuclei(tmp_path / name, Nuclei(np.stack([LABELS, LABELS])))
    assert not list(tmp_path.iterdir())


def test_ome_zarr_says_what_it_is(tmp_path):
    labels = np.repeat(np.repeat(LABELS, 60, axis=0), 60, axis=1)
    path = write_ome_zarr_labels(tmp_path / "a.zarr", labels, spacing_um=(0.5, 0.25))
    group = zarr.open_group(path, mode="r")
    (image,) = group.attrs["multiscales"]
    assert group.attrs["image-label"] == {"version": "0.4"}
    assert [axis["name"] for axis in image["axes"]] == ["y", "x"]
    assert {axis["unit"] for axis in image["axes"]} == {"micrometer"}
    levels = [group[dataset["path"]] for dataset in image["datasets"]]
    assert [level.shape for level in levels] == [(1200, 1860), (600, 930), (300, 465)]
    for number, (level, dataset) in enumerate(zip(levels, image["datasets"], strict=True)):
        assert np.array_equal(level[:], labels[:: 2**number, :: 2**number])
        (scale,) = dataset["coordinateTransformations"]
        assert scale["scale"] == [0.5 * 2**number, 0.25 * 2**number]


def test_a_zarr_folder_is_replaced_whole_or_not_at_all(tmp_path):
    path = write_ome_zarr_labels(tmp_path / "a.zarr", LABELS)
    with pytest.raises(InputError, match="already exists"):
        write_ome_zarr_labels(path, LABELS)
    write_ome_zarr_labels(path, LABELS[:5], overwrite=True)
    assert zarr.open_group(path)["0"].shape == (5, 31)
    mine = tmp_path / "mine.zarr"
    mine.mkdir()
    (mine / "diary.txt").write_text("dear")
    with pytest.raises(InputError, match="not overwritten"):
        write_ome_zarr_labels(mine, LABELS, overwrite=True)
    assert (mine / "diary.txt").read_text() == "dear"
    assert {each.name for each in tmp_path.iterdir()} == {"a.zarr", "mine.zarr"}


def test_a_failure_leaves_what_was_there(tmp_path):
    path = write_ome_zarr_labels(tmp_path / "a.zarr", LABELS)
    with pytest.raises(TypeError):
        write_ome_zarr_labels(path, LABELS, spacing_um=object(), overwrite=True)
    assert np.array_equal(zarr.open_group(path)["0"][:], LABELS)
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.gz"])
def test_other_names_are_refused_with_those_that_work(tmp_path, name):
    with pytest.raises(InputError, match=", ".join(FORMATS)):
        write_nuclei(tmp_path / name, Nuclei(LABELS))


def test_a_name_says_its_format():
    names = ("a.PNG", "b.tiff", "c.geojson.gz", "d.x.zarr")
    assert [format_of(name) for name in names] == ["png", "tif", "geojson", "zarr"]
