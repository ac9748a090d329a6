"""GeoJSON for QuPath: what it needs is there, and our reader gives back the same labels."""

from __future__ import annotations

import gzip
import json
import uuid

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import is_annotation_file
from napari_snow_unet.data.formats.geojson_writing import write_geojson
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.labels_of_outlines import read_outlined_nuclei
from napari_snow_unet.data.formats.measurements import measure_nuclei
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

LABELS = np.zeros((12, 15), np.int32)
LABELS[1:6, 1:6] = 1
LABELS[3, 3] = 0
LABELS[8:10, 2:5] = 2
LABELS[10:12, 5:9] = 2  # meets the other half in a corner
LABELS[0:4, 11:15] = 3


def features_of(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return json.load(file)["features"]


def test_every_nucleus_is_a_detection_with_an_id_of_its_own(tmp_path):
    path = write_geojson(tmp_path / "a.geojson", LABELS, measurements=measure_nuclei(LABELS))
    features = features_of(path)
    assert [feature["geometry"]["type"] for feature in features] == [
        "Polygon",
        "MultiPolygon",
        "Polygon",
    ]
    assert len({uuid.UUID(feature["id"]) for feature in features}) == 3
    for feature in features:
        assert feature["type"] == "Feature"
        assert feature["properties"]["objectType"] == "detection"
        geometry = shape(feature["geometry"])
        assert geometry.is_valid
        assert geometry.area == feature["properties"]["measurements"]["Area px^2"]
        for part in getattr(geometry, "geoms", [geometry]):
            assert all(ring.is_closed for ring in (part.exterior, *part.interiors))
    assert len(features[0]["geometry"]["coordinates"]) == 2  # the hole


def test_our_reader_gives_back_the_same_labels(tmp_path):
    tile = generate_tile(5).labels
    for number, labels in enumerate((LABELS, tile)):
        path = write_geojson(tmp_path / f"{number}.geojson", labels)
        assert is_annotation_file(path)
        assert np.array_equal(read_labels(path, labels.shape), labels)


def test_the_same_labels_give_the_same_file(tmp_path):
    first = write_geojson(tmp_path / "a.geojson", LABELS).read_bytes()
    again = write_geojson(tmp_path / "b" / "a.geojson", LABELS).read_bytes()
    assert first == again
    packed = write_geojson(tmp_path / "a.geojson.gz", LABELS)
    assert [f["geometry"] for f in features_of(packed)] == [
        f["geometry"] for f in json.loads(first)["features"]
    ]
    assert np.array_equal(read_labels(packed, LABELS.shape), LABELS)


@pytest.mark.parametrize(("downsample", "origin"), [(2.0, (512, 64)), (1.5, (-7, 30.25))])
def test_coordinates_are_those_of_the_slide(tmp_path, downsample, origin):
    path = write_geojson(tmp_path / "a.geojson", LABELS, downsample=downsample, origin=origin)
    box = shape(features_of(path)[2]["geometry"])
    (x, y), edge = origin, 4 * downsample
    left = x + 11 * downsample
    assert box.equals(shapely.box(left, y, left + edge, y + edge))


def test_a_tile_that_qupath_exported_comes_back_to_its_own_pixels(tmp_path):
    name = "slide [d=2,x=512,y=64,w=30,h=24]"
    write_image(tmp_path / f"{name}.png", np.zeros((12, 15), np.uint8))
    path = write_geojson(tmp_path / f"{name}.geojson", LABELS, downsample=2, origin=(512, 64))
    assert np.array_equal(read_outlined_nuclei(path).labels, LABELS)
    (tmp_path / f"{name}.png").unlink()
    assert np.array_equal(read_outlined_nuclei(path).labels, LABELS)  # its size is in its name


def test_classes_come_back(tmp_path):
    classes = {1: "Tumor", 3: "Immune cells"}
    path = write_geojson(tmp_path / "a.geojson", LABELS, classes=classes)
    assert read_outlined_nuclei(path).classes == ["Tumor", "", "Immune cells"]


def test_ids_with_gaps_are_kept_as_a_measurement(tmp_path):
    labels = LABELS * 10
    path = write_geojson(tmp_path / "a.geojson", labels, measurements=measure_nuclei(labels))
    found = [feature["properties"]["measurements"]["Label"] for feature in features_of(path)]
    assert found == [10, 20, 30]


def test_no_nuclei_are_an_empty_collection(tmp_path):
    empty = np.zeros((4, 5), np.int32)
    assert features_of(write_geojson(tmp_path / "a.geojson", empty)) == []
    assert not read_labels(tmp_path / "a.geojson", (4, 5)).any()


def test_what_cannot_be_written_is_refused(tmp_path):
    path = write_geojson(tmp_path / "a.geojson", LABELS)
    before = path.read_bytes()
    with pytest.raises(InputError, match="already exists"):
        write_geojson(path, LABELS)
    with pytest.raises(InputError, match="downsample"):
        write_geojson(path, LABELS, downsample=0, overwrite=True)
    with pytest.raises(InputError, match="shape"):
        write_geojson(path, np.zeros((2, 3, 4), np.int32), overwrite=True)
    assert path.read_bytes() == before
