"""Labels told from probability maps by their pixels."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_snow_unet.data.masks.label_pictures import is_picture_of_labels, looks_like_labels
from napari_snow_unet.data.synthetic import generate_tile


@pytest.fixture(scope="module")
def labels():
    return generate_tile(1, size=192).labels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_labels_are_labels_in_any_type(labels, dtype):
    assert looks_like_labels(labels.astype(dtype))
    assert looks_like_labels(np.where(labels, 255, 0).astype(dtype))


@pytest.mark.parametrize(("blur", "steepness"), [(1, 12), (1, 60), (2, 12), (4, 5)])
def test_a_probability_map_is_none_however_saturated(labels, blur, steepness):
    smooth = gaussian_filter((labels > 0).astype(float), blur)
    probability = 1 / (1 + np.exp(-steepness * (smooth - 0.5)))
    assert not looks_like_labels(probability)
    assert not looks_like_labels(np.rint(probability * 255).astype(np.uint8))
    assert not looks_like_labels(np.rint(probability * 65535).astype(np.uint16))


def test_a_nucleus_cut_in_two_is_still_a_label():
    halves = np.array([[1, 0, 1], [0, 0, 0], [2, 0, 2]])
    assert looks_like_labels(np.kron(halves, np.ones((3, 3), int)))
    assert not looks_like_labels(np.array([[1, 0, 1, 0, 1], [2, 0, 2, 0, 2]]))


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 3), int),
        np.ones((3, 3), int),
        np.array([[0, -1]]),
        np.array([[0, np.nan]]),
        np.array([[0, np.inf]]),
        np.array([[0, 0.5]]),
        np.zeros((0, 3)),
        np.zeros((2, 2, 3)),
        np.array([["a"]]),
    ],
)
def test_what_holds_no_numbers_of_nuclei_is_none(values):
    assert not looks_like_labels(values)


@pytest.mark.parametrize("sigma", [1, 2, 3, 5])
def test_a_fine_map_of_16_bits_is_not_taken_for_labels(sigma):
    labels = generate_tile(2, size=256).labels
    assert looks_like_labels(labels)
    smooth = gaussian_filter((labels > 0).astype(float), sigma)
    assert not looks_like_labels(np.rint(smooth * 65535).astype(np.uint16))


COLOURS = np.random.default_rng(3).integers(1, 255, (100_000, 3), dtype=np.uint8)
COLOURS[0] = 0


@pytest.mark.parametrize(
    ("convert", "rgb"),
    [
        (lambda labels: labels.astype(np.uint16), False),
        (lambda labels: np.where(labels, 255, 0).astype(np.uint8), False),
        (lambda labels: labels > 0, False),
        (lambda labels: np.stack([labels] * 3), False),
        (lambda labels: np.where(labels, 255, 0)[..., None].repeat(3, -1).astype(np.uint8), True),
        (lambda labels: COLOURS[labels], True),
    ],
    ids=["16 bits", "mask", "bool", "stack", "mask in grey", "coloured"],
)
def test_a_picture_of_labels_is_known(labels, convert, rgb):
    assert is_picture_of_labels(convert(labels), rgb=rgb)


@pytest.mark.parametrize("black", [0, 40])
def test_a_picture_of_tissue_is_none_of_labels(black):
    """Also where it is as dark as black in places, as a fluorescent image is."""
    image = generate_tile(1, size=192).image
    image[:black, :black] = 0
    assert not is_picture_of_labels(image, rgb=True)
    grey = image[..., 0]
    for one in (grey, grey.astype(np.uint16) * 16, grey / 255, 255 - grey, np.stack([grey] * 3)):
        assert not is_picture_of_labels(one)
    assert not is_picture_of_labels(np.where(grey < 120, 255 - grey, 0))
    assert not is_picture_of_labels(np.zeros((0, 5)))
    assert not is_picture_of_labels(np.zeros((5, 5, 3), np.uint8), rgb=True)
