"""The command `models`: what can be used, with size, checksum, and what it was trained on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from napari_snow_unet.models import ModelEntry


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, for other programs.")
    ] = False,
) -> None:
    """List the models that can be used: bundled, your own, and the classical method."""
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
        note = " (default)" if entry.name == DEFAULT_MODEL else ""
        table.add_row(escape(entry.name) + note, entry.kind, *_facts(entry))
    console.print(table)
    for entry in entries:
        console.print(f"\n{entry.name}", style="bold", markup=False)
        if entry.path:
            console.print(str(entry.path), style="dim", markup=False, soft_wrap=True)
        if entry.problem:
            console.print(f"Cannot be used: {entry.problem}", style="red", markup=False)
        else:
            console.print(entry.trained_on or "Not stated.", markup=False)
    console.print(f"\nYour own models: {user_folder()} (or ${FOLDER_VARIABLE})", soft_wrap=True)


def _facts(entry: ModelEntry) -> tuple[str, str, str, str]:
    size = f"{entry.size / 1e6:.1f} MB" if entry.size else "-"
    known = entry.pixel_size_um
    unstated = "any" if entry.kind == "classical" else "not stated"
    pixels = unstated if known is None else "{:.2g} to {:.2g}".format(*known)
    return size, entry.checksum[:12] or "-", entry.channel, pixels if not entry.problem else "-"
