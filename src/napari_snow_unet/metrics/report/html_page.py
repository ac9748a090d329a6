"""An evaluation as one HTML page that needs no other file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.white_value import range_of
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.data.pixels.images import read_header, read_image
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.files.reading import read_tile
from napari_snow_unet.metrics.report import figures
from napari_snow_unet.metrics.report.values import (
    TITLES,
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
from napari_snow_unet.metrics.scores.summary import (
    in_all,
    mean_scores,
    most_different,
    paired_differences,
    representative,
)

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2em auto; max-width: 76em;
       padding: 0 1.5em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .9em .2em 0; text-align: right; border-bottom: 1px solid #e4e4e4; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; max-height: 36em; } .note { color: #666; } .problem { color: #a03c00; }
figure { display: inline-block; margin: 0 1em 1em 0; vertical-align: top; }
figcaption { color: #666; font-size: .85em; }
figure.tile img { width: 15em; image-rendering: pixelated; border: 1px solid #ddd; }
.key { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em; }
"""


def page(evaluations: Sequence[Evaluation]) -> str:
    """Write evaluations of the same truth as an HTML page with its pictures inside.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The first is shown in full, the others in comparison with it.
    """
    first, *others = evaluations
    parts = [f"<h1>{escape(first.task.name)}: {tiles_in_words(first)} against the truth</h1>"]
    for evaluation in evaluations:
        parts += [_problem(evaluation, text) for text in problems(evaluation)]
    parts += _scores(first)
    if others:
        parts += _comparison(first, others)
    parts += _curves(evaluations)
    parts += _examples(first)
    parts += _all_tiles(first)
    head = f'<meta charset="utf-8"><title>{escape(first.task.name)}</title>'
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}<style>{STYLE}</style></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _problem(evaluation: Evaluation, text: str) -> str:
    return f'<p class="problem">{escape(evaluation.task.name)}: {escape(text)}</p>'


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _scores(evaluation: Evaluation) -> Iterable[str]:
    yield "<h2>Scores</h2>"
    means, pooled = mean_scores(evaluation.tiles), evaluation.pooled_scores
    yield _table(
        ("score", "pooled", "mean of tiles", "95 % interval of the mean", "tiles"),
        (
            (
                title_of(key, evaluation),
                score_in_words(key, pooled[key]),
                score_in_words(key, mean.value),
                shown_interval(key, mean),
                str(mean.n),
            )
            for key, mean in means.items()
        ),
    )
    yield (
        '<p class="note">Pooled: from the sums over all tiles, as if they were one image. '
        "Mean: over the tiles where the score is defined. Interval: bootstrap over tiles.</p>"
    )
    if evaluation.tiles_at:
        yield "<h2>Probability map cut at Otsu\u2019s level and at 0.5</h2>"
        yield _table(("score", *_at_header()), threshold_rows(evaluation))


def _at_header() -> list[str]:
    return [f"{what}, {level}" for level in ("Otsu", "0.5") for what in ("pooled", "mean")]


def _comparison(first: Evaluation, others: Sequence[Evaluation]) -> Iterable[str]:
    yield "<h2>Comparison</h2>"
    every = [first, *others]
    common = in_all([evaluation.tiles for evaluation in every])
    means = [mean_scores(tiles) for tiles in common]
    title = f"mean of the {len(common[0])} tiles that all have"
    yield _table(
        (title, *(evaluation.task.name for evaluation in every)),
        (
            (title_of(key, first), *(score_in_words(key, mean[key].value) for mean in means))
            for key in means[0]
        ),
    )
    for other in others:
        name = f"{other.task.name} minus {first.task.name}"
        yield f"<h2>{escape(name)}, tile by tile</h2>"
        differences = paired_differences(first.tiles, other.tiles)
        yield _table(
            ("difference", "mean", "95 % interval", "tiles"),
            (
                (
                    title_of(key, first),
                    shown_difference(key, mean.value),
                    shown_interval(key, mean, of_difference=True),
                    str(mean.n),
                )
                for key, mean in differences.items()
            ),
        )
        for tile, difference in most_different(first.tiles, other.tiles, n=3):
            yield f"<h3>{escape(tile)}: Dice {difference:+.4f}</h3>"
            yield from _pictures(first, tile, (first, other))


