"""Resampling: what a window gets is what the whole gets, and nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.segmentation.plane.resample import Resampling, scale_factor

SHAPES = [((60, 77), (73, 94)), ((60, 77), (41, 30)), ((500, 300), (60, 50)), ((9, 9), (90, 81))]


def plane(shape, channels=(), seed=0):
    return np.random.default_rng(seed).random((*shape, *channels)).astype(np.float32)


def whole(shape):
    return slice(0, shape[0]), slice(0, shape[1])


@pytest.mark.parametrize(("old", "new"), SHAPES)
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_window_gets_the_values_of_the_whole(old, new, channels):
    pixels, grid = plane(old, channels), Resampling(old, new)
    expected = grid.take(pixels, whole(new))
    assert expected.shape == (*new, *channels)
    assert expected.dtype == np.float32
    for rows, columns in [(slice(0, 7), slice(3, 20)), (slice(11, 40), slice(20, new[1]))]:
        rows = slice(rows.start, min(rows.stop, new[0]))
        found = grid.take(pixels[grid.needed((rows, columns))], (rows, columns))
        np.testing.assert_allclose(found, expected[rows, columns], atol=1e-4)


@pytest.mark.parametrize(("old", "new"), SHAPES)
def test_a_ramp_stays_where_it_is(old, new):
    grid = Resampling(old, new)
    y, x = np.mgrid[: old[0], : old[1]] + 0.5
    rows, columns = grid.centres(whole(new))
    for ramp, expected in ((y, rows[:, None]), (x, columns[None, :])):
        found = grid.take(ramp.astype(np.float32), whole(new))
        edge = [1 + n // o for o, n in zip(old, new, strict=True)]
        inner = np.s_[edge[0] : -edge[0], edge[1] : -edge[1]]
        np.testing.assert_allclose(
            found[inner], np.broadcast_to(expected, new)[inner], atol=0.03 if new < old else 2e-3
        )


def test_shrinking_averages():
    fine = np.kron(np.ones((40, 40)), [[0, 1], [1, 0]]).astype(np.float32)
    found = Resampling((80, 80), (20, 20)).take(fine, whole((20, 20)))
    np.testing.assert_allclose(found, 0.5, atol=0.01)


def test_the_same_grid_changes_nothing():
    pixels, grid = plane((5, 6)), Resampling.by(1.0, (5, 6))
    assert grid.is_none
    assert grid.take(pixels, whole((5, 6))) is pixels
    assert grid.needed((slice(1, 3), slice(0, 6))) == (slice(1, 3), slice(0, 6))


@pytest.mark.parametrize(
    ("pixel", "known", "factor"),
    [
        (None, (0.2, 0.4), 1.0),
        (0.5, None, 1.0),
        (0.2, (0.2, 0.4), 1.0),
        (0.5, (0.2, 0.4), 1.25),
        (0.1, (0.2, 0.4), 0.5),
    ],
)
def test_the_factor_leads_to_the_nearest_end_of_the_range(pixel, known, factor):
    assert scale_factor(pixel, known) == pytest.approx(factor)
