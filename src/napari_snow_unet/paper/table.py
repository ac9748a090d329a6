"""The table of results: the paper's scores and those of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.scores.tile import Scores
from napari_snow_unet.paper.steps import Method
from napari_snow_unet.unet.runs.folder import Row

SCORES = ("accuracy", "auc", "precision", "recall", "dice")
COLUMNS = ("method", "epochs", "threshold", "over", "tiles", *SCORES, "training_seconds")
#: The paper's scores for 1,000 unseen SNOW tiles, in percent.
PAPER = {"accuracy": 98.40, "auc": 99.81, "precision": 95.56, "recall": 95.59}
THRESHOLDS = {"otsu": "Otsu", "0.5": "0.5"}


def rows_of_table(
    results: Sequence[tuple[Method, Evaluation]], history: Sequence[Row]
) -> list[dict[str, str]]:
    """Return the paper's row, and two or four rows for each method, by the names of `COLUMNS`.

    Scores are percentages, pooled over all pixels and as means over tiles; empty if undefined.
    """
    paper = {name: _percent(value / 100) for name, value in PAPER.items()}
    rows = [_row(method="the paper", epochs="50", over="1,000 SNOW tiles", tiles="1000", **paper)]
    for method, evaluation in results:
        seconds = _seconds(history, method.epochs)
        # The map of the classical method is not a probability, so 0.5 has no meaning there.
        for key, threshold in THRESHOLDS.items() if method.epochs else [("otsu", "Otsu")]:
            for over, scores in _scores(evaluation, key).items():
                rows.append(
                    _row(
                        method=method.title,
                        epochs=str(method.epochs or ""),
                        threshold=threshold,
                        over=over,
                        tiles=str(len(evaluation.tiles)),
                        training_seconds=seconds,
                        **{name: _percent(scores[name]) for name in SCORES},
                    )
                )
    return rows


def _row(**cells: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | cells


def _scores(evaluation: Evaluation, key: str) -> dict[str, Mapping[str, float | None]]:
    pooled: Scores = evaluation.pooled.scores_at()[key]
    tiles = [
        {**at[key], "auc": evaluation.tiles[name]["auc"]}
        for name, at in evaluation.tiles_at.items()
    ]
    means = {name: _mean([tile[name] for tile in tiles]) for name in SCORES}
    return {
        "all pixels": {**pooled, "auc": evaluation.pooled_scores["auc"]},
        "mean of tiles": means,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _seconds(history: Sequence[Row], epochs: int | None) -> str:
    if epochs is None:
        return ""
    return f"{sum(row['seconds'] or 0 for row in history[:epochs]):.0f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}"
