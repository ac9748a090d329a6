"""What predicts is the network that was trained, in fewer and larger steps."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_snow_unet.models import DEFAULT_MODEL, find_model
from napari_snow_unet.unet.models.store import load_model
from napari_snow_unet.unet.network.build import build_unet, for_prediction
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.fused_upsampling import UpsampledConvolution, composed_kernel

only_tensorflow = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="other engines predict with the network as it is"
)
SMALL = UNetConfig(base_filters=4, levels=3)


def random_network(config=SMALL, **options):
    """Build a network as training may leave it."""
    keras.utils.set_random_seed(0)  # whatever the order of the tests
    network, noise = build_unet(config, **options), np.random.default_rng(0)
    for layer in network.layers:
        arrays = [array + noise.normal(0, 0.1, array.shape) for array in layer.get_weights()]
        if isinstance(layer, layers.Conv2DTranspose):
            arrays[1][:] = 0
        if isinstance(layer, layers.BatchNormalization):
            arrays[3] = np.abs(arrays[3])  # a variance
        layer.set_weights(arrays)
    return network


def output(network, *shape):
    pixels = np.random.default_rng(1).random((*shape, network.input_shape[-1]), dtype=np.float32)
    return np.asarray(network(pixels, training=False))


def test_one_transposed_convolution_does_what_two_convolutions_do():
    noise = np.random.default_rng(0)
    up, kernel = noise.normal(size=(2, 2, 3, 5)), noise.normal(size=(3, 3, 3, 4))
    below = noise.normal(size=(2, 6, 7, 5)).astype(np.float32)
    between = ops.conv_transpose(below, up.astype(np.float32), 2, "valid")
    expected = ops.conv(between, kernel.astype(np.float32), 1, "same")
    found = ops.conv_transpose(below, composed_kernel(up, kernel), 2, "same")
    assert tuple(found.shape) == (2, 12, 14, 4)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), atol=2e-5)


@only_tensorflow
@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        UNetConfig(base_filters=2, levels=5, activation="silu", dropout=0.2, channel="rgb"),
        UNetConfig(base_filters=3, levels=2, normalization="batch"),
    ],
)
@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 48)])
def test_the_output_is_that_of_the_trained_network_up_to_the_edge(config, shape):
    network = random_network(config)
    faster = for_prediction(network, config)
    merged = [layer for layer in faster.layers if isinstance(layer, UpsampledConvolution)]
    assert len(merged) == config.levels - 1
    assert not any(isinstance(layer, layers.Conv2DTranspose) for layer in faster.layers)
    expected = output(network, *shape)
    assert np.ptp(expected) > 0.03
    np.testing.assert_allclose(output(faster, *shape), expected, atol=1e-5)


@only_tensorflow
def test_number_formats_stay_those_of_the_network(bfloat16):
    network = random_network(precision=bfloat16, first="float32")
    faster = for_prediction(network, SMALL)
    for layer in faster.layers:
        assert layer.dtype_policy.name == network.get_layer(layer.name).dtype_policy.name
    apart = np.abs(output(faster, 1, 32, 32) - output(network, 1, 32, 32)).max()
    assert 0 < apart < 0.05


def test_where_it_would_not_be_the_same_the_network_itself_predicts():
    wide = UNetConfig(base_filters=2, levels=2, kernel_size=5)
    network = build_unet(wide)
    assert for_prediction(network, wide) is network
    biased = random_network()
    kernel, bias = biased.get_layer("up0").get_weights()
    biased.get_layer("up0").set_weights([kernel, bias + 1])
    assert for_prediction(biased, SMALL) is biased


@only_tensorflow
def test_the_bundled_network_predicts_in_this_way():
    network, config = load_model(find_model(DEFAULT_MODEL))
    faster = for_prediction(network, config)
    assert faster is not network
    np.testing.assert_allclose(output(faster, 1, 64, 96), output(network, 1, 64, 96), atol=1e-5)
