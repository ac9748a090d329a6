"""``napari-snow-unet split``: split a prepared dataset again; only its tables change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_snow_unet.cli.options import takes
from napari_snow_unet.cli.usage import as_wrong_usage
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.split_options import SplitOptions


@takes(options=SplitOptions)
def split(
    *,
    folder: Annotated[
        Path, typer.Argument(help="A prepared dataset.", show_default=False, metavar="DATASET")
    ],
    options: dict[str, Any],
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Number of folds of the training and validation tiles, for cross-validation.",
            rich_help_panel="Split",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel="Output")
    ] = False,
) -> None:
    """Split a prepared dataset into training, validation and test tiles. No image is changed.

    If you give any of --train, --val and --test, the others default to 0. With --folds alone, the
    subsets stay as they are. The result is in manifest.csv, in the columns `split` and `fold`.
    """
    from napari_snow_unet.data.datasets.divide import split_dataset

    with as_wrong_usage():
        plan = SplitOptions(**options).plan()
    if plan is not None:
        plan = replace(plan, folds=folds)
    subsets, fold_sizes = split_dataset(folder, plan, folds)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "split": subsets, "folds": fold_sizes}))
        return
    typer.echo(messages.subsets(subsets))
    if fold_sizes:
        typer.echo(messages.folds(tuple(fold_sizes)))
