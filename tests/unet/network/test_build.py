import keras
import numpy as np
import pytest

from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig, parameter_count


def test_the_default_has_the_parameters_of_the_paper():
    network = build_unet(UNetConfig())
    assert network.count_params() == 1_940_817
    widths = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    down = [16, 16, 32, 32, 64, 64, 128, 128, 256, 256]
    assert widths == [*down, 128, 128, 64, 64, 32, 32, 16, 16, 1]


@pytest.mark.parametrize(
    "config",
    [
        UNetConfig(base_filters=2, levels=3, channel="rgb", kernel_size=5),
        UNetConfig(base_filters=3, levels=2, normalization="batch", activation="silu"),
        UNetConfig(base_filters=1, levels=7),
    ],
)
def test_parameters_are_counted_without_building(config):
    network = build_unet(config)
    kept = [weight for weight in network.weights if "moving" not in weight.path]
    assert sum(int(np.prod(weight.shape)) for weight in kept) == parameter_count(config)


def test_transposed_convolutions_are_trained_without_their_bias():
    network = build_unet(UNetConfig(base_filters=2, levels=3))
    still = [weight.path for weight in network.non_trainable_weights]
    assert still == ["up1/bias", "up0/bias"]


def test_the_original_of_2015_is_a_matter_of_its_first_filter_count():
    assert parameter_count(UNetConfig(base_filters=64)) == 31_030_593


@pytest.mark.parametrize("shape", [(16, 16), (16, 48), (80, 32)])
def test_any_multiple_of_the_stride_comes_back_in_its_size(shape):
    network = build_unet(UNetConfig(base_filters=2))
    pixels = np.random.default_rng(0).random((1, *shape, 1), dtype=np.float32)
    probability = network(pixels, training=False)
    assert tuple(probability.shape) == (1, *shape, 1)
    assert keras.backend.standardize_dtype(probability.dtype) == "float32"


@pytest.mark.usefixtures("bfloat16")
def test_the_sigmoid_stays_float32_in_mixed_precision():
    config = UNetConfig(base_filters=4, levels=3)
    full, mixed = build_unet(config), build_unet(config, precision="mixed_bfloat16")
    mixed.set_weights(full.get_weights())
    pixels = np.random.default_rng(0).random((1, 32, 32, 1), dtype=np.float32)
    expected, found = (np.asarray(n(pixels, training=False)) for n in (full, mixed))
    assert found.dtype == np.float32
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    assert 0 < np.abs(found - expected).max() < 0.02


def test_dropout_works_in_training_only():
    network = build_unet(UNetConfig(base_filters=4, levels=3, dropout=0.3))
    pixels = np.random.default_rng(0).random((1, 32, 32, 1), dtype=np.float32)
    still = [np.asarray(network(pixels, training=False)) for _ in range(2)]
    moving = [np.asarray(network(pixels, training=True)) for _ in range(2)]
    assert np.array_equal(*still)
    assert not np.array_equal(*moving)
    rates = [n.rate for n in network.layers if isinstance(n, keras.layers.Dropout)]
    assert rates == [0.3, 0.3, 0.6, 0.3, 0.3]
