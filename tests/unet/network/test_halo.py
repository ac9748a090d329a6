import keras
import numpy as np
import pytest

from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.halo import _reach, window_halo


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
