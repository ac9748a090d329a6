"""``napari-snow-unet evaluate``: scores of predicted labels against ground truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli import messages
from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.usage import (
    MasksAreOption,
    OldSubsetOption,
    SubsetOption,
    as_wrong_usage,
    subset_of,
)
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.masks.judgement import MasksAre

if TYPE_CHECKING:
    from napari_snow_unet.metrics.files.evaluation import Evaluation
    from napari_snow_unet.metrics.files.evaluation_task import EvaluationTask


def evaluate(
    prediction: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTION", help="Predicted labels: a file or folder.", show_default=False
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH",
            help="Ground-truth labels: a file, folder or prepared dataset.",
            show_default=False,
        ),
    ],
    probability: Annotated[
        Path | None,
        typer.Option(
            help="Probability maps: a file, or a folder of NAME_probability.png, NAME.png or "
            "NAME.tif (8 or 16 bits, or fractions from 0 to 1).",
            show_default=False,
            rich_help_panel="Input",
        ),
    ] = None,
    subset: SubsetOption = None,
    was_split: OldSubsetOption = None,
    region: Annotated[
        Path | None,
        typer.Option(
            help="Score only this annotated region: a mask or GeoJSON file, or a folder with one "
            "per tile.",
            show_default=False,
            rich_help_panel="Input",
        ),
    ] = None,
    output_folder: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Folder for scores.csv, scores.json and report.html.",
            show_default=False,
            rich_help_panel="Output",
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another prediction of the same tiles, to compare; repeatable.",
            show_default=False,
            rich_help_panel="Input",
        ),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Pixel size in micrometres, for the average Hausdorff distance. "
            "Without it, the distance is in pixels.",
            show_default=False,
            rich_help_panel="Scoring",
        ),
    ] = None,
    instances: Annotated[
        bool,
        typer.Option(
            "--instances",
            help="Treat a mask with a single nonzero value as one nucleus (--masks-are labels).",
            rich_help_panel="Scoring",
        ),
    ] = False,
    masks_are: MasksAreOption = None,
    predictions_are: Annotated[
        MasksAre | None,
        typer.Option(
            help="As --masks-are, for predictions only.",
            show_default=False,
            rich_help_panel="Scoring",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print scores as JSON.", rich_help_panel="Output")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Overwrite existing reports.", rich_help_panel="Output"),
    ] = False,
) -> None:
    """Score predicted labels against ground truth.

    Predictions and ground truth are matched by image name. Each slice of a stack (multi-page TIFF)
    counts as a tile. Tiles that are missing or cannot be compared are listed at the end, and the
    exit code is 1. Scores are given pooled (from the counts of all tiles) and as the mean over the
    tiles; docs/metrics.md explains them.
    """
    from napari_snow_unet.data.pixels.pixel_size import check_pixel_size, doubt_pixel_size
    from napari_snow_unet.metrics.files.evaluation_task import make_task
    from napari_snow_unet.metrics.report.files import require_free, write_reports
    from napari_snow_unet.metrics.report.values import document, problems

    with as_wrong_usage():
        check_pixel_size(pixel_size)
    if doubt := doubt_pixel_size(pixel_size):
        typer.echo(doubt, err=True)
    if output_folder is not None and not overwrite:
        require_free(output_folder)
    chosen = subset_of(subset, was_split)
    tasks = [
        make_task(
            path,
            truth,
            probability=probability if number == 0 else None,
            subset=chosen,
            region=region,
            pixel_size_um=pixel_size,
            masks_are=masks_are or ("labels" if instances else None),
            predictions_are=predictions_are,
        )
        for number, path in enumerate([prediction, *(compare or [])])
    ]
    evaluations = [
        _evaluate(task) for task in _with_distinct_names(tasks, [prediction, *(compare or [])])
    ]
    if as_json:
        typer.echo(json.dumps(document(evaluations), indent=1))
    else:
        _print(evaluations)
    for evaluation in evaluations:
        for text in problems(evaluation):
            typer.echo(f"{evaluation.task.name}: {text}", err=True)
    if output_folder is not None:
        for path in write_reports(output_folder, evaluations, overwrite=overwrite):
            typer.echo(messages.WROTE_LABEL.format(path), err=as_json)
        typer.echo(CONTAIN_NAMES, err=as_json)
    if not all(evaluation.complete and evaluation.has_pixels for evaluation in evaluations):
        raise typer.Exit(1)


def _evaluate(task: EvaluationTask) -> Evaluation:
    from napari_snow_unet.metrics.files.evaluation import evaluate as steps
    from napari_snow_unet.segmentation.plane.threshold import otsu_level

    return follow(steps(task, otsu_level), messages.COMPARING_LABEL.format(task.name))


def _with_distinct_names(
    tasks: Sequence[EvaluationTask], paths: Sequence[Path]
) -> Iterable[EvaluationTask]:
    """Rename predictions of the same name to their full paths."""
    count = Counter(task.name for task in tasks)
    for task, path in zip(tasks, paths, strict=True):
        yield task if count[task.name] == 1 else replace(task, name=str(path))


def _print(evaluations: Sequence[Evaluation]) -> None:
    first, *others = evaluations
    _print_scores(first)
    if first.tiles_at:
        _print_thresholds(first)
    for other in others:
        _print_difference(first, other)


def _print_scores(evaluation: Evaluation) -> None:
    from napari_snow_unet.metrics.report.values import (
        score_in_words,
        shown_interval,
        tiles_in_words,
        title_of,
    )
    from napari_snow_unet.metrics.scores.summary import mean_scores

    pooled = evaluation.pooled_scores
    table(
        [f"{evaluation.task.name}, {tiles_in_words(evaluation)}", "pooled", "mean", "95 %", "n"],
        [
            (
                title_of(key, evaluation),
                score_in_words(key, pooled[key]),
                score_in_words(key, mean.value),
                shown_interval(key, mean),
                str(mean.n),
            )
            for key, mean in mean_scores(evaluation.tiles).items()
        ],
    )


def _print_thresholds(evaluation: Evaluation) -> None:
    from napari_snow_unet.metrics.report.values import threshold_rows

    header = ["probability map", "Otsu pooled", "Otsu mean", "0.5 pooled", "0.5 mean"]
    typer.echo()
    table(header, threshold_rows(evaluation))


def _print_difference(first: Evaluation, other: Evaluation) -> None:
    from napari_snow_unet.base.words import counted
    from napari_snow_unet.metrics.report.values import (
        score_in_words,
        shown_difference,
        shown_interval,
        title_of,
    )
    from napari_snow_unet.metrics.scores.summary import (
        in_all,
        mean_scores,
        most_different,
        paired_differences,
    )

    common = in_all([first.tiles, other.tiles])
    before, after = map(mean_scores, common)
    title = f"mean of {counted(len(common[0]), 'tile')} in both"
    typer.echo()
    table(
        [title, first.task.name, other.task.name, "second - first", "95 %", "n"],
        [
            (
                title_of(key, first),
                score_in_words(key, before[key].value),
                score_in_words(key, after[key].value),
                shown_difference(key, mean.value),
                shown_interval(key, mean, of_difference=True),
                str(mean.n),
            )
            for key, mean in paired_differences(first.tiles, other.tiles).items()
        ],
    )
    tiles = most_different(first.tiles, other.tiles)
    if tiles:
        listed = (f"{name} ({difference:+.3f})" for name, difference in tiles)
        typer.echo(messages.largest_differences(tuple(listed)))
