"""``napari-snow-unet prepare``: prepare a dataset from SNOW or other images and masks."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_snow_unet.base.errors import with_ways
from napari_snow_unet.cli import messages
from napari_snow_unet.cli.options import takes
from napari_snow_unet.cli.progress import follow
from napari_snow_unet.cli.usage import as_wrong_usage, flags_of
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.problems import PROBLEMS
from napari_snow_unet.data.datasets.split_options import SplitOptions

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.prepare.ledger import Prepared

NAMED = 20  # problems printed; problems.csv has all


@takes(options=PrepareOptions, split=SplitOptions)
def prepare(
    *,
    source: Annotated[
        list[Path],
        typer.Argument(help="Folders and zip archives of images and masks.", show_default=False),
    ],
    output_folder: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="Folder for the dataset.",
            show_default=False,
            rich_help_panel="Output",
        ),
    ],
    options: dict[str, Any],
    split: dict[str, Any],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON.", rich_help_panel="Output")
    ] = False,
) -> None:
    """Prepare a dataset of PNG images and masks from SNOW or any folders of images and masks.

    Archives are not unpacked. If you give any of --train, --val and --test, the others default to
    0. Run the command again to continue after an interruption. Files that cannot be used are listed
    at the end and in problems.csv, and the exit code is 1.
    """
    from napari_snow_unet.data.datasets.prepare.dataset import prepare as prepare_dataset

    with as_wrong_usage():
        plan = SplitOptions(**split).plan()
    options["binary"] = options["binary"] or None
    chosen = PrepareOptions(**options, split=plan)
    steps = prepare_dataset(source, output_folder, chosen)
    prepared = follow(steps, messages.PREPARING_LABEL, stopped=partial(_stopped, output_folder))
    if as_json:
        typer.echo(json.dumps(_summary(prepared), indent=2))
    else:
        _print(prepared)
    if prepared.problems:
        raise typer.Exit(1)


def _stopped(folder: Path, total: int) -> str:
    """Report how many tiles the manifest has."""
    from napari_snow_unet.data.datasets.manifest import is_dataset, read_manifest

    done = len(read_manifest(folder)) if is_dataset(folder) else 0
    return messages.preparing_stopped(done, total)


def _summary(prepared: Prepared) -> dict[str, Any]:
    return {
        "folder": str(prepared.folder),
        "tiles": len(prepared.tiles),
        "new": prepared.new,
        "split": prepared.subsets,
        "nuclei": sum(tile.nuclei for tile in prepared.tiles),
        "problems": [
            {"name": problem.name, "reason": problem.reason} for problem in prepared.problems
        ],
        "messages": prepared.messages,
    }


def _print(prepared: Prepared) -> None:
    typer.echo(prepared.text())
    for message in prepared.messages:
        typer.echo(message)
    for problem in prepared.problems[:NAMED]:
        text = with_ways(str(problem), flags_of(problem.helps))
        typer.echo(messages.not_used(text), err=True)
    if len(prepared.problems) > NAMED:
        more = len(prepared.problems) - NAMED
        typer.echo(messages.more_problems(more, prepared.folder / PROBLEMS), err=True)
