"""``napari-snow-unet split``: divide a prepared dataset anew, without touching its pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from napari_snow_unet.cli.prepare import (
    TestTiles,
    TrainingTiles,
    ValidationTiles,
    parts_line,
    split_plan,
)


def split(
    folder: Annotated[Path, typer.Argument(help="A prepared dataset.", show_default=False)],
    train: TrainingTiles = None,
    val: ValidationTiles = None,
    test: TestTiles = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the split. (default: 0)", show_default=False)
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            help="Regular expression searched for in image names; tiles with the same match (or "
            "first group of it) stay together, such as patients.",
            show_default=False,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Number of folds over train and val, for cross-validation."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Divide a prepared dataset into train, val and test; only its tables change.

    Where one of --train, --val and --test is given, those that are not take nothing. With --folds
    alone the parts stay as they are and a column ``fold`` is added.
    """
    from napari_snow_unet.data.datasets.divide import split_dataset

    plan = split_plan(train, val, test, seed, group_by)
    if plan is not None:
        plan = replace(plan, folds=folds)
    parts, fold_sizes = split_dataset(folder, plan, folds)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "split": parts, "folds": fold_sizes}))
        return
    typer.echo(parts_line(parts))
    if fold_sizes:
        typer.echo("folds of " + ", ".join(f"{size:,}" for size in fold_sizes) + " tiles")
