"""Wrong usage of a command, whose exit code is 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
