"""Which value is white: robust, the same for lazy images, and said."""

from __future__ import annotations

import re

import dask.array as da
import numpy as np
import pytest

from napari_snow_unet.data.pixels import value_range as module
from napari_snow_unet.data.pixels.channels import map_divisor, to_rgb8, to_unit
from napari_snow_unet.data.pixels.value_range import (
    EIGHT_BITS,
    ValueRange,
    is_nearly_black,
    value_range,
    white_of_all,
)

RNG = np.random.default_rng(3)
TWELVE = RNG.integers(800, 4096, (128, 128, 3)).astype(np.uint16)


def test_hot_pixels_and_a_scale_bar_darken_nothing():
    hot = TWELVE.copy()
    hot[5, 5] = 4100
    hot[60, 60] = 65535
    bar = TWELVE.copy()
    bar[110:116, 70:120] = 65535  # 2 % of the image
    floats = TWELVE / 4095
    floats[7, 7, 0] = 2.0
    for image, white in ((TWELVE, 4095), (hot, 4095), (bar, 4095), (floats, 1)):
        assert value_range(image).white == white
    shown = to_rgb8(bar, value_range(bar))
    assert (shown[110:116, 70:120] == 255).all()  # what is above white is cut off
    assert np.array_equal(shown[:100], to_rgb8(TWELVE, ValueRange(4095))[:100])


def test_black_around_the_tissue_does_not_count():
    padded = np.zeros((400, 400), np.uint16)
    padded[:20, :20] = TWELVE[:20, :20, 0]
    assert value_range(padded).white == 4095


@pytest.mark.parametrize("opaque", [255, 4095, 65535])
def test_alpha_has_a_range_of_its_own(opaque):
    rgba = np.dstack([TWELVE, np.full((128, 128), opaque, np.uint16)])
    values = value_range(rgba)
    assert (values.white, values.opaque) == (4095, opaque)
    rgba[:, 64:] = (0, 0, 0, 0)
    assert value_range(rgba) == values
    shown = to_rgb8(rgba, values)
    assert (shown[:, 64:] == 255).all()
    assert np.array_equal(shown[:, :64], to_rgb8(TWELVE[:, :64], values))


def test_eight_bits_are_never_stretched():
    dark = (RNG.integers(0, 9, (16, 16, 3))).astype(np.uint8)
    assert value_range(dark) == EIGHT_BITS
    assert np.array_equal(to_rgb8(dark), dark)
    assert is_nearly_black(dark, EIGHT_BITS)


def test_what_is_assumed_is_said_and_what_is_not_is_not():
    assert re.search("uint16 .*4,095", value_range(TWELVE).note)
    assert value_range(TWELVE * 16).note == ""
    assert value_range(TWELVE / 4095).note == ""
    assert value_range(TWELVE, white=4095).note == ""


def test_a_dark_image_is_read_as_the_others_of_its_data_set():
    dark = TWELVE // 8
    assert value_range(dark).white == 1023
    known = value_range(dark, white_values={"uint16": 4095.0}, of="the data set")
    assert known.white == 4095
    assert "the data set" in known.note
    assert (
        value_range(TWELVE * 16, white_values={"uint16": 4095.0}).white == 65535
    )  # brighter than those
    assert value_range(TWELVE / 4095, white_values={"float64": 255.0}).white == 1


def test_one_white_for_all_is_that_of_the_brightest_but_for_a_few_of_many():
    assert white_of_all({"uint16": [1023, 4095, 255, 4095]}) == {"uint16": 4095}
    assert white_of_all({"uint16": [1023] * 3 + [4095]}) == {"uint16": 4095}
    assert white_of_all({"uint16": [4095] * 40 + [65535]}) == {"uint16": 4095}


def test_a_nearly_black_image_is_told_from_a_dark_one():
    assert is_nearly_black(TWELVE // 10, ValueRange(4095))
    assert not is_nearly_black(TWELVE // 2, ValueRange(4095))
    clear = np.dstack([TWELVE, np.zeros((128, 128), np.uint16)])
    assert not is_nearly_black(clear, ValueRange(4095, 65535))


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(module, "_WHOLE", 1000)
    monkeypatch.setattr(module, "_WINDOW", 16)


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("shape", [(300, 250), (300, 250, 3), (6, 100, 90), (6, 100, 90, 4)])
def test_a_lazy_image_gives_what_one_in_memory_gives(shape):
    image = RNG.integers(1, 5000, shape).astype(np.uint16)
    lazy = da.from_array(image, chunks=40)
    assert value_range(lazy) == value_range(image)
    assert module.sampled(lazy).shape == module.sampled(image).shape
    assert module.sampled(image).size < image.size / 2


@pytest.mark.usefixtures("small_windows")
def test_of_a_lazy_image_some_windows_are_read():
    read = []

    def block(block_info=None):
        read.append(1)
        return np.full((100, 100), 3000, np.uint16)

    lazy = da.map_blocks(block, chunks=((100,) * 30, (100,) * 30), dtype=np.uint16)
    assert value_range(lazy).white == 4095
    assert len(read) <= 64


def test_values_beyond_white_are_cut_off_and_none_is_below_0():
    unit = to_unit(np.array([[0.0, 0.5, 1.2]]), ValueRange(1.0))
    assert unit.tolist() == [[0.0, 0.5, 1.0]]


@pytest.mark.parametrize(
    ("values", "divisor"),
    [
        (np.array([[0, 3000]], np.uint16), 65535),
        (np.array([[0, 3000]], np.int32), 65535),
        (np.array([[0, 200]], np.int32), 255),
        (np.array([[0, 0.4]]), 1),
        (np.array([[0, 200.0]]), 255),
        (np.array([[0, 3000.0]]), 65535),
    ],
)
def test_a_probability_map_is_no_image(values, divisor):
    assert map_divisor(values)[0] == divisor
