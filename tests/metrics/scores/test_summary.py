"""Means, intervals and paired differences."""

import numpy as np
import pytest

from napari_snow_unet.metrics.scores import summary


def tiles(values: list) -> dict:
    return {f"t{k}": {"dice": value, "pq": 0.5} for k, value in enumerate(values)}


def test_mean_leaves_out_what_is_undefined() -> None:
    mean = summary.mean_with_interval([0.5, None, 1.0])
    assert (mean.value, mean.n) == (0.75, 2)
    assert (mean.low, mean.high) == (0.5, 1.0)
    assert summary.mean_with_interval([None]) == summary.Mean(None, None, None, 0)
    assert summary.mean_with_interval([0.3]) == summary.Mean(0.3, None, None, 1)


def test_interval_is_that_of_the_central_limit_theorem_and_repeats() -> None:
    values = np.random.default_rng(3).normal(0.8, 0.1, 400)
    mean = summary.mean_with_interval(values.tolist())
    half = 1.96 * values.std(ddof=1) / 20
    assert mean.low == pytest.approx(values.mean() - half, abs=half / 8)
    assert mean.high == pytest.approx(values.mean() + half, abs=half / 8)
    assert summary.mean_with_interval(values.tolist()) == mean


@pytest.mark.parametrize("n", [2, 50, 333])
def test_interval_is_that_of_its_definition_to_the_last_digit(n: int) -> None:
    values = np.random.default_rng(3).random(n)
    drawn = values[np.random.default_rng(0).integers(n, size=(2000, n))]
    mean = summary.mean_with_interval(values.tolist())
    assert [mean.low, mean.high] == np.percentile(drawn.mean(axis=1), (2.5, 97.5)).tolist()


def test_mean_scores_by_key() -> None:
    means = summary.mean_scores(tiles([0.2, 0.4]))
    assert means["dice"].value == pytest.approx(0.3)
    assert (means["pq"].low, means["pq"].high) == (0.5, 0.5)


def test_differences_are_paired() -> None:
    first, other = tiles([0.1, 0.9, None, 0.5]), tiles([0.2, 1.0, 0.7])
    difference = summary.paired_differences(first, other)["dice"]
    assert (difference.value, difference.n) == (pytest.approx(0.1), 2)
    assert difference.low == pytest.approx(0.1)  # the tiles vary, the difference does not
    assert summary.most_different(first, tiles([0.0, 0.5, 1, 0.5])) == [
        ("t1", -0.4),
        ("t0", -0.1),
    ]


@pytest.mark.parametrize(
    ("values", "best", "median", "worst"),
    [
        ([0.5], ["t0"], [], []),
        ([0.5, 0.7], ["t1"], [], ["t0"]),
        ([0.5, 0.7, 0.6, None], ["t1"], ["t2"], ["t0"]),
        (
            [k / 20 for k in range(11)],
            ["t10", "t9", "t8"],
            ["t6", "t5", "t4"],
            ["t0", "t1", "t2"],
        ),
    ],
)
def test_representative_tiles(values: list, best: list, median: list, worst: list) -> None:
    chosen = summary.representative(tiles(values))
    assert chosen == {"best": best, "median": median, "worst": worst}
