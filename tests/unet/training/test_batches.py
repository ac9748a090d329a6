import threading

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.unet.engine import selection

selection.load_engine()

from napari_snow_unet.unet.runs.dataset import open_training_set  # noqa: E402
from napari_snow_unet.unet.runs.options import make_options  # noqa: E402
from napari_snow_unet.unet.training.batches import TrainingBatches, ValidationBatches  # noqa: E402


@pytest.fixture
def tiles(discs):
    return open_training_set(discs, validation_fraction=0.3)


OPTIONS = make_options(crop=32, batch_size=4, levels=3)


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_batches_have_the_shapes_and_types_keras_is_given(tiles):
    pixels, truth = TrainingBatches(tiles, OPTIONS)[0]
    assert pixels.shape == truth.shape == (4, 32, 32, 1)
    assert (pixels.dtype, truth.dtype) == (np.float32, np.uint8)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_batch_is_the_same_in_any_order_and_from_any_number_of_threads(tiles, workers):
    plain = TrainingBatches(tiles, OPTIONS, workers=0)
    batches = TrainingBatches(tiles, OPTIONS, workers=workers, cache_bytes=0)
    for index in (0, 1, 0, 7, 3, 4, 5, 30):
        assert equal(batches[index], plain.compute(index))
    batches.close()


def test_a_resumed_training_goes_on_with_the_batch_that_comes_next(tiles):
    whole, rest = (TrainingBatches(tiles, OPTIONS, first=first, workers=0) for first in (0, 9))
    assert all(equal(whole[9 + i], rest[i]) for i in range(5))


def test_epochs_differ_and_seeds_differ(tiles):
    batches = TrainingBatches(tiles, OPTIONS, workers=0)
    assert not equal(batches[0], batches[batches.plan.batches])
    other = TrainingBatches(tiles, make_options(crop=32, batch_size=4, levels=3, seed=1))
    assert not equal(batches[0], other.compute(0))


def test_whole_tiles_of_the_paper_are_the_files(tiles):
    options = make_options("paper", batch_size=7)
    pixels, truth = TrainingBatches(tiles, options, workers=0)[0]
    assert pixels.shape == (7, 48, 48, 1)
    masks = {(read_labels(tile.mask) > 0).tobytes() for tile in tiles.train}
    assert {(each[..., 0] > 0).tobytes() for each in truth} == masks


def test_validation_shows_every_pixel_of_every_tile_once(tiles):
    options = make_options(levels=4)
    batches = ValidationBatches(tiles, options.network(), most_pixels=2 * 48 * 48)
    assert batches.num_batches == 2
    truth = np.concatenate([batches[i][1] for i in range(2)])
    expected = [(read_labels(tile.mask) > 0).sum() for tile in tiles.validation]
    assert (truth == 1).sum() == sum(expected)
    assert truth.size == 3 * 48 * 48
    again = np.concatenate([batches[i][1] for i in range(2)])
    assert np.array_equal(truth, again)
    batches.close()


def test_a_file_that_vanishes_is_named_by_the_thread_that_missed_it(tiles, discs, tmp_path):
    from dataclasses import replace

    gone = replace(tiles.train[0], image=tmp_path / "gone.png")
    batches = TrainingBatches(replace(tiles, train=(gone,)), OPTIONS, cache_bytes=0)
    with pytest.raises(InputError, match=r"gone\.png"):
        batches[0]
    assert isinstance(batches.failure, InputError)
    batches.close()


def test_closing_ends_the_threads(tiles):
    before = threading.active_count()
    batches = TrainingBatches(tiles, OPTIONS, workers=3)
    batches[0]
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before
