"""OpenVINO against Keras on every kind of network that a config admits, and on the bundled one."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from model_folders import random_arrays
from napari_snow_unet.data.synthetic import frozen_test_set
from napari_snow_unet.models import find_model, open_model
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.unet.engine import openvino as engine
from napari_snow_unet.unet.models.store import read_model
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.operators import compose, in_two_parts
from napari_snow_unet.unet.network.predictor import by_keras, on_processor

KINDS = [
    {},
    {"channel": "rgb"},
    {"activation": "elu"},
    {"activation": "silu", "normalization": "batch"},
    {"activation": "elu", "normalization": "batch", "dropout": 0.3, "levels": 3},
    {"normalization": "batch", "channel": "rgb"},
    {"kernel_size": 1, "levels": 3},
    {"kernel_size": 5, "levels": 2},
    {"kernel_size": 7, "levels": 4, "base_filters": 2, "activation": "silu"},
    {"kernel_size": 9, "levels": 3, "base_filters": 2},
    {"levels": 6, "base_filters": 3},
    {"levels": 7, "base_filters": 1},
    {"levels": 2, "base_filters": 64},
]


def grey_levels(probability):
    return np.rint(255 * probability.astype(np.float64))


def dice(one, other):
    one, other = one > 0, other > 0
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.fixture(scope="module")
def tiles():
    return [tile.image for tile in islice(frozen_test_set(), 6)]


@pytest.fixture(scope="module")
def labelled(tiles):
    """Return a function that gives the labels of the tiles by a way to compute the network."""

    def label(predict):
        model = replace(open_model("default"), predict=predict)
        return [run(segment(image, model)).labels for image in tiles]

    return label


@pytest.mark.parametrize("entries", KINDS, ids=str)
def test_every_network_gives_the_grey_levels_of_keras(entries):
    config = UNetConfig(**{"base_filters": 8, **entries})
    arrays = random_arrays(config)
    pixels = np.random.default_rng(1).random((2, 128, 192, config.channels), np.float32)
    expected, found = (
        engine(config, arrays, "float32").predict(pixels) for engine in (by_keras, on_processor)
    )
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.ptp(grey_levels(expected)) > 10  # no constant would do
    assert np.abs(grey_levels(found) - grey_levels(expected)).max() <= 1
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_bundled_network_gives_the_labels_of_keras(tiles, labelled):
    model = read_model(find_model("default"))
    by_one, by_other = by_keras(*model, "float32"), on_processor(*model, "float32")
    for image in tiles[:2]:
        pixels = np.float32(image[None, ..., :1] / 255)
        maps = [grey_levels(each.predict(pixels)) for each in (by_one, by_other)]
        assert np.abs(maps[0] - maps[1]).max() <= 1
    for one, other in zip(labelled(by_one.predict), labelled(by_other.predict), strict=True):
        assert dice(one, other) >= 0.999


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_keeps_the_labels_since_the_first_layer_is_in_two_parts(labelled):
    config, arrays = read_model(find_model("default"))
    exact = labelled(on_processor(config, arrays, "float32").predict)
    pixels = engine.input_of(config.channels)
    rounded = engine.Compiled(
        pixels, compose(config, arrays, pixels, engine.Operators()), "bfloat16"
    )

    def in_one_part(window):
        return rounded(np.ascontiguousarray(np.moveaxis(window, -1, 1)))[:, 0]

    lost = []
    for predict in (on_processor(config, arrays, "bfloat16").predict, in_one_part):
        lost.append([1 - dice(*pair) for pair in zip(exact, labelled(predict), strict=True)])
    assert max(lost[0]) <= 0.005
    assert 0 < np.mean(lost[0]) < np.mean(lost[1]) / 2


def test_two_parts_of_a_plane_are_the_plane():
    planes = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    high, low, again = np.split(in_two_parts(planes), 3, axis=1)
    assert np.array_equal(high + low, planes)
    assert np.array_equal(high, again)
    assert not (high.view(np.uint32) & 0xFFFF).any()  # bfloat16 holds it as it is
    assert np.abs(low).max() <= 2**-9
