"""Tiles pasted back equal the whole, for any size, with any network of that reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.segmentation.plane.tiling import (
    GRID,
    cheapest_window,
    check_window,
    mirrored,
    padded_length,
    plan_grid,
    smallest_window,
)

REACH = 16
STRIDE = 16  # of networks of five levels


def paste(image, window, function):
    result = np.full(image.shape[:2], -1.0)
    for tile in plan_grid(image.shape[:2], window, REACH):
        assert np.all(result[tile.core] == -1)
        result[tile.core] = function(mirrored(image[tile.window], tile.window))[tile.inner]
    return result


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.sampled_from([128, 192, 256, 512]),
)
def test_identity_pasted_back_is_the_image(shape, window):
    image = np.random.default_rng(1).random(shape)
    assert np.array_equal(paste(image, window, lambda pixels: pixels), image)


@given(st.tuples(st.integers(65, 400), st.integers(65, 400)))
def test_a_function_with_the_reach_of_the_halo_does_not_see_the_tiles(shape):
    image = np.random.default_rng(2).random(shape)

    def blur(pixels):
        return ndimage.uniform_filter(pixels, 2 * REACH + 1, mode="constant")

    whole = paste(image, 512, blur)
    for window in (128, 192):
        np.testing.assert_allclose(paste(image, window, blur), whole, atol=1e-12)


@given(
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    st.sampled_from([256, 320, 1024]),
    st.sampled_from([0, 16, 96]),
)
def test_windows_lie_on_the_stride_inside_the_padded_plane(shape, window, halo):
    sizes = set()
    for tile in plan_grid(shape, window, halo):
        for axis, length in enumerate(shape):
            span = tile.window[axis]
            assert span.start % STRIDE == 0
            assert (span.stop - span.start) % GRID == 0
            assert 0 <= span.start < length
            assert span.stop <= padded_length(length)
            sizes.add((axis, span.stop - span.start))
    assert len(sizes) == 2  # one fixed shape


def test_a_window_larger_than_the_image_is_mirrored():
    image = np.arange(6).reshape(2, 3)
    padded = mirrored(image[:64, :64], (slice(0, 64), slice(0, 64)))
    assert padded.shape == (64, 64)
    assert np.array_equal(padded[:4, :6], np.pad(image, ((0, 2), (0, 3)), mode="symmetric"))


@pytest.mark.parametrize("window", [0, 100, 192, -64, 1000])
def test_windows_that_leave_no_core_or_miss_the_grid_are_refused(window):
    with pytest.raises(InputError, match="256"):
        check_window(window, 96)
    assert smallest_window(96) == 256


@given(st.tuples(st.integers(1, 9000), st.integers(1, 9000)))
def test_no_other_window_of_its_range_computes_fewer_pixels(shape):
    def computed(window):
        return sum(
            (tile.window[0].stop - tile.window[0].start)
            * (tile.window[1].stop - tile.window[1].start)
            for tile in plan_grid(shape, window, 96)
        )

    chosen = cheapest_window(shape, 96, 2048)
    assert chosen in range(1536, 2049, GRID)
    assert computed(chosen) == min(computed(window) for window in (1536, 1792, chosen, 2048))


def test_the_halo_adds_at_most_a_quarter_to_a_large_square():
    tiles = plan_grid((20_000, 20_000), cheapest_window((20_000, 20_000), 96, 2048), 96)
    pixels = sum((y.stop - y.start) * (x.stop - x.start) for y, x in (t.window for t in tiles))
    assert pixels <= 1.25 * 20_000**2
