"""Pixel scores against cases done by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import trapezoid
from sklearn import metrics as sk

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.metrics.scores import pixel

TRUTH = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 7]])
FOUND = np.array([[3, 0, 0], [0, 2, 0], [0, 0, 1]])
MASKS = hnp.arrays(bool, (2, 7, 9))


def test_scores_as_fractions() -> None:
    counts = pixel.count_pixels(FOUND, TRUTH)
    assert counts == pixel.PixelCounts(2, 1, 1, 5)
    assert pixel.pixel_scores(counts) == {
        "accuracy": 7 / 9,
        "precision": 2 / 3,
        "recall": 2 / 3,
        "specificity": 5 / 6,
        "dice": 4 / 6,
        "iou": 2 / 4,
    }


def test_region_limits_the_count() -> None:
    region = np.array([[1, 1, 1], [0, 0, 0], [0, 0, 0]], bool)
    assert pixel.count_pixels(FOUND, TRUTH, region=region) == pixel.PixelCounts(1, 0, 1, 1)
    histograms = pixel.histogram_counts((FOUND * 80).astype(np.uint8), TRUTH, region=region)
    assert histograms.sum() == 3
    assert histograms[1, 240] == 1


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        (0, 0, (1.0, None, None, 1.0, None, None)),
        (1, 0, (0.0, None, 0.0, None, 0.0, 0.0)),
        (0, 1, (0.0, 0.0, None, 0.0, 0.0, 0.0)),
        (1, 1, (1.0, 1.0, 1.0, None, 1.0, 1.0)),
    ],
)
def test_empty_cases(truth: int, found: int, expected: tuple[float | None, ...]) -> None:
    counts = pixel.count_pixels(np.full((4, 4), found), np.full((4, 4), truth))
    assert tuple(pixel.pixel_scores(counts).values()) == expected


def test_no_pixel_has_no_score() -> None:
    assert set(pixel.pixel_scores(pixel.PixelCounts()).values()) == {None}
    assert pixel.roc_auc(np.zeros((2, 256), np.int64)) is None
    assert pixel.roc_curve(np.zeros((2, 256), np.int64)) is None


@given(MASKS)
def test_scores_equal_scikit_learn(masks: np.ndarray) -> None:
    found, truth = masks
    mine = pixel.pixel_scores(pixel.count_pixels(found, truth))
    t, p = truth.ravel(), found.ravel()
    theirs = {
        "accuracy": sk.accuracy_score(t, p),
        "precision": sk.precision_score(t, p, zero_division=np.nan),
        "recall": sk.recall_score(t, p, zero_division=np.nan),
        "specificity": sk.recall_score(~t, ~p, zero_division=np.nan),
        "dice": sk.f1_score(t, p, zero_division=np.nan),
        "iou": sk.jaccard_score(t, p, zero_division=0) if (t | p).any() else np.nan,
    }
    got = {key: np.nan if value is None else value for key, value in mine.items()}
    assert got == pytest.approx(theirs, abs=1e-12, nan_ok=True)


@settings(max_examples=50)
@given(hnp.arrays(np.uint8, (7, 9)), hnp.arrays(bool, (7, 9)))
def test_auc_and_roc_equal_scikit_learn(probability: np.ndarray, truth: np.ndarray) -> None:
    histograms = pixel.histogram_counts(probability, truth)
    if truth.all() or not truth.any():
        assert pixel.roc_auc(histograms) is None
        return
    theirs = sk.roc_auc_score(truth.ravel(), probability.ravel())
    assert pixel.roc_auc(histograms) == pytest.approx(theirs, abs=1e-12)
    curve = pixel.roc_curve(histograms)
    assert curve is not None
    assert trapezoid(curve[1], curve[0]) == pytest.approx(theirs, abs=1e-12)


@given(hnp.arrays(np.uint8, (5, 6)), hnp.arrays(bool, (5, 6)), st.integers(-1, 255))
def test_histograms_give_the_counts_of_every_level(
    probability: np.ndarray, truth: np.ndarray, level: int
) -> None:
    histograms = pixel.histogram_counts(probability, truth)
    mask = probability.astype(int) > level
    assert pixel.counts_above(histograms, level) == pixel.count_pixels(mask, truth)


@given(MASKS)
def test_swapping_swaps_precision_and_recall(masks: np.ndarray) -> None:
    one = pixel.pixel_scores(pixel.count_pixels(masks[0], masks[1]))
    other = pixel.pixel_scores(pixel.count_pixels(masks[1], masks[0]))
    assert (one["precision"], one["recall"]) == (other["recall"], other["precision"])
    assert one["dice"] == other["dice"]


@given(MASKS, MASKS)
def test_tiles_pooled_equal_the_mosaic(one: np.ndarray, two: np.ndarray) -> None:
    pooled = pixel.count_pixels(one[0], one[1]) + pixel.count_pixels(two[0], two[1])
    assert pooled == pixel.count_pixels(*np.concatenate([one, two], axis=1))


def test_a_billion_pixels_per_bin_stay_exact() -> None:
    histograms = np.full((2, 256), 10**15, np.int64)
    assert pixel.roc_auc(histograms) == 0.5


def test_blocks_do_not_change_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    probability, truth = random.integers(0, 256, (50, 60), np.uint8), random.random((50, 60)) > 0.5
    whole = pixel.histogram_counts(probability, truth)
    monkeypatch.setattr(pixel, "_BLOCK", 701)
    assert np.array_equal(pixel.histogram_counts(probability, truth), whole)


def test_refusals_name_what_came() -> None:
    with pytest.raises(InputError, match=r"2 x 3.*3 x 2"):
        pixel.count_pixels(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(InputError, match="float32"):
        pixel.histogram_counts(np.zeros((2, 2), np.float32), np.zeros((2, 2)))  # type: ignore[arg-type]
