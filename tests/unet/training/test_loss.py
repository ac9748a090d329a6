import numpy as np
import pytest

from napari_snow_unet.unet.engine import selection

selection.load_engine()

import keras  # noqa: E402

from napari_snow_unet.unet.training.loss import PixelLoss  # noqa: E402


def loss(truth, probability, with_dice=False):
    shape = (1, 1, -1, 1)
    truth = np.array(truth, np.uint8).reshape(shape)
    probability = np.array(probability, np.float32).reshape(shape)
    return float(keras.ops.convert_to_numpy(PixelLoss(with_dice)(truth, probability)))


def test_cross_entropy_by_hand():
    expected = -(np.log(0.8) + np.log(1 - 0.3)) / 2
    assert loss([1, 0], [0.8, 0.3]) == pytest.approx(expected, rel=1e-5)


def test_soft_dice_by_hand():
    entropy = -(np.log(0.8) + np.log(1 - 0.3)) / 2
    dice = (2 * 0.8 + 1) / (1 + 1.1 + 1)
    assert loss([1, 0], [0.8, 0.3], True) == pytest.approx(entropy + 1 - dice, rel=1e-5)


def test_it_is_what_keras_computes_where_everything_is_annotated():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (2, 8, 8, 1)).astype(np.float32)
    probability = rng.random((2, 8, 8, 1), np.float32)
    theirs = keras.losses.BinaryCrossentropy()(truth, probability)
    assert float(PixelLoss(False)(truth, probability)) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("with_dice", [False, True])
def test_what_nobody_has_annotated_changes_nothing(with_dice):
    part = loss([1, 0], [0.8, 0.3], with_dice)
    for unknown in (0.0, 0.5, 1.0):
        whole = loss([1, 0, 255, 255], [0.8, 0.3, unknown, 0.9], with_dice)
        assert whole == pytest.approx(part, rel=1e-6)


def test_a_batch_without_annotation_costs_nothing():
    assert loss([255, 255], [0.8, 0.3], False) == 0
    assert loss([255, 255], [0.8, 0.3], True) == 0
