"""How a command was used, and wrong usage, whose exit code is 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from napari_snow_unet.data.files import InputError


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
