"""Components, splitting of touching nuclei, holes, sizes, borders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.morphology import local_maxima

from napari_snow_unet.segmentation.plane.nuclei import (
    fill_small_holes,
    find_components,
    label_nuclei,
    renumber,
)
from napari_snow_unet.segmentation.plane.touching import regional_maxima, separate_touching


def masks(largest):
    side = st.integers(1, largest)
    return arrays(np.uint8, st.tuples(side, side), elements=st.integers(0, 1))


def disk(shape, centre, radius):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def disks(*centres, radius=10, shape=(80, 120)):
    return np.any([disk(shape, centre, radius) for centre in centres], axis=0)


def test_two_touching_disks_become_two_nuclei_of_equal_size():
    mask = disks((40, 40), (40, 57))
    labels = label_nuclei(mask)
    assert labels.max() == 2
    areas = np.bincount(labels.ravel())[1:]
    assert areas.sum() == mask.sum()
    assert abs(int(areas[0]) - int(areas[1])) <= 0.1 * areas[0]
    assert labels[40, 40] != labels[40, 57]
    assert label_nuclei(mask, separate=False).max() == 1


def test_a_chain_and_a_corner():
    assert label_nuclei(disks((40, 20), (40, 37), (40, 54), (40, 71))).max() == 4
    assert label_nuclei(disks((30, 30), (30, 47), (47, 47))).max() == 3


def test_one_long_nucleus_stays_whole():
    y, x = np.mgrid[:80, :120]
    ellipse = ((y - 40) / 9) ** 2 + ((x - 60) / 30) ** 2 <= 1
    assert label_nuclei(ellipse).max() == 1


def test_a_rough_outline_does_not_shatter_a_nucleus():
    rng = np.random.default_rng(5)
    rough = ndimage.gaussian_filter(disks((40, 60), radius=18) + rng.normal(0, 0.4, (80, 120)), 2)
    assert label_nuclei(rough > 0.5, min_area=20).max() == 1


def test_the_same_nuclei_at_half_the_pixel_size_split_alike():
    mask = disks((40, 40), (40, 57))
    fine = np.kron(mask, np.ones((2, 2), bool))
    assert label_nuclei(mask, pixel_size_um=0.25).max() == 2
    assert label_nuclei(fine, pixel_size_um=0.125).max() == 2


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 1))
)
def test_without_splitting_labels_are_the_8_connected_components(mask):
    labels = label_nuclei(mask, separate=False, fill_holes=False)
    expected, count = ndimage.label(mask, structure=np.ones((3, 3)))
    assert labels.max(initial=0) == count
    assert np.array_equal(labels, expected)  # both number in reading order


@given(
    arrays(
        np.float32, st.tuples(st.integers(3, 30), st.integers(3, 30)), elements=st.integers(0, 4)
    )
)
def test_regional_maxima_are_those_of_scikit_image(heights):
    inside = heights > 0
    flat = heights.min() == heights.max()  # then scikit-image finds nothing
    expected = inside if flat else local_maxima(heights, connectivity=2) & inside
    found = regional_maxima(heights, inside)
    labels, count = ndimage.label(expected, structure=np.ones((3, 3)))
    assert found.max() == count
    assert np.array_equal(found > 0, expected)
    pairs = np.unique(np.stack([labels[expected], found[expected]]), axis=1)
    assert pairs.shape[1] == count  # one label for each plateau


HANGS_ON_BY_A_CORNER = np.ones((2, 47), np.uint8)
HANGS_ON_BY_A_CORNER[[0, 0, 0, 1], [3, 33, 35, 34]] = 0


@example(HANGS_ON_BY_A_CORNER)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60)), elements=st.integers(0, 1))
)
def test_splitting_keeps_the_mask_and_numbers_consecutively(mask):
    labels = label_nuclei(mask, fill_holes=False)
    assert np.array_equal(labels > 0, mask > 0)
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, labels.max(initial=0) + 1))
    for label in range(1, labels.max(initial=0) + 1):
        assert ndimage.label(labels == label, structure=np.ones((3, 3)))[1] == 1


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_else_is_in_the_image_changes_nothing(dy, dx):
    pair = disks((15, 15), (15, 31), radius=9, shape=(32, 46))
    alone = label_nuclei(pair)
    image = np.zeros((120, 200), bool)
    image[40 + dy : 72 + dy, 40 + dx : 86 + dx] = pair
    image |= disk(image.shape, (20, 170), 14)
    there = label_nuclei(image)[40 + dy : 72 + dy, 40 + dx : 86 + dx]
    assert np.array_equal(there > 0, alone > 0)
    pairs = np.unique(np.stack([there[pair], alone[pair]]), axis=1)
    assert pairs.shape[1] == alone.max() == 2


def test_only_the_wanted_components_are_separated():
    left, right = disks((20, 20), (37, 20)), disks((20, 70), (37, 70))
    parts, statistics = find_components(left | right)
    wanted = np.zeros(len(statistics), bool)
    wanted[parts[20, 70]] = True
    some, everything = (separate_touching(parts, statistics, wanted=w) for w in (wanted, None))
    assert len(np.unique(some[left])) == 1
    assert len(np.unique(some[right])) == 2
    np.testing.assert_array_equal(renumber(some * right, np.zeros(9, bool)), label_nuclei(right))
    assert len(np.unique(everything)) == 1 + 4


def test_small_holes_are_filled_and_gaps_between_nuclei_are_not():
    mask = disks((40, 60), radius=35)
    mask &= ~disk(mask.shape, (40, 50), 3) & ~disk(mask.shape, (40, 75), 12)
    labels = label_nuclei(mask, separate=False)
    assert labels[40, 50] == 1
    assert labels[40, 75] == 0
    assert label_nuclei(mask, separate=False, fill_holes=False)[40, 50] == 0


def test_a_hole_open_to_the_border_stays():
    mask = np.ones((9, 9), np.uint8)
    mask[4, :3] = 0
    assert fill_small_holes(mask, 100)[4, 0] == 0
    mask[4, 0] = 1
    assert fill_small_holes(mask, 100).all()
    assert not fill_small_holes(mask, 1).all()


def test_diagonal_background_is_a_hole():
    mask = np.ones((5, 5), np.uint8)
    mask[1, 1] = mask[2, 2] = 0
    assert fill_small_holes(mask, 1).all()


@pytest.mark.parametrize(("min_area", "count"), [(0, 2), (5, 1), (10_000, 0)])
def test_smallest_area(min_area, count):
    mask = np.zeros((40, 40), bool)
    mask[0:2, 0:2] = True
    mask[10:20, 10:20] = True
    assert label_nuclei(mask, min_area=min_area).max() == count


def test_nuclei_at_the_border_can_be_dropped():
    mask = disks((40, 60), (0, 20), (79, 100), (30, 0))
    assert label_nuclei(mask).max() == 4
    cleared = label_nuclei(mask, clear_border=True)
    assert cleared.max() == 1
    assert cleared[40, 60] == 1


def test_blank_and_full():
    assert label_nuclei(np.zeros((7, 5), np.uint8)).max() == 0
    assert np.array_equal(label_nuclei(np.ones((7, 5), np.uint8)), np.ones((7, 5)))


def test_renumber_by_first_pixel():
    labels = np.array([[0, 7, 7], [3, 0, 7], [3, 5, 5]], dtype=np.int32)
    drop = np.zeros(8, bool)
    assert np.array_equal(renumber(labels, drop), [[0, 1, 1], [2, 0, 1], [2, 3, 3]])
    drop[3] = True
    assert np.array_equal(renumber(labels, drop), [[0, 1, 1], [0, 0, 1], [0, 2, 2]])
