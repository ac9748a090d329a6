"""An evaluation as plain values: what the JSON holds and the tables show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from napari_snow_unet.data.masks.notes import by_gist
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.scores.score_names import COUNT_KEYS, TITLES
from napari_snow_unet.metrics.scores.summary import (
    Mean,
    mean_scores,
    mean_with_interval,
    most_different,
    paired_differences,
)
from napari_snow_unet.metrics.scores.tile import Scores


def document(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Describe evaluations in values for JSON: the first in full, the others under ``compare``."""
    first, *others = evaluations
    result = _describe(first)
    if others:
        result["compare"] = [
            {
                **_describe(other),
                "difference": _differences(paired_differences(first.tiles, other.tiles)),
                "most_different": [
                    {"name": name, "dice": difference}
                    for name, difference in most_different(first.tiles, other.tiles)
                ],
            }
            for other in others
        ]
    return result


def _describe(evaluation: Evaluation) -> dict[str, Any]:
    means = mean_scores(evaluation.tiles)
    result: dict[str, Any] = {
        "prediction": evaluation.task.name,
        "tiles": [
            {"name": name, **scores, **_at(evaluation.tiles_at.get(name, {}))}
            for name, scores in evaluation.tiles.items()
        ],
        "pooled": {**evaluation.pooled_scores, **_at(evaluation.pooled.scores_at())},
        "mean": {key: mean.value for key, mean in means.items()},
        "mean_interval_95": {key: _interval(mean) for key, mean in means.items()},
        "mean_tiles": {key: mean.n for key, mean in means.items()},
        "average_hausdorff_unit": distance_unit(evaluation),
        "missing": evaluation.missing,
        "without_truth": evaluation.without_truth,
        "without_probability": evaluation.without_probability,
        "assumed": [{"name": name, "of": what} for name, what in evaluation.assumed.items()],
        "noted": [
            {"name": name, "of": "; ".join(map(str, notes))}
            for name, notes in evaluation.noted.items()
        ],
        "failed": [{"name": name, "reason": why} for name, why in evaluation.failed.items()],
    }
    if evaluation.tiles_at:
        result["mean"] |= _at(
            {
                level: {key: mean.value for key, mean in scores.items()}
                for level, scores in means_at(evaluation).items()
            }
        )
    return result


def means_at(evaluation: Evaluation) -> dict[str, dict[str, Mean]]:
    """Average the scores of the probability maps at each threshold over tiles."""
    tiles = list(evaluation.tiles_at.values())
    return {
        level: {
            key: mean_with_interval([tile[level][key] for tile in tiles]) for key in tiles[0][level]
        }
        for level in (tiles[0] if tiles else {})
    }


def threshold_rows(evaluation: Evaluation) -> Iterable[list[str]]:
    """Write the scores of the probability maps: pooled and mean at Otsu's level, then at 0.5."""
    pooled, means = evaluation.pooled.scores_at(), means_at(evaluation)
    for key in means["otsu"]:
        row = [TITLES[key]]
        for level in ("otsu", "0.5"):
            row.append(score_in_words(key, pooled[level][key] if pooled else None))
            row.append(score_in_words(key, means[level][key].value))
        yield row


def distance_unit(evaluation: Evaluation) -> str:
    """Return the unit of the average Hausdorff distance."""
    return "um" if evaluation.task.pixel_size_um else "pixel"


def score_in_words(key: str, value: float | None) -> str:
    """Write a score for people; a dash where it is undefined."""
    if value is None:
        return "\N{EN DASH}"
    if key in COUNT_KEYS:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{value:.2f}" if key == "average_hausdorff" else f"{value:.4f}"


def shown_difference(key: str, value: float | None) -> str:
    """Write a difference of scores for people, with its sign."""
    return ("+" if value is not None and value > 0 else "") + score_in_words(key, value)


def shown_interval(key: str, mean: Mean, *, of_difference: bool = False) -> str:
    """Write a confidence interval for people."""
    if mean.low is None or mean.high is None:
        return ""
    write = shown_difference if of_difference else score_in_words
    return f"{write(key, mean.low)} to {write(key, mean.high)}"


def title_of(key: str, evaluation: Evaluation) -> str:
    """Name a score for people, with its unit where it has one."""
    if key == "average_hausdorff":
        unit = {"um": "µm", "pixel": "pixels"}[distance_unit(evaluation)]
        return f"{TITLES[key]} ({unit})"
    return TITLES[key]


def tiles_in_words(evaluation: Evaluation) -> str:
    """Say of how many tiles, or slices of stacks, the scores are."""
    n = len(evaluation.tiles)
    slices = sum(bool(index) for _, index in evaluation.planes.values())
    if not slices:
        return f"{n} tiles"
    return f"{n} slices" if slices == n else f"{n} tiles and slices"


def problems(evaluation: Evaluation) -> Iterable[str]:
    """Say in sentences what is not in the numbers."""
    yield from evaluation.task.notes
    if evaluation.missing:
        yield f"{len(evaluation.missing)} truths without a prediction: {_some(evaluation.missing)}"
    if evaluation.without_truth:
        names = _some(evaluation.without_truth)
        yield f"{len(evaluation.without_truth)} predictions without a truth, left out: {names}"
    if evaluation.without_probability:
        names = _some(evaluation.without_probability)
        yield (
            f"{len(evaluation.without_probability)} tiles without a probability map, so there is "
            f"no pooled ROC-AUC: {names}"
        )
    if not evaluation.has_pixels:
        yield "The region leaves no pixel inside in any tile, so that nothing is measured."
    for what, tiles in _by_text(evaluation.assumed):
        yield f"Probability maps {what}: {_some(tiles)}"
    for gist, tiles in by_gist(evaluation.noted).items():
        yield f"Note on {_some(tiles)}: {gist}"
    for why, tiles in _by_text(evaluation.failed):
        yield f"Failed: {_some(tiles)}: {why}"


def _by_text(texts: Mapping[str, str]) -> Iterable[tuple[str, list[str]]]:
    """List what is said of several tiles once, with their names."""
    tiles: dict[str, list[str]] = {}
    for name, text in texts.items():
        tiles.setdefault(text, []).append(name)
    return tiles.items()


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _at(scores: Mapping[str, Scores]) -> dict[str, Any]:
    return {"at": dict(scores)} if scores else {}


def _interval(mean: Mean) -> list[float] | None:
    return None if mean.low is None or mean.high is None else [mean.low, mean.high]


def _differences(means: Mapping[str, Mean]) -> dict[str, Any]:
    return {
        key: {"mean": mean.value, "interval_95": _interval(mean), "tiles": mean.n}
        for key, mean in means.items()
    }
