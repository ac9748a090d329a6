"""Progress of a training in the shell: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from napari_snow_unet.unet.runs.progress import TrainingProgress

Shown = tuple["Callable[[TrainingProgress], None]", "Callable[[str], None]"]


@contextmanager
def training_display() -> Iterator[Shown]:
    """Show progress on standard error during the block, and lines on standard output."""
    if not sys.stderr.isatty():
        yield (lambda progress: None), typer.echo
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[message]}"),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console) as bar:
        epochs = bar.add_task("Epochs", total=None, left="", message="")
        batches = bar.add_task("Batches", total=None, left="", message="")

        def listen(progress: TrainingProgress) -> None:
            done = progress.epoch if progress.state == "finished" else max(progress.epoch - 1, 0)
            left = _in_words(progress.seconds_left)
            bar.update(epochs, completed=done, total=progress.epochs or None, left=left)
            message = f"{progress.state} {progress.message}"
            total = progress.batches or None
            bar.update(batches, completed=progress.batch, total=total, message=message)

        yield listen, lambda line: console.print(line, markup=False, highlight=False)


def _in_words(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes / 60:.1f} h left"
