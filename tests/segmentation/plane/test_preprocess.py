"""Channel, unit range and axes of images as people have them."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import hematoxylin_transmission, network_input
from napari_snow_unet.data.pixels.value_range import is_rgb, value_range
from napari_snow_unet.segmentation.messages import no_pixels
from napari_snow_unet.segmentation.plane.preprocess import plane_axes

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
COPIES = {
    "uint8": RGB,
    "uint16": RGB.astype(np.uint16),
    "int32": RGB.astype(np.int32),
    "float unit": RGB.astype(np.float64) / 255,
    "float 255": RGB.astype(np.float32),
    "dask": da.from_array(RGB.astype(np.uint16), chunks=10),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_every_data_type_gives_the_same_input(copy):
    pixels = network_input(np.asarray(copy), "red", value_range(copy))
    assert pixels.shape == (20, 30, 1)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[..., 0], RGB[..., 0] / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("highest", "dtype", "white"),
    [
        (200, np.uint16, 255),
        (256, np.uint16, 1023),
        (4095, np.int32, 4095),
        (4096, np.uint16, 16383),
        (16384, np.uint16, 65535),
        (0.7, np.float32, 1),
        (1.0, np.float32, 1),
        (1.01, np.float32, 1),
        (1.5, np.float32, 255),
        (256, np.float32, 1023),
        (3, np.uint8, 255),
        (1, np.bool_, 1),
    ],
)
def test_range_is_the_smallest_that_holds_the_values(highest, dtype, white):
    assert value_range(np.array([[0, highest]], dtype=dtype)).white == white


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (np.array([[0.0, np.nan]]), "nan"),
        (np.array([[0.0, 70000.0]]), "70000"),
        (np.array([[-1, 5]]), "-1"),
        (np.array([[0, 70000]]), "70000"),
        (np.array([[1j]]), "complex128"),
    ],
)
def test_values_outside_every_range_are_refused(values, names):
    with pytest.raises(InputError, match=names):
        value_range(values)


def test_channels():
    assert np.array_equal(network_input(RGB, "green")[..., 0] * 255, RGB[..., 1])
    assert network_input(RGB, "rgb").shape == (20, 30, 3)
    white = np.full((4, 4, 3), 255, np.uint8)
    assert network_input(white, "grey") == pytest.approx(np.ones((4, 4, 1)))
    grey = RGB[..., 0]
    for channel in ("red", "green", "grey", "hematoxylin"):
        assert np.array_equal(network_input(grey, channel)[..., 0] * 255, grey)
    with pytest.raises(InputError, match="infrared"):
        network_input(RGB, "infrared")


def test_what_is_transparent_lies_on_white():
    alpha = np.full((20, 30), 255, np.uint8)
    alpha[:, 15:] = 0
    rgba, laid = np.dstack([RGB, alpha]), RGB.copy()
    laid[:, 15:] = 255
    for channel in ("red", "grey", "rgb", "hematoxylin"):
        assert np.array_equal(network_input(rgba, channel), network_input(laid, channel))


def test_hematoxylin_is_dark_and_eosin_is_not():
    hematoxylin, eosin = (90, 60, 140), (235, 130, 170)
    rgb = np.array([[hematoxylin, eosin, (255, 255, 255)]], dtype=np.float32) / 255
    nucleus, stroma, glass = hematoxylin_transmission(rgb)[0]
    assert nucleus < 0.5 * stroma
    assert glass == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("shape", "rgb", "axes"),
    [
        ((8, 9), False, "plane"),
        ((8, 9, 3), True, "plane"),
        ((8, 9, 4), True, "plane"),
        ((5, 8, 9), False, "stack"),
        ((5, 8, 9, 3), True, "stack"),
        ((3, 8, 9), False, "stack"),
    ],
)
def test_axes(shape, rgb, axes):
    assert is_rgb(shape) == rgb
    assert plane_axes(shape, rgb=rgb) == axes


@pytest.mark.parametrize("shape", [(9,), (0, 9), (4, 0, 3)])
def test_no_plane_is_refused(shape):
    with pytest.raises(InputError) as refused:
        plane_axes(shape, rgb=is_rgb(shape))
    assert refused.value.message == no_pixels(shape)
