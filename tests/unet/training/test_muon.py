"""Muon on the kernels of convolutions."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.unet.network.config import UNetConfig


@pytest.fixture
def network():
    from napari_snow_unet.unet.network.build import build_unet

    return build_unet(UNetConfig(base_filters=8, levels=3))


def stepped(network, gradients, *, steps=1, **options):
    """Return how the variables moved, by path."""
    from keras.ops import convert_to_numpy

    from napari_snow_unet.unet.training.muon import ConvolutionMuon

    before = {each.path: convert_to_numpy(each) for each in network.trainable_variables}
    optimizer = ConvolutionMuon(0.01, 0.0, **options)
    optimizer.build(network.trainable_variables)
    for _ in range(steps):
        optimizer.apply(gradients, network.trainable_variables)
    moved = network.trainable_variables
    return {each.path: convert_to_numpy(each) - before[each.path] for each in moved}


def random_gradients(network, scale=1.0):
    rng = np.random.default_rng(3)
    shapes = [tuple(each.shape) for each in network.trainable_variables]
    return [(scale * rng.standard_normal(shape)).astype(np.float32) for shape in shapes]


def test_every_direction_of_a_kernel_moves_alike(network):
    moved = stepped(network, random_gradients(network))
    kernels = {path: move for path, move in moved.items() if move.ndim == 4}
    assert len(kernels) == 13
    for path, move in kernels.items():
        matrix = move.reshape(-1, move.shape[-1])
        if "logits" in path:
            continue
        singular = np.linalg.svd(matrix, compute_uv=False)
        # Keras' five steps bring them near 1, no nearer.
        expected = 0.01 * 0.2 * np.sqrt(max(matrix.shape))
        assert singular.min() > 0.5 * expected, path
        assert singular.max() < 1.4 * expected, path


def test_the_size_of_gradients_does_not_matter(network):
    small = stepped(network, random_gradients(network, 1e-3))
    large = stepped(network, random_gradients(network, 1e3))
    for path in small:
        if small[path].ndim == 4 and "logits" not in path:
            apart = np.linalg.norm(small[path] - large[path])
            assert apart < 0.02 * np.linalg.norm(large[path]), path


def test_biases_and_the_last_convolution_are_left_to_adam(network):
    moved = stepped(network, random_gradients(network))
    for path, move in moved.items():
        if move.ndim == 1 or "logits" in path:
            np.testing.assert_allclose(np.abs(move), 0.01, rtol=0.02)  # Adam's first step


def test_a_gradient_of_zero_moves_nothing(network):
    moved = stepped(network, [np.zeros_like(g) for g in random_gradients(network)], steps=2)
    assert all(np.array_equal(move, np.zeros_like(move)) for move in moved.values())
