"""What lies on the edge or the centre of a pixel does so whatever the last bits of it are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_snow_unet.data.pixels.pixel_grid import TOLERANCE, covering, nearest, settled

HALVES = st.integers(-200_000, 200_000).map(lambda number: number / 2)
LAST_BITS = st.floats(-0.9 * TOLERANCE, 0.9 * TOLERANCE)


@given(HALVES, LAST_BITS)
def test_centres_and_edges_are_kept_and_what_lies_beside_them_is_brought_there(place, off):
    assert settled(place) == place
    assert settled(place + off) == place


@given(st.floats(-1e6, 1e6))
def test_nothing_moves_farther_than_the_tolerance_or_twice(place):
    assert abs(settled(place) - place) <= TOLERANCE
    assert settled(settled(place)) == settled(place)


@given(HALVES, LAST_BITS)
def test_the_nearest_pixel_does_not_depend_on_last_bits(place, off):
    assert nearest(place + off) == nearest(place) == np.rint(place)


@given(st.lists(st.tuples(HALVES, HALVES), min_size=1, max_size=5), LAST_BITS)
def test_a_rectangle_does_not_depend_on_last_bits(corners, off):
    for one, other in zip(covering(np.array(corners) + off), covering(corners), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("corners", "first", "stop"),
    [
        ([[-0.5, -0.5], [9.5, 4.5]], [0, 0], [10, 5]),  # along edges
        ([[0, 0], [9, 4]], [0, 0], [10, 5]),  # between centres
        ([[0.4, 0.6], [0.4, 0.6]], [0, 1], [1, 2]),  # within one pixel
        ([[-0.501, 0], [0, 0]], [-1, 0], [1, 1]),  # beyond the tolerance
    ],
)
def test_a_rectangle_covers_every_pixel_that_is_touched(corners, first, stop):
    found = covering(corners)
    assert [part.tolist() for part in found] == [first, stop]
