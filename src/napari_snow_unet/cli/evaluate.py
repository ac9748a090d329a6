"""``napari-snow-unet evaluate``: predicted labels against ground truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.usage import (
    MasksAreOption,
    OldSubsetOption,
    SubsetOption,
    as_wrong_usage,
    subset_of,
)
from napari_snow_unet.data.masks.judgement import MasksAre

if TYPE_CHECKING:
    from napari_snow_unet.metrics.files.evaluation import Evaluation
    from napari_snow_unet.metrics.files.evaluation_task import EvaluationTask


def evaluate(
    prediction: Annotated[
        Path, typer.Argument(help="Predicted labels: a file or a folder.", show_default=False)
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            help="True labels: a file, a folder or a prepared dataset.", show_default=False
        ),
    ],
    probability: Annotated[
        Path | None,
        typer.Option(
            help="Probability maps: a file or a folder of NAME_probability.png, or of NAME.png or "
            "NAME.tif, with 8 or 16 bits or fractions from 0 to 1.",
            show_default=False,
            rich_help_panel="Input",
        ),
    ] = None,
    subset: SubsetOption = None,
    was_split: OldSubsetOption = None,
    region: Annotated[
        Path | None,
        typer.Option(
            help="What was annotated: a mask or GeoJSON, or a folder of them.",
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
            help="Another prediction of the same tiles; repeatable.",
            show_default=False,
            rich_help_panel="Input",
        ),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Micrometres per pixel, for the distance. (default: in pixels)",
            show_default=False,
            rich_help_panel="Scoring",
        ),
    ] = None,
    instances: Annotated[
        bool,
        typer.Option(
            "--instances",
            help="Take a mask's only value as one nucleus: the same as --masks-are labels.",
            rich_help_panel="Scoring",
        ),
    ] = False,
    masks_are: MasksAreOption = None,
    predictions_are: Annotated[
        MasksAre | None,
        typer.Option(
            help="The same of predictions, where truths differ.",
            show_default=False,
            rich_help_panel="Scoring",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON.", rich_help_panel="Output")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace reports that exist.", rich_help_panel="Output"),
    ] = False,
) -> None:
    """Score predicted labels against ground truth; files are matched by the image's name.

    Of stacks (TIFF with several pages) each slice counts as a tile, named 'NAME: slice 0'.
    A tile that cannot be compared, or has no prediction, is named at the end, and the exit code
    is 1. What each score means stands in docs/metrics.md.
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
    evaluations = [_measure(task) for task in _told_apart(tasks, [prediction, *(compare or [])])]
    if as_json:
        typer.echo(json.dumps(document(evaluations), indent=1))
    else:
        _print(evaluations)
    for evaluation in evaluations:
        for text in problems(evaluation):
            typer.echo(f"{evaluation.task.name}: {text}", err=True)
    if output_folder is not None:
        for path in write_reports(output_folder, evaluations, overwrite=overwrite):
            typer.echo(f"Wrote {path}", err=as_json)
    if not all(evaluation.complete and evaluation.has_pixels for evaluation in evaluations):
        raise typer.Exit(1)


def _measure(task: EvaluationTask) -> Evaluation:
    from napari_snow_unet.metrics.files.evaluation import evaluate as steps
    from napari_snow_unet.segmentation.plane.threshold import otsu_level

    return follow(steps(task, otsu_level), f"Measuring {task.name}")


def _told_apart(tasks: Sequence[EvaluationTask], paths: Sequence[Path]) -> Iterable[EvaluationTask]:
    """Call predictions of the same name by their whole path."""
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
    title = f"mean of the {len(common[0])} tiles in both"
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
        listed = ", ".join(f"{name} ({difference:+.3f})" for name, difference in tiles)
        typer.echo(f"Dice differs most on {listed}")
