"""The shell: one module per command, each a thin call of the functions that the docks use."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from napari_snow_unet import __version__
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.cli import (
    check,
    demo,
    evaluate,
    export,
    messages,
    models,
    prepare,
    reproduce,
    segment,
    split,
    train,
)
from napari_snow_unet.cli.options import in_shell_form
from napari_snow_unet.cli.usage import Command, Group, sentence
from napari_snow_unet.unet.engine.process import end_at_once
from napari_snow_unet.unet.network.memory import keep_freed_memory

app = typer.Typer(
    name="napari-snow-unet",
    help="Segment cell nuclei in H&E images of breast cancer with a U-Net.",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["--help", "-h"],
        "max_content_width": 100,
        "color": False if os.environ.get("NO_COLOR") else None,
    },
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Segment cell nuclei in H&E images of breast cancer with a U-Net."""


def _add(command: Callable[..., None]) -> None:
    """Add a command; each paragraph of its docstring becomes one line, which the screen wraps."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    app.command(command.__name__, cls=Command, help=text)(in_shell_form(command))


for _command in (
    segment.segment,
    demo.demo,
    evaluate.evaluate,
    models.models,
    train.train,
    prepare.prepare,
    check.check,
    split.split,
    reproduce.reproduce,
    export.export,
):
    _add(_command)


def main() -> None:
    """Run the command line; errors of the input are one line, with exit code 1."""
    if sys.argv[1:2] in (["train"], ["reproduce"]):
        keep_freed_memory()
    try:
        _run()
    except SystemExit as end:
        if "keras" in sys.modules and (end.code is None or isinstance(end.code, int)):
            end_at_once(end.code or 0)
        raise


def _run() -> None:
    try:
        app(prog_name=app.info.name)
    except InputError as error:
        typer.echo(f"Error: {sentence(error)}", err=True)
        sys.exit(1)
    except OSError as error:  # a full or closed disk, a drive that fails
        if error.errno is None:
            raise
        path = Path(error.filename) if isinstance(error.filename, str) else None
        typer.echo(messages.disk_failed(path, str(error.strerror)), err=True)
        sys.exit(1)
    except MemoryError:
        typer.echo(messages.NO_MEMORY, err=True)
        sys.exit(1)
