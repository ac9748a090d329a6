"""The command `models`: the available models, with size, checksum and training data."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli import messages

if TYPE_CHECKING:
    from napari_snow_unet.models import ModelEntry


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print all details as JSON.")] = False,
) -> None:
    """List the available models: bundled, your own, and the classical method."""
    from napari_snow_unet.models import list_models

    entries = list_models()
    if as_json:
        plain = [{**asdict(e), "path": str(e.path) if e.path else None} for e in entries]
        typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))
        return
    _print_table(entries)


def _print_table(entries: list[ModelEntry]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from napari_snow_unet.models import DEFAULT_MODEL
    from napari_snow_unet.unet.models.folder import FOLDER_VARIABLE, user_folder

    console = Console()
    table = Table("Model", "Kind", "Size", "SHA-256", "Channel", "Pixel size (µm)", box=None)
    for entry in entries:
        note = f" {messages.DEFAULT_LABEL}" if entry.name == DEFAULT_MODEL else ""
        table.add_row(escape(entry.name) + note, entry.kind, *_facts(entry))
    console.print(table)
    for entry in entries:
        console.print(f"\n{entry.name}", style="bold", markup=False)
        if entry.path:
            console.print(str(entry.path), style="dim", markup=False, soft_wrap=True)
        if entry.problem:
            problem = f"{messages.UNUSABLE_LABEL}: {entry.problem}"
            console.print(problem, style="red", markup=False)
        else:
            console.print(entry.trained_on or messages.UNKNOWN_TRAINING_DATA, markup=False)
    own = messages.own_models(user_folder(), FOLDER_VARIABLE)
    console.print(f"\n{own}", soft_wrap=True, markup=False)


def _facts(entry: ModelEntry) -> tuple[str, str, str, str]:
    size = f"{entry.size / 1e6:.1f} MB" if entry.size else "-"
    sizes = entry.pixel_size_um
    default = messages.ANY_LABEL if entry.kind == "classical" else messages.UNKNOWN_LABEL
    pixels = default if sizes is None else "{:.2g} to {:.2g}".format(*sizes)
    return size, entry.checksum[:12] or "-", entry.channel, pixels if not entry.problem else "-"
