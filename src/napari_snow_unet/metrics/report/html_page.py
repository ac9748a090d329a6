"""Evaluations as one self-contained HTML page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets.white_value import range_of
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.data.pixels.images import read_header, read_image
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.files.reading import read_tile
from napari_snow_unet.metrics.report import figures
from napari_snow_unet.metrics.report.values import (
    problems,
    score_in_words,
    shown_difference,
    shown_interval,
    threshold_rows,
    tiles_in_words,
    title_of,
)
from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS, ERROR_NAMES
from napari_snow_unet.metrics.scores.pixel import roc_auc, roc_curve
from napari_snow_unet.metrics.scores.score_names import TITLES
from napari_snow_unet.metrics.scores.summary import (
    in_all,
    mean_scores,
    most_different,
    paired_differences,
    representative,
)

Table = tuple[Sequence[str], list[Sequence[str]]]  # a header, and rows of cells
Picture = tuple[str, str, str]  # "tile", "" of a curve or "problem"; caption; address


def page(evaluations: Sequence[Evaluation]) -> str:
    """Render evaluations as HTML: the first in full, the others compared with it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("napari_snow_unet.metrics.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    first, *others = evaluations
    return pages.get_template("report.html.jinja").render(
        name=first.task.name,
        extent=tiles_in_words(first),
        problems=[(each.task.name, text) for each in evaluations for text in problems(each)],
        scores=_scores(first),
        thresholds=threshold_rows(first) if first.tiles_at else None,
        comparison=_comparison(evaluations) if others else None,
        others=[_differences(first, other) for other in others],
        curves=_curves(evaluations),
        errors=[(ERROR_NAMES[code], colour) for code, colour in ERROR_COLOURS.items()],
        examples=_examples(first),
        tiles=_all_tiles(first),
    )


def _scores(evaluation: Evaluation) -> Iterable[Sequence[str]]:
    pooled = evaluation.pooled_scores
    for key, mean in mean_scores(evaluation.tiles).items():
        yield (
            title_of(key, evaluation),
            score_in_words(key, pooled[key]),
            score_in_words(key, mean.value),
            shown_interval(key, mean),
            str(mean.n),
        )


def _comparison(evaluations: Sequence[Evaluation]) -> Table:
    common = in_all([evaluation.tiles for evaluation in evaluations])
    means = [mean_scores(tiles) for tiles in common]
    title = f"mean of the {counted(len(common[0]), 'tile')} in all predictions"
    return (title, *(evaluation.task.name for evaluation in evaluations)), [
        (title_of(key, evaluations[0]), *(score_in_words(key, mean[key].value) for mean in means))
        for key in means[0]
    ]


def _differences(first: Evaluation, other: Evaluation) -> dict[str, Any]:
    return {
        "name": other.task.name,
        "differences": [
            (
                title_of(key, first),
                shown_difference(key, mean.value),
                shown_interval(key, mean, of_difference=True),
                str(mean.n),
            )
            for key, mean in paired_differences(first.tiles, other.tiles).items()
        ],
        "tiles": [
            (name, difference, _pictures(name, (first, other)))
            for name, difference in most_different(first.tiles, other.tiles, n=3)
        ],
    }


def _curves(evaluations: Sequence[Evaluation]) -> Iterable[Picture]:
    counts = evaluations[0].pooled.probability
    curve = None if counts is None else roc_curve(counts.histograms)
    if counts is not None and curve is not None:
        area = roc_auc(counts.histograms)
        yield _picture("", "ROC curve, all pixels", figures.draw_roc(curve, area or 0.0))
    dice = {
        evaluation.task.name: [scores["dice"] for scores in evaluation.tiles.values()]
        for evaluation in evaluations
    }
    yield _picture("", "Dice by tile", figures.draw_histogram(dice, TITLES["dice"]))


def _examples(evaluation: Evaluation) -> Iterable[tuple[str, str, str, Iterable[Picture]]]:
    for rank, names in representative(evaluation.tiles).items():
        for name in names:
            dice = score_in_words("dice", evaluation.tiles[name]["dice"])
            yield rank, name, dice, _pictures(name, (evaluation,))


def _pictures(name: str, evaluations: Sequence[Evaluation]) -> Iterable[Picture]:
    """Return a tile's image and ground truth, then each prediction with its errors."""
    first = evaluations[0]
    files, index = first.planes[name]
    image = first.task.truths[files].image
    try:
        if image is not None:
            yield _picture("tile", "image", _picture_of(image, index))
        for number, other in enumerate(evaluations):
            tile = read_tile(other.task, files).plane(index)
            if number == 0:
                yield _picture("tile", "ground truth", figures.picture_of_labels(tile.truth))
            title = "prediction" if len(evaluations) == 1 else other.task.name
            yield _picture("tile", title, figures.picture_of_labels(tile.prediction))
            errors = figures.picture_of_errors(tile.prediction, tile.truth, tile.region)
            yield _picture("tile", "errors" if number == 0 else f"errors of {title}", errors)
    except InputError as error:
        yield "problem", str(error), ""


def _picture_of(path: Path, index: Index) -> bytes:
    """Return an image, or the plane of a stack that belongs to a plane of labels."""
    image, size = read_image(path), read_header(path).size
    array = image.array
    plane = array[index] if array.shape[len(index) :][:2] == size else array
    return figures.picture_of_image(plane, range_of(image, {}))


def _all_tiles(evaluation: Evaluation) -> Table:
    keys = next(iter(evaluation.tiles.values()))
    return ("tile", *(title_of(key, evaluation) for key in keys)), [
        (name, *(score_in_words(key, value) for key, value in scores.items()))
        for name, scores in evaluation.tiles.items()
    ]


def _picture(kind: str, caption: str, picture: bytes) -> Picture:
    media = "image/jpeg" if picture[:2] == b"\xff\xd8" else "image/png"
    return kind, caption, f"data:{media};base64,{b64encode(picture).decode('ascii')}"
