"""Measurements of nuclei that one can work out by hand, and their table."""

from __future__ import annotations

import csv

import dask.array as da
import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.measurements import measure_nuclei, write_measurements

LABELS = np.zeros((8, 9), np.int32)
LABELS[0:4, 0:4] = 3  # a square
LABELS[6, 2:9] = 5  # a line


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_area_centre_and_eccentricity():
    found = measure_nuclei(LABELS)
    assert found["label"].tolist() == [3, 5]
    assert found["area_px"].tolist() == [16, 7]
    assert found["centroid_y_px"].tolist() == [1.5, 6]
    assert found["centroid_x_px"].tolist() == [1.5, 5]
    assert found["eccentricity"].tolist() == [0, 1]
    assert not any("um" in name or name.startswith("mean") for name in found)


def test_micrometres_where_the_pixel_size_is_known():
    found = measure_nuclei(LABELS, spacing_um=(0.5, 0.25))
    assert found["area_um2"].tolist() == [2, 0.875]
    assert found["centroid_y_um"].tolist() == [0.75, 3]
    assert found["centroid_x_um"].tolist() == [0.375, 1.25]


def test_means_of_image_and_probability():
    image = np.zeros((8, 9, 3), np.uint8)
    image[0:2, 0:4, 0] = 200
    image[..., 1] = 77
    probability = np.full((8, 9), 51, np.uint8)
    found = measure_nuclei(LABELS, image, probability)
    assert found["mean_red"].tolist() == [100, 0]
    assert found["mean_probability"] == pytest.approx([0.2, 0.2])
    assert measure_nuclei(LABELS, image[..., 1])["mean_grey"].tolist() == [77, 77]
    assert measure_nuclei(LABELS, da.from_array(image))["mean_red"].tolist() == [100, 0]


def test_a_row_for_every_nucleus(tmp_path):
    path = write_measurements(tmp_path / "a.csv", [measure_nuclei(LABELS, spacing_um=(0.5, 0.5))])
    first, second = rows_of(path)
    assert first["label"] == "3"
    assert first["area_px"] == "16"
    assert first["area_um2"] == "4"
    assert second["centroid_x_um"] == "2.5"
    with pytest.raises(InputError, match="already exists"):
        write_measurements(path, [measure_nuclei(LABELS)])


def test_planes_are_told_apart_and_no_nuclei_leave_a_header(tmp_path):
    empty = measure_nuclei(np.zeros_like(LABELS))
    rows = rows_of(write_measurements(tmp_path / "a.csv", [empty, measure_nuclei(LABELS)]))
    assert [row["plane"] for row in rows] == ["1", "1"]
    path = write_measurements(tmp_path / "b.csv", [empty])
    assert path.read_text().startswith("label,centroid_y_px")
    assert rows_of(path) == []
