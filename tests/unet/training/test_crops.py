from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs.tiles import TrainingTile
from napari_snow_unet.unet.training.crops import (
    CropPlan,
    cut_window,
    group_windows,
    require_equal_sizes,
    validation_windows,
)
from napari_snow_unet.unet.training.tile_reader import IGNORED, TrainingArrays

SIZES = st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), min_size=1, max_size=6)


def test_an_epoch_shows_as_many_pixels_as_the_tiles_have():
    plan = CropPlan(((512, 512), (256, 256), (100, 90)), 128, 4, 0)
    assert plan.batches == -(-(16 + 4 + 1) // 4)
    shown = [tile for batch in range(plan.batches) for tile, _ in plan.batch(0, batch)]
    assert np.bincount(shown).tolist() == [16, 4, 1]


def test_a_heavier_tile_is_shown_more_often_and_none_is_left_out():
    plan = CropPlan(((512, 512), (512, 512), (128, 128)), 128, 4, 0, (0.5, 3.0, 0.01))
    shown = [tile for batch in range(plan.batches) for tile, _ in plan.batch(0, batch)]
    assert np.bincount(shown).tolist() == [8, 48, 1]


def test_whole_tiles_are_shown_once_per_epoch_in_another_order_each_time():
    plan = CropPlan(((64, 64),) * 10, None, 3, 0)
    epochs = [[t for b in range(4) for t, _ in plan.batch(e, b)] for e in range(3)]
    assert all(sorted(order) == list(range(10)) for order in epochs)
    assert len({tuple(order) for order in epochs}) == 3
    assert len(plan.batch(0, 3)) == 1


def test_random_numbers_are_a_function_of_seed_epoch_and_place():
    def first(seed, epoch, batch):
        plan = CropPlan(((64, 64),) * 10, None, 3, seed)
        return tuple(rng.random() for _, rng in plan.batch(epoch, batch))

    assert first(1, 2, 1) == first(1, 2, 1)
    assert len({first(s, e, b) for s in range(3) for e in range(3) for b in range(3)}) == 27


def tile(name, height, width):
    return TrainingTile(name, Path(f"{name}.png"), Path("m.png"), None, height, width)


def test_mixed_sizes_are_refused_and_one_of_the_rare_ones_is_named():
    require_equal_sizes([tile("a", 5, 6), tile("b", 5, 6)])
    with pytest.raises(InputError, match=r"odd\.png.*7 x 6.*5 x 6"):
        require_equal_sizes([tile("a", 5, 6), tile("odd", 7, 6), tile("b", 5, 6)])


@given(SIZES)
def test_validation_windows_cover_every_pixel_once(sizes):
    seen = [np.zeros(size, np.uint8) for size in sizes]
    for window in validation_windows(sizes):
        assert window.height <= 1024
        assert window.width <= 1024
        part = np.s_[window.y : window.y + window.height, window.x : window.x + window.width]
        seen[window.tile][part] += 1
    assert all((each == 1).all() for each in seen)


@given(SIZES, st.sampled_from([4, 16, 64]), st.integers(1, 10**7))
def test_windows_of_a_group_have_one_size_and_few_enough_pixels(sizes, stride, most):
    windows = validation_windows(sizes)
    groups = group_windows(windows, stride, most)
    assert sorted(map(repr, windows)) == sorted(repr(w) for group in groups for w in group)
    for group in groups:
        (shape,) = {window.padded(stride) for window in group}
        assert shape[0] % stride == shape[1] % stride == 0
        assert len(group) == 1 or len(group) * shape[0] * shape[1] <= most


@given(SIZES)
def test_the_first_two_groups_differ_in_every_dimension_in_which_any_differ(sizes):
    """Keras takes from them which dimensions vary, and refuses others at the end of an epoch."""
    windows = validation_windows(sizes)
    groups = group_windows(windows, 16, 512**2)
    assert sorted(map(str, windows)) == sorted(str(each) for group in groups for each in group)
    padded = np.array([group[0].padded(16) for group in groups])
    varying = (padded != padded[0]).any(0)
    assert np.array_equal((padded[:2] != padded[0]).any(0), varying)


def test_a_window_is_filled_up_with_pixels_that_do_not_count():
    rng = np.random.default_rng(0)
    arrays = TrainingArrays(
        rng.integers(0, 255, (20, 33, 1), np.uint8), np.ones((20, 33), np.uint8)
    )
    (window,) = validation_windows([(20, 33)])
    cut = cut_window(arrays, window, 16)
    assert cut.pixels.shape == (32, 48, 1)
    assert np.array_equal(cut.pixels[:20, :33], arrays.pixels)
    assert np.array_equal(cut.pixels[20], cut.pixels[19])
    assert (cut.truth[:20, :33] == 1).all()
    assert (cut.truth == IGNORED).sum() == 32 * 48 - 20 * 33
