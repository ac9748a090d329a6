"""Thresholds by histogram are OpenCV's; empty cases are chosen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import to_grey
from napari_snow_unet.segmentation.plane.threshold import (
    choose_level,
    grey_histogram,
    level_of,
    otsu_level,
)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_otsu_of_the_histogram_cuts_as_opencv_cuts_the_image(grey):
    level = otsu_level(grey_histogram(grey))
    _, binary = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if grey.min() == grey.max():
        assert not (grey > level).any()
    else:
        assert np.array_equal(grey > level, binary > 0)


def test_otsu_by_the_definition():
    histogram = np.random.default_rng(3).integers(0, 1000, 256)
    levels = np.arange(256)

    def between(cut):
        low, high = histogram[: cut + 1], histogram[cut + 1 :]
        means = [
            np.average(levels[: cut + 1], weights=low),
            np.average(levels[cut + 1 :], weights=high),
        ]
        return low.sum() * high.sum() * (means[0] - means[1]) ** 2

    assert otsu_level(histogram) == max(range(255), key=between)


def test_histograms_of_parts_add_up():
    grey = np.random.default_rng(4).integers(0, 256, (64, 64), dtype=np.uint8)
    assert np.array_equal(
        grey_histogram(grey[:20]) + grey_histogram(grey[20:]), grey_histogram(grey)
    )


def test_a_histogram_larger_than_an_image_keeps_its_threshold():
    histogram = np.zeros(256, dtype=np.int64)
    histogram[[10, 12, 200, 210]] = [3000, 2000, 400, 100]
    assert otsu_level(histogram * 10**9) == otsu_level(histogram)


def test_a_flat_map_has_nothing_above_its_threshold():
    for value in (0, 7, 255):
        grey = np.full((5, 5), value, np.uint8)
        assert not (grey > choose_level(grey_histogram(grey))).any()
    assert otsu_level(np.zeros(256, dtype=int)) == 255


def test_the_floor_holds_otsu_up_but_not_a_number():
    grey = np.array([[0] * 90 + [20] * 10], dtype=np.uint8)
    histogram = grey_histogram(grey)
    assert (grey > choose_level(histogram)).sum() == 10
    assert (grey > choose_level(histogram, floor=0.3)).sum() == 0
    assert (grey > choose_level(histogram, 0.05, floor=0.3)).sum() == 10


def test_a_number_is_a_probability():
    assert level_of(0.5) == 127
    assert (level_of(0), level_of(1)) == (0, 255)
    grey = to_grey(np.array([0.0, 0.5, 0.502, 1.0], dtype=np.float32))
    assert list(grey) == [0, 128, 128, 255]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "half"])
def test_other_thresholds_are_refused(threshold):
    with pytest.raises(InputError, match="otsu"):
        choose_level(np.ones(256, dtype=int), threshold)
