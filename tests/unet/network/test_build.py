import keras
import numpy as np
import pytest

from napari_snow_unet.unet.network.build import _reach, build_unet, window_halo
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


def test_the_sigmoid_stays_float32_in_mixed_precision(bfloat16):
    config = UNetConfig(base_filters=4, levels=3)
    full, mixed = build_unet(config), build_unet(config, precision=bfloat16)
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


def receptive_field_radius(config: UNetConfig) -> int:
    """Return how far a pixel of the input can lie from an output pixel that it changes."""
    ends = [(pixel, *_reach(config, pixel)) for pixel in range(config.stride)]
    return max(max(pixel - low, high - pixel) for pixel, low, high in ends)


def test_the_default_sees_107_pixels_and_needs_a_halo_of_96():
    assert receptive_field_radius(UNetConfig()) == 107
    assert window_halo(UNetConfig()) == 96


def reached(config: UNetConfig, size: int) -> np.ndarray:
    """Tell which output columns each input column reaches: [input column, output column]."""
    network = build_unet(config)
    positive = [np.full(w.shape, 0.1 * (w.ndim > 1)) for w in network.get_weights()]
    network.set_weights(positive)  # no bias: what no path reaches stays exactly 0
    logits = keras.Model(network.input, network.get_layer("logits").output)
    pixels = np.zeros((size, config.stride, size, 1), np.float32)
    pixels[np.arange(size), :, np.arange(size)] = 1
    return (np.asarray(logits(pixels, training=False)) != 0).any(axis=(1, 3))


@pytest.mark.parametrize(
    "config",
    [
        UNetConfig(base_filters=1),
        UNetConfig(base_filters=1, levels=4),
        UNetConfig(base_filters=1, kernel_size=5, levels=3),
    ],
)
def test_no_pixel_beyond_the_radius_is_seen_and_one_at_the_radius_is(config):
    radius = receptive_field_radius(config)
    size = -(-(2 * radius + 32) // config.stride) * config.stride
    source, target = np.nonzero(reached(config, size))
    assert np.abs(source - target).max() == radius
    # A block of the coarsest grid needs the halo; the next smaller multiple of 16 is too small.
    block = target // config.stride * config.stride
    beyond = np.maximum(block - source, source - (block + config.stride - 1)).max()
    assert window_halo(config) - 16 < beyond <= window_halo(config)
