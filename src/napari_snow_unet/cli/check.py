"""``napari-snow-unet check``: check a dataset, one line per problem."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli import messages
from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.usage import MasksAreOption
from napari_snow_unet.data.datasets.check.messages import foreground_text

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
        typer.Option(min=1, help="Number of processes. (default: all cores)", show_default=False),
    ] = None,
    masks_are: MasksAreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a dataset: pairs, sizes, types, empty masks, IDs, duplicates, leakage between subsets.

    Prints one problem or note per line. The exit code is 1 if there are problems; notes
    do not affect it. No file is changed.
    """
    from napari_snow_unet.data.datasets.check.dataset import check_dataset

    report = follow(
        check_dataset(folder, workers=workers, masks_are=masks_are), messages.CHECKING_LABEL
    )
    if as_json:
        typer.echo(json.dumps(_plain(report), indent=2))
    else:
        _print(report)
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


def _print(report: CheckReport) -> None:
    summary = report.summary
    for key in ("sizes", "image types", "mask types"):
        values = ", ".join(f"{name} ({count:,})" for name, count in summary[key].items())
        typer.echo(f"{key:12} {values}")
    foreground = foreground_text(summary["foreground"], *summary["foreground 5 % and 95 %"])
    typer.echo(f"{'foreground':12} {foreground}")
    table(
        ["subset", "tiles", "nuclei", "foreground"],
        [
            (subset, f"{row['tiles']:,}", f"{row['nuclei']:,}", f"{row['foreground']:.1%}")
            for subset, row in summary["parts"].items()
        ],
    )
    for finding in report.findings:
        typer.echo(f"{finding.severity.capitalize()}: {finding}")
    typer.echo(report.text())
