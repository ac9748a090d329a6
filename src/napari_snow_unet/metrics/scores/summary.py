"""Means over tiles with confidence intervals, and paired differences between predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_snow_unet.metrics.scores.score_names import KEYS
from napari_snow_unet.metrics.scores.tile import Scores

RESAMPLES = 2000
SEED = 0
_AT_ONCE = 100  # resamples drawn together: 32 MB for 20,000 tiles


@dataclass(frozen=True)
class Mean:
    """Mean of a score over the tiles in which it is defined, and its 95 % confidence interval."""

    value: float | None  # None without any tile
    low: float | None  # None with fewer than two tiles
    high: float | None
    n: int  # tiles


def mean_with_interval(values: Sequence[float | None]) -> Mean:
    """Average the values of tiles, without None, with a bootstrap 95 % confidence interval.

    Notes
    -----
    The percentile bootstrap [1]_: tiles are resampled with replacement 2,000 times, and the
    interval holds the middle 95 % of the means. The random seed is fixed, so the same tiles give
    the same interval. It covers other tiles of the same kind, not other patients or laboratories.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.
    """
    defined = np.array([value for value in values if value is not None], float)
    if defined.size == 0:
        return Mean(None, None, None, 0)
    if defined.size == 1:
        return Mean(float(defined[0]), None, None, 1)
    generator = np.random.default_rng(SEED)
    means = [
        defined[generator.integers(defined.size, size=(_AT_ONCE, defined.size))].mean(axis=1)
        for _ in range(RESAMPLES // _AT_ONCE)
    ]
    low, high = np.percentile(means, (2.5, 97.5))
    return Mean(float(defined.mean()), float(low), float(high), defined.size)


def mean_scores(tiles: Mapping[str, Scores]) -> dict[str, Mean]:
    """Average every score over tiles; without tiles every score is undefined."""
    keys = next(iter(tiles.values()), dict.fromkeys(KEYS))
    return {key: mean_with_interval([scores[key] for scores in tiles.values()]) for key in keys}


def in_all(every: Sequence[Mapping[str, Scores]]) -> list[dict[str, Scores]]:
    """Restrict the scores of several predictions to the tiles that all of them have."""
    names = [name for name in every[0] if all(name in tiles for tiles in every)]
    return [{name: tiles[name] for name in names} for tiles in every]


def paired_differences(first: Mapping[str, Scores], other: Mapping[str, Scores]) -> dict[str, Mean]:
    """Average the differences ``other - first`` of every score over the tiles both have."""
    both = [name for name in first if name in other]
    keys = next(iter(first.values()))
    return {
        key: mean_with_interval([_minus(other[name][key], first[name][key]) for name in both])
        for key in keys
    }


def most_different(
    first: Mapping[str, Scores], other: Mapping[str, Scores], key: str = "dice", n: int = 5
) -> list[tuple[str, float]]:
    """Return the tiles with the largest differences ``other - first``, without equal ones."""
    differences = [
        (name, difference)
        for name in first
        if name in other
        and (difference := _minus(other[name][key], first[name][key])) is not None
        and difference != 0
    ]
    return sorted(differences, key=lambda pair: (-abs(pair[1]), pair[0]))[:n]


def representative(
    tiles: Mapping[str, Scores], key: str = "dice", n: int = 3
) -> dict[str, list[str]]:
    """Choose `n` best, median and worst tiles, or a third of all if there are fewer than 3 `n`."""
    ranked = [(value, name) for name, scores in tiles.items() if (value := scores[key]) is not None]
    names = [name for _, name in sorted(ranked, key=lambda pair: -pair[0])]
    n = min(n, max(1, len(names) // 3))
    best, names = names[:n], names[n:]
    worst, names = names[::-1][:n], names[: max(0, len(names) - n)]
    middle = max(0, (len(names) - n) // 2)
    return {"best": best, "median": names[middle : middle + n], "worst": worst}


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
