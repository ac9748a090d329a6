"""Evaluations as plain values, for JSON and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from napari_snow_unet.base.words import counted
from napari_snow_unet.data.masks.notes import by_gist
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.report import messages
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
    """Describe evaluations as values for JSON, all but the first one under ``compare``."""
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
        "assumed": [{"name": name, "of": text} for name, text in evaluation.assumed.items()],
        "noted": [
            {"name": name, "of": "; ".join(map(str, notes))}
            for name, notes in evaluation.noted.items()
        ],
        "failed": [{"name": name, "reason": text} for name, text in evaluation.failed.items()],
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
    """Average the scores of probability maps over tiles, at each threshold."""
    tiles = list(evaluation.tiles_at.values())
    return {
        level: {
            key: mean_with_interval([tile[level][key] for tile in tiles]) for key in tiles[0][level]
        }
        for level in (tiles[0] if tiles else {})
    }


def threshold_rows(evaluation: Evaluation) -> Iterable[list[str]]:
    """Return rows of probability map scores: pooled and mean at Otsu's threshold, then at 0.5."""
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
    """Format a score for people; a dash if it is undefined."""
    if value is None:
        return "\N{EN DASH}"
    if key in COUNT_KEYS:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{value:.2f}" if key == "average_hausdorff" else f"{value:.4f}"


def shown_difference(key: str, value: float | None) -> str:
    """Format a difference of scores for people, with its sign."""
    return ("+" if value is not None and value > 0 else "") + score_in_words(key, value)


def shown_interval(key: str, mean: Mean, *, of_difference: bool = False) -> str:
    """Format a confidence interval for people."""
    if mean.low is None or mean.high is None:
        return ""
    shown = shown_difference if of_difference else score_in_words
    return f"{shown(key, mean.low)} to {shown(key, mean.high)}"


def title_of(key: str, evaluation: Evaluation) -> str:
    """Return the name of a score for people, with its unit if it has one."""
    if key == "average_hausdorff":
        unit = {"um": "µm", "pixel": "pixels"}[distance_unit(evaluation)]
        return f"{TITLES[key]} ({unit})"
    return TITLES[key]


def tiles_in_words(evaluation: Evaluation) -> str:
    """Return the number of scored tiles and slices in words."""
    n = len(evaluation.tiles)
    slices = sum(bool(index) for _, index in evaluation.planes.values())
    if not slices:
        return counted(n, "tile")
    return counted(n, "slice") if slices == n else f"{n} tiles and slices"


def problems(evaluation: Evaluation) -> Iterable[str]:
    """Return in sentences what the scores leave out or assume."""
    yield from evaluation.task.notes
    if evaluation.missing:
        yield messages.without_prediction(tuple(evaluation.missing))
    if evaluation.without_truth:
        yield messages.without_truth(tuple(evaluation.without_truth))
    if evaluation.without_probability:
        yield messages.without_map(tuple(evaluation.without_probability))
    if not evaluation.has_pixels:
        yield messages.NO_PIXEL_INSIDE
    for assumption, tiles in _by_text(evaluation.assumed):
        yield messages.assumed_of_maps(assumption, tiles)
    for gist, names in by_gist(evaluation.noted).items():
        yield messages.note_on(tuple(names), gist)
    for reason, tiles in _by_text(evaluation.failed):
        yield messages.not_scored(tiles, reason)


def _by_text(texts: Mapping[str, str]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Return every text once, with the tiles it is about."""
    for text in dict.fromkeys(texts.values()):
        yield text, tuple(name for name, each in texts.items() if each == text)


def _at(scores: Mapping[str, Scores]) -> dict[str, Any]:
    return {"at": dict(scores)} if scores else {}


def _interval(mean: Mean) -> list[float] | None:
    return None if mean.low is None or mean.high is None else [mean.low, mean.high]


def _differences(means: Mapping[str, Mean]) -> dict[str, Any]:
    return {
        key: {"mean": mean.value, "interval_95": _interval(mean), "tiles": mean.n}
        for key, mean in means.items()
    }
