"""``napari-snow-unet check``: what is wrong with a dataset, one line per problem."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.usage import MasksAreOption

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.check.dataset import CheckReport


def check(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A prepared dataset, or any folder of images and masks.",
            show_default=False,
            metavar="DATASET",
        ),
    ],
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes. (default: all cores)", show_default=False),
    ] = None,
    masks_are: MasksAreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a dataset: pairs, sizes, types, empty masks, ids, duplicates, leakage between parts.

    Problems come one per line, and make the exit code 1; notes are worth knowing. Nothing is
    changed.
    """
    from napari_snow_unet.data.datasets.check.dataset import check_dataset

    report = follow(check_dataset(folder, workers=workers, masks_are=masks_are), "Checking")
    if as_json:
        typer.echo(json.dumps(_plain(report), indent=2))
    else:
        _tell(report)
    if report.problems:
        raise typer.Exit(1)


def _plain(report: CheckReport) -> dict[str, object]:
    return {
        "folder": str(report.folder),
        "tiles": report.tiles,
        "problems": len(report.problems),
        "findings": [asdict(finding) for finding in report.findings],
        "summary": report.summary,
    }


def _tell(report: CheckReport) -> None:
    summary = report.summary
    low, high = summary["foreground 5 % and 95 %"]
    for what in ("sizes", "image types", "mask types"):
        counted = ", ".join(f"{name} ({count:,})" for name, count in summary[what].items())
        typer.echo(f"{what:12} {counted}")
    typer.echo(
        f"{'foreground':12} {summary['foreground']:.1%} of the pixels; "
        f"{low:.1%} to {high:.1%} in nine of ten tiles"
    )
    table(
        ["part", "tiles", "nuclei", "foreground"],
        [
            (subset, f"{row['tiles']:,}", f"{row['nuclei']:,}", f"{row['foreground']:.1%}")
            for subset, row in summary["parts"].items()
        ],
    )
    for finding in report.findings:
        typer.echo(f"{finding.severity.capitalize()}: {finding}")
    count = len(report.problems)
    typer.echo(f"{report.tiles:,} tiles, " + ("no problem" if not count else f"{count:,} problems"))