def _curves(evaluations: Sequence[Evaluation]) -> Iterable[str]:
    yield "<h2>Curves</h2>"
    counts = evaluations[0].pooled.probability
    curve = None if counts is None else roc_curve(counts.histograms)
    if counts is not None and curve is not None:
        area = roc_auc(counts.histograms)
        yield _figure(figures.draw_roc(curve, area or 0.0), "ROC curve, all pixels", "")
    dice = {
        evaluation.task.name: [scores["dice"] for scores in evaluation.tiles.values()]
        for evaluation in evaluations
    }
    yield _figure(figures.draw_histogram(dice, TITLES["dice"]), "Dice of the tiles", "")


def _examples(evaluation: Evaluation) -> Iterable[str]:
    yield "<h2>Best, median and worst tiles by Dice</h2>"
    keys = "".join(
        f'<span class="key" style="background:{colour}"></span>{ERROR_NAMES[code]}'
        for code, colour in ERROR_COLOURS.items()
    )
    yield f'<p class="note">Errors:{keys}</p>'
    for rank, names in representative(evaluation.tiles).items():
        for name in names:
            dice = score_in_words("dice", evaluation.tiles[name]["dice"])
            yield f"<h3>{rank}: {escape(name)}, Dice {dice}</h3>"
            yield from _pictures(evaluation, name, (evaluation,))


def _pictures(
    evaluation: Evaluation, name: str, predictions: Sequence[Evaluation]
) -> Iterable[str]:
    """Show image and truth, then each prediction with its errors."""
    files, index = evaluation.planes[name]
    image = evaluation.task.truths[files].image
    try:
        if image is not None:
            picture = _picture_of(image, index)
            yield _figure(picture, "image", "tile")
        for number, other in enumerate(predictions):
            tile = read_tile(other.task, files).plane(index)
            if number == 0:
                yield _figure(figures.picture_of_labels(tile.truth), "truth", "tile")
            what = "prediction" if len(predictions) == 1 else other.task.name
            yield _figure(figures.picture_of_labels(tile.prediction), what, "tile")
            picture = figures.picture_of_errors(tile.prediction, tile.truth, tile.region)
            yield _figure(picture, "errors" if number == 0 else f"errors of {what}", "tile")
    except InputError as error:
        yield f'<p class="problem">{escape(str(error))}</p>'


def _picture_of(path: Path, index: Index) -> bytes:
    """Show an image, of a stack the plane at an index; one plane may serve a stack of labels."""
    image, size = read_image(path), read_header(path).size
    array = image.array
    plane = array[index] if array.shape[len(index) :][:2] == size else array
    return figures.picture_of_image(plane, range_of(image, {}))


def _all_tiles(evaluation: Evaluation) -> Iterable[str]:
    yield "<h2>All tiles</h2>"
    keys = next(iter(evaluation.tiles.values()))
    table = _table(
        ("tile", *(title_of(key, evaluation) for key in keys)),
        (
            (name, *(score_in_words(key, value) for key, value in scores.items()))
            for name, scores in evaluation.tiles.items()
        ),
    )
    yield f'<div class="wide">{table}</div>'


def _figure(picture: bytes, caption: str, kind: str) -> str:
    media = "image/jpeg" if picture[:2] == b"\xff\xd8" else "image/png"
    text = escape(caption, quote=True)
    return (
        f'<figure class="{kind}"><img alt="{text}" src="data:{media};base64,'
        f'{b64encode(picture).decode("ascii")}"><figcaption>{text}</figcaption></figure>'
    )
