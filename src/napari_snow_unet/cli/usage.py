"""How a command was used, and wrong usage, whose exit code is 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Annotated, Any

import typer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks.judgement import MasksAre

MasksAreOption = Annotated[
    MasksAre | None,
    typer.Option(
        help="What PNG, TIFF and BMP masks hold: an id for every nucleus, nucleus or not, or the "
        "class of every pixel. (default: judged by their values)",
        show_default=False,
    ),
]
_LONG = 40  # characters of a path that may stand before the reason


@contextmanager
def as_wrong_usage(kind: type[InputError] = InputError) -> Iterator[None]:
    """Let what is wrong with options be wrong usage.

    Parameters
    ----------
    kind : type of InputError
        The errors that are; others pass.

    Raises
    ------
    typer.BadParameter
        In place of the error, with its text.
    """
    try:
        yield
    except kind as error:
        raise typer.BadParameter(str(error)) from None


def on_command_line(context: typer.Context) -> dict[str, Any]:
    """Return what stands on the command line, without what has its default."""
    return {
        name: value
        for name, value in context.params.items()
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }


def sentence(error: InputError) -> str:
    """Return an error as one sentence in which no long path stands before the reason.

    Of a long path the name comes first, and all of it at the end.
    """
    whole = str(error.path or "")
    name = PurePath(whole).name
    if len(whole) <= _LONG or not name or ", " in whole:
        return str(error)
    reason = str(error).removeprefix(f"{whole}: ")
    return f"{name}: {reason} ({whole})"
