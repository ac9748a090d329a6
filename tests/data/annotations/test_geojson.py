"""GeoJSON outlines: exact pixels, QuPath's habits, and clear words about what is none."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import skimage.draw
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import find_contours

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import is_annotation_path, read_annotations
from napari_snow_unet.data.annotations.drawing import draw_labels, extent
from napari_snow_unet.data.annotations.frames import sort_outlines
from napari_snow_unet.data.annotations.polygons import area, fill_polygon
from napari_snow_unet.data.formats.labels_of_outlines import read_outlined_region
from napari_snow_unet.data.names.qupath import TileRegion, tile_region

POLYGON = '[{"geometry": {"type": "Polygon", "coordinates": %s}, "type": "Feature"}]'


def square(x, y, side):
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def feature(rings, kind="Polygon", **properties):
    geometry = {"type": kind, "coordinates": rings}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def labels_of(tmp_path, content, shape=(12, 14), region=None):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(content))
    return draw_labels(sort_outlines(read_annotations(path).outlines).nuclei, shape, region)[0]


def test_a_square_on_pixel_edges_is_its_pixels(tmp_path):
    labels = labels_of(
        tmp_path, {"type": "FeatureCollection", "features": [feature([square(2, 3, 4)])]}
    )
    expected = np.zeros((12, 14), np.int32)
    expected[3:7, 2:6] = 1
    assert np.array_equal(labels, expected)


def test_a_bare_list_a_feature_and_a_geometry_are_read_too(tmp_path):
    one = feature([square(2, 3, 4)])
    expected = labels_of(tmp_path, [one])
    for content in (
        one,
        one["geometry"],
        {"type": "GeometryCollection", "geometries": [one["geometry"]]},
    ):
        assert np.array_equal(labels_of(tmp_path, content), expected)


def test_holes_stay_empty_and_parts_share_an_id(tmp_path):
    rings = [[square(0, 0, 6), square(1, 1, 3)], [square(8, 8, 2)]]
    labels = labels_of(tmp_path, [feature(rings, "MultiPolygon")])
    assert (labels[1:4, 1:4] == 0).all()
    assert np.count_nonzero(labels[:6, :6]) == 36 - 9
    assert (labels[8:10, 8:10] == 1).all()
    assert labels.sum() == 27 + 4


def test_ids_follow_the_file_and_a_smaller_nucleus_lies_on_a_larger_one(tmp_path):
    labels = labels_of(tmp_path, [feature([square(2, 2, 2)]), feature([square(0, 0, 8)])])
    assert (labels[2:4, 2:4] == 1).all()
    assert np.count_nonzero(labels == 2) == 60


def test_what_lies_outside_is_cut_off_and_its_id_missing(tmp_path):
    content = [
        feature([square(-2, -2, 4)]),
        feature([square(90, 90, 4)]),
        feature([square(12, 10, 9)]),
    ]
    labels = labels_of(tmp_path, content)
    assert list(np.unique(labels)) == [0, 1, 3]
    assert np.count_nonzero(labels == 1) == 4
    assert np.count_nonzero(labels == 3) == 4


def test_pixels_of_a_tile_are_found_in_the_slides_coordinates(tmp_path):
    region = tile_region("slide 1 [d=2,x=100,y=200,w=28,h=24]")
    assert region == TileRegion("slide 1", 2, 100, 200, 28, 24)
    labels = labels_of(tmp_path, [feature([square(104, 206, 8)])], region=region)
    assert (labels[3:7, 2:6] == 1).all()
    assert np.count_nonzero(labels) == 16


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a [x=0,y=5,w=9,h=8]", TileRegion("a", 1, 0, 5, 9, 8)),
        ("a [b] [d=1.5,x=-3,y=0,w=9,h=8,z=2,t=1]-labelled", TileRegion("a [b]", 1.5, -3, 0, 9, 8)),
        ("a [d=0,x=0,y=5,w=9,h=8]", None),
        ("a [d=1.2.3,x=0,y=5,w=9,h=8]", None),
        ("seed0000", None),
    ],
)
def test_names_of_tiles(name, expected):
    assert tile_region(name) == expected


def test_the_nucleus_of_a_cell_goes_before_its_outline(tmp_path):
    cell = feature([square(0, 0, 10)], objectType="cell")
    cell["nucleusGeometry"] = {"type": "Polygon", "coordinates": [square(4, 4, 2)]}
    assert np.count_nonzero(labels_of(tmp_path, [cell])) == 4


def test_annotations_are_regions_only_beside_detections(tmp_path):
    region = feature([square(0, 0, 12)], objectType="annotation")
    nucleus = feature([square(4, 4, 2)], objectType="detection")
    assert np.count_nonzero(labels_of(tmp_path, [region])) == 144
    assert np.count_nonzero(labels_of(tmp_path, [region, nucleus])) == 4
    region["properties"]["childObjects"] = [nucleus]
    assert np.count_nonzero(labels_of(tmp_path, [region])) == 4
    old = dict(region, id="PathAnnotationObject", properties={})
    new = dict(nucleus, id="PathCellObject", properties={})
    assert np.count_nonzero(labels_of(tmp_path, [old, new])) == 4
    for features, pixels in (([old, new], 144), ([new], 4)):
        path = tmp_path / "regions.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        assert np.count_nonzero(read_outlined_region(path, (16, 16))) == pixels


def test_classes_in_every_form_qupath_wrote_them(tmp_path):
    forms = [
        {"name": "Tumor", "color": [1, 2, 3]},
        {"names": ["Tumor", "Positive"]},
        "Stroma",
        None,
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps([feature([square(1, 1, 2)], classification=form) for form in forms]))
    names = [outline.class_name for outline in read_annotations(path).outlines]
    assert names == ["Tumor", "Tumor: Positive", "Stroma", ""]


def test_points_and_lines_are_passed_over_and_measurements_may_be_nan(tmp_path):
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}
    nothing = {"type": "Feature", "geometry": None, "properties": None}
    square_ = feature([square(1, 1, 2)], measurements={"Area": float("nan")})
    assert np.count_nonzero(labels_of(tmp_path, [point, nothing, square_])) == 4
    assert not labels_of(tmp_path, []).any()


def test_gzipped_is_read_by_content(tmp_path):
    text = json.dumps([feature([square(2, 3, 4)])]).encode()
    path = tmp_path / "a.geojson.gz"
    path.write_bytes(gzip.compress(text))
    assert is_annotation_path(path)
    with path.open("rb") as stream:
        assert len(read_annotations(stream).outlines) == len(read_annotations(path).outlines) == 1
    path.write_bytes(gzip.compress(text)[:-9])
    with pytest.raises(InputError, match=r"a\.geojson\.gz: .*truncated"):
        read_annotations(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "3",
        '"a"',
        '{"type": "FeatureCollection"}',
        "[" * 100_000,
        '[{"type": "Feature", "geometry": 3}]',
        POLYGON % "[[[1, NaN], [2, 3]]]",
        POLYGON % '[[["a", 1], [2, 3]]]',
        POLYGON % "[[1, 2, 3]]",
        POLYGON % "[[[1, 1e300], [2, 3]]]",
        '[{"type": "Feature", "properties": "x", "geometry": null}]',
    ],
)
def test_what_is_no_geojson_is_one_sentence(tmp_path, text):
    path = tmp_path / "a.geojson"
    path.write_text(text)
    with pytest.raises(InputError, match=r"no outlines of nuclei|damaged \("):
        read_annotations(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_annotations(tmp_path / "none.geojson")


def test_the_smallest_image_that_holds_all(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps([feature([square(2, 3, 4.5)]), feature([square(0, 0, 1)])]))
    assert extent(read_annotations(path).outlines) == (8, 7)
    assert extent([]) == (1, 1)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_random_polygons_agree_with_scikit_image(seed):
    random = np.random.default_rng(seed)
    points = random.uniform(-5, 35, (random.integers(3, 9), 2))
    window, inside = fill_polygon([points], (30, 25))
    filled = np.zeros((30, 25), bool)
    filled[window] = inside
    rows, columns = skimage.draw.polygon(points[:, 1] - 0.5, points[:, 0] - 0.5, (30, 25))
    expected = np.zeros((30, 25), bool)
    expected[rows, columns] = True
    assert np.array_equal(filled, expected)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_polygons_that_share_an_edge_share_no_pixel_and_leave_none_out(seed):
    random = np.random.default_rng(seed)
    top, bottom = [random.integers(0, 21) / 2, 0], [random.uniform(0, 10), 10]
    counts = np.zeros((10, 10), int)
    for ring in ([[0, 0], top, bottom, [0, 10]], [top, [10, 0], [10, 10], bottom]):
        window, inside = fill_polygon([np.array(ring, float)], (10, 10))
        counts[window] += inside
    assert (counts == 1).all()


def test_outlines_traced_along_pixels_give_the_pixels_back():
    blob = np.hypot(*np.mgrid[-9:10, -9:10]) < 8
    blob[8:11, 8:11] = False
    padded = np.pad(blob.astype(float), 1)
    rings = [
        ring[:, ::-1] - 0.5 for ring in find_contours(padded, 0.5)
    ]  # (y, x) centres to corners
    window, inside = fill_polygon(rings, blob.shape)
    again = np.zeros(blob.shape, bool)
    again[window] = inside
    assert np.array_equal(again, blob)
    assert area([np.array(square(0, 0, 4.0)), np.array(square(1, 1, 1.0))]) == 15
