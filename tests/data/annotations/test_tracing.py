"""Outlines along pixel edges: valid by shapely, and exactly the pixels they were traced from."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from napari_snow_unet.data.annotations.polygons import fill_polygon
from napari_snow_unet.data.annotations.tracing import trace_outlines


def random_labels(number):
    """Return labels of the worst kind: noise, in which holes and parts meet in corners."""
    rng = np.random.default_rng(number)
    labels = rng.integers(0, rng.integers(2, 5), rng.integers(1, 14, 2), dtype=np.int32)
    return np.kron(labels, np.ones((2, 2), np.int32)) if number % 4 == 0 else labels * 7


def geometry_of(nucleus):
    return shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in nucleus.polygons])


def check(labels):
    """Hold outlines against their labels; return how many there are."""
    drawn, nuclei = np.zeros_like(labels), trace_outlines(labels)
    for nucleus in nuclei:
        shape = geometry_of(nucleus)
        assert shape.is_valid, shapely.is_valid_reason(shape)
        assert shape.area == np.count_nonzero(labels == nucleus.label)
        for polygon in nucleus.polygons:
            assert shapely.LinearRing(polygon[0]).is_ccw
            assert not any(shapely.LinearRing(hole).is_ccw for hole in polygon[1:])
            window, inside = fill_polygon(polygon, labels.shape)
            assert not drawn[window][inside].any()
            drawn[window][inside] = nucleus.label
    assert np.array_equal(drawn, labels)
    return len(nuclei)


def rings_of(text):
    """Trace a drawing in which # is nucleus; return its parts as closed rings of text."""
    labels = np.array([[char == "#" for char in line] for line in text.split()], np.int32)
    (nucleus,) = trace_outlines(labels)
    check(labels)
    return [[len(ring) for ring in polygon] for polygon in nucleus.polygons]


def test_a_rectangle_has_four_corners():
    ((square,),) = (nucleus.polygons[0] for nucleus in trace_outlines(np.ones((2, 3), int)))
    assert {tuple(point) for point in square.tolist()} == {(0, 0), (3, 0), (3, 2), (0, 2)}


@pytest.mark.parametrize(
    ("drawing", "corners"),
    [
        ("### #.# ###", [[4, 4]]),  # a hole
        ("#. .#", [[4], [4]]),  # two parts that meet in a corner
        ("##### #.### ##.## #####", [[4, 4, 4]]),  # two holes that meet in a corner
        ("### #.# ##.", [[6, 4]]),  # a hole that meets the outside in a corner
        (".#. #.# .#.", [[4], [4], [4], [4]]),  # a ring of corners encloses no hole
        ("##### #...# #.#.# #...# #####", [[4, 4], [4]]),  # an island in a hole
    ],
)
def test_shapes_one_can_check_by_eye(drawing, corners):
    assert rings_of(drawing) == corners


def test_no_label_has_no_outline():
    assert trace_outlines(np.zeros((3, 4), np.int32)) == []


def test_outlines_of_neighbours_share_their_edges():
    labels = np.array([[1, 1, 2], [1, 3, 2]])
    assert [nucleus.label for nucleus in trace_outlines(labels)] == [1, 2, 3]
    parts = [geometry_of(nucleus) for nucleus in trace_outlines(labels)]
    assert shapely.union_all(parts).equals(shapely.box(0, 0, 3, 2))


@pytest.mark.parametrize(
    ("numbers", "shapes"),
    [(range(200), 300), pytest.param(range(200, 5600), 10_000, marks=pytest.mark.slow)],
)
def test_random_shapes_are_valid_and_exact(numbers, shapes):
    assert sum(check(random_labels(number)) for number in numbers) > shapes
