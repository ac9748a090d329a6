"""Samples open in real napari, on the right scale, with their truth on top."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.data.synthetic import GENERATOR_VERSION


@pytest.mark.parametrize(
    ("key", "kinds", "shape"),
    [
        ("tile", ["Image"], (512, 512)),
        ("tile_with_truth", ["Image", "Labels"], (512, 512)),
        ("stack", ["Image"], (4, 512, 512)),
    ],
)
def test_samples_open(make_napari_viewer_proxy, key, kinds, shape):
    viewer = make_napari_viewer_proxy()
    layers = viewer.open_sample("napari-snow-unet", key)
    assert [type(layer).__name__ for layer in layers] == kinds
    for layer in layers:
        assert layer.data.shape[: len(shape)] == shape
        assert tuple(layer.scale[-2:]) == (0.25, 0.25)
        assert str(layer.units[-1]) == "micrometer"
        assert layer.metadata["generated"]["generator_version"] == GENERATOR_VERSION
    assert layers[0].rgb
    if len(layers) == 2:
        image, truth = layers
        assert np.array_equal(image.extent.world, truth.extent.world)
        assert truth.data.max() > 50
