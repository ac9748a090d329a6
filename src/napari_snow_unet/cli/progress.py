"""Progress bars and tables in the shell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar

from napari_snow_unet.base.progress import Progress, run
from napari_snow_unet.cli import messages

Result = TypeVar("Result")
LONGEST_TABLE = 40


def follow(
    steps: Generator[Progress, None, Result],
    what: str,
    *,
    stopped: str | Callable[[int], str] = messages.STOPPED,
) -> Result:
    """Run a task with a progress bar on standard error, and return its result.

    After Ctrl-C, print `stopped` (a callable gets the total) and exit with code 130, as is usual
    in shells.
    """
    import typer
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}", markup=False),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task, total = bar.add_task(what, total=None, message=""), 0

        def show(progress: Progress) -> None:
            nonlocal total
            total = progress.total
            bar.update(
                task, completed=progress.done, total=progress.total, message=progress.message
            )

        try:
            return run(steps, show)
        except KeyboardInterrupt:
            bar.stop()
            typer.echo(stopped if isinstance(stopped, str) else stopped(total), err=True)
            raise typer.Exit(130) from None


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table with its first column aligned left; of a long one, print the first rows."""
    from rich.console import Console
    from rich.table import Table

    rows = list(rows)
    if not rows:
        return
    shown = Table(box=None, pad_edge=False)
    for number, name in enumerate(header):
        shown.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows[:LONGEST_TABLE]:
        shown.add_row(*row)
    Console(soft_wrap=not sys.stdout.isatty(), markup=False).print(shown)
    if len(rows) > LONGEST_TABLE:
        Console().print(messages.more_rows(len(rows) - LONGEST_TABLE))
