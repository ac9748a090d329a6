import numpy as np
import pytest

from napari_snow_unet.metrics.scores import pixel
from napari_snow_unet.unet.engine import selection

selection.load_engine()

from napari_snow_unet.unet.training.scores import PixelScores  # noqa: E402


def result(*batches, by_sorting=False):
    scores = PixelScores(by_sorting=by_sorting)
    for truth, probability in batches:
        scores.update_state(truth, probability)
    return {name: float(value) for name, value in scores.result().items()}


def batch(seed, annotated=1.0):
    rng = np.random.default_rng(seed)
    truth = (rng.random((2, 16, 24, 1)) < 0.3).astype(np.uint8)
    probability = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0, 1).astype(np.float32)
    truth[rng.random(truth.shape) >= annotated] = 255
    return truth, probability


@pytest.mark.parametrize("by_sorting", [False, True])
def test_they_are_the_scores_of_the_evaluation(by_sorting):
    batches = [batch(seed, 0.7) for seed in range(3)]
    histograms = sum(
        pixel.histogram_counts(
            np.rint(probability * 255).astype(np.uint8), truth == 1, region=truth != 255
        )
        for truth, probability in batches
    )
    found = result(*batches, by_sorting=by_sorting)
    expected = pixel.pixel_scores(pixel.counts_above(histograms, 127))
    expected["auc"] = pixel.roc_auc(histograms)
    for name, value in found.items():
        assert value == pytest.approx(expected[name], abs=1e-6), name
    assert list(found) == ["accuracy", "auc", "precision", "recall", "dice"]


def test_they_are_those_of_scikit_learn():
    from sklearn import metrics

    truth, probability = (array.ravel() for array in batch(5))
    level = np.rint(probability * 255)
    found = result((truth.reshape(1, -1, 1, 1), probability.reshape(1, -1, 1, 1)))
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, level), abs=1e-6)
    assert found["dice"] == pytest.approx(metrics.f1_score(truth, level >= 128), abs=1e-6)


def test_a_score_with_nothing_to_divide_by_is_not_a_number():
    empty = np.zeros((1, 2, 2, 1), np.uint8), np.zeros((1, 2, 2, 1), np.float32)
    found = result(empty)
    assert found["accuracy"] == 1
    assert all(np.isnan(found[name]) for name in ("auc", "precision", "recall", "dice"))


def test_an_epoch_begins_with_nothing_counted():
    scores = PixelScores()
    scores.update_state(*batch(0))
    scores.reset_state()
    scores.update_state(*batch(1))
    again = {name: float(value) for name, value in scores.result().items()}
    assert again == result(batch(1))


def test_billions_of_pixels_are_counted_exactly():
    scores = PixelScores()
    scores.counts.assign(np.full(512, 2**33 + 1))
    scores.update_state(np.zeros((1, 1, 1, 1), np.uint8), np.zeros((1, 1, 1, 1), np.float32))
    assert int(scores.counts.numpy()[0]) == 2**33 + 2
