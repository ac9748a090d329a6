"""``napari-snow-unet prepare``: a compact, checked dataset from SNOW or one's own files."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_snow_unet.base.errors import with_ways
from napari_snow_unet.base.words import counted
from napari_snow_unet.cli.options import takes
from napari_snow_unet.cli.progress import follow
from napari_snow_unet.cli.usage import as_wrong_usage, flags_of
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.prepare.ledger import Prepared

GO_ON = "Run the same command again to continue."
NAMED = 20  # problems on the screen; all of them stand in problems.csv


@takes(options=PrepareOptions, split=SplitOptions)
def prepare(
    *,
    source: Annotated[
        list[Path],
        typer.Argument(help="Folders and zip archives, in any mix.", show_default=False),
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
    """Make a dataset of PNG images and masks with a manifest, from SNOW or any image/mask folders.

    Archives are read where they lie. Where one of --train, --val and --test is given, those that
    are not take nothing. Run it again to go on after a stop. What cannot be used is listed at the
    end and in problems.csv, and the exit code is 1.
    """
    from napari_snow_unet.data.datasets.prepare.dataset import prepare as prepare_dataset

    with as_wrong_usage():
        plan = SplitOptions(**split).plan()
    options["binary"] = options["binary"] or None
    chosen = PrepareOptions(**options, split=plan)
    steps = prepare_dataset(source, output_folder, chosen)
    prepared = follow(steps, "Preparing", stopped=partial(_stopped, output_folder))
    if as_json:
        typer.echo(json.dumps(_summary(prepared), indent=2))
    else:
        _tell(prepared)
    if prepared.problems:
        raise typer.Exit(1)


def _stopped(folder: Path, total: int) -> str:
    """Say how much is done, as the manifest has it."""
    from napari_snow_unet.data.datasets.manifest import is_dataset, read_manifest

    done = len(read_manifest(folder)) if is_dataset(folder) else 0
    of = f" of {total:,}" if total > done else ""
    return f"Stopped: {done:,}{of} tiles done. {GO_ON}"


def subsets_line(subsets: dict[str, int]) -> str:
    """Return ``train 72, val 8, test 20``; unused only where there are such tiles."""
    return ", ".join(
        f"{subset} {count:,}" for subset, count in subsets.items() if count or subset != "unused"
    )


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


def _tell(prepared: Prepared) -> None:
    kept = len(prepared.tiles) - prepared.new
    there = f", {kept:,} were there" if kept else ""
    typer.echo(f"{counted(prepared.new, 'tile')} prepared in {prepared.folder}{there}")
    typer.echo(subsets_line(prepared.subsets))
    for message in prepared.messages:
        typer.echo(message)
    for problem in prepared.problems[:NAMED]:
        said = with_ways(str(problem), flags_of(problem.helps))
        typer.echo(f"Not used: {said}", err=True)
    if len(prepared.problems) > NAMED:
        more = len(prepared.problems) - NAMED
        typer.echo(f"... and {more:,} more, see {prepared.folder / 'problems.csv'}", err=True)
