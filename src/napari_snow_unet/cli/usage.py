"""How a command was used, and wrong usage, whose exit code is 2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Annotated, Any, Literal

import typer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import declared
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.data.masks.judgement import MASKS, MasksAre
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.options import TrainingOptions

MasksAreOption = Annotated[
    MasksAre | None,
    typer.Option(help=f"{MASKS.help} (default: {MASKS.none})", show_default=False),
]
DeviceOption = Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Device to run on.")]
BackendOption = Annotated[
    Literal["auto", "tensorflow", "torch", "jax"], typer.Option(help="Keras backend.")
]
Subset = Literal["train", "val", "test"]
SubsetOption = Annotated[
    Subset | None,
    typer.Option(help="Take only this subset of a prepared dataset.", show_default=False),
]
OldSubsetOption = Annotated[Subset | None, typer.Option("--split", hidden=True)]
#: What the shell has for what helps and is no option of the command at hand.
_COMMANDS = {
    "region": "--region",
    "folds": "`napari-snow-unet split --folds K`",
    "list_models": "`napari-snow-unet models`",
    "prepare_dataset": "`napari-snow-unet prepare`",
    "check_dataset": "`napari-snow-unet check`",
    "resume_training": "`napari-snow-unet train --resume`",
    "all_folds": "`napari-snow-unet train --fold all`",
    "split_dataset": "`napari-snow-unet split`",
}
_LONG = 40  # characters of a path that may stand before the reason


@contextmanager
def as_wrong_usage(
    kind: type[InputError] = InputError, *, hint: str | None = None
) -> Iterator[None]:
    """Let errors of a kind be wrong usage of the flag `hint`; others pass."""
    try:
        yield
    except kind as error:
        raise typer.BadParameter(sentence(error), param_hint=hint) from None


def subset_of(subset: str | None, was_split: str | None) -> str | None:
    """Return the subset that was chosen, by its name in 0.1 too."""
    if was_split is not None:
        typer.echo("--split is called --subset now.", err=True)
    return subset or was_split


def on_command_line(context: typer.Context) -> dict[str, Any]:
    """Return what stands on the command line, without what has its default."""
    return {
        name: value
        for name, value in context.params.items()
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }


def flags_of(helps: Iterable[str]) -> list[str]:
    """Return what is typed in the shell for the options that would help."""
    known = dict(_COMMANDS)
    for cls in (TrainingOptions, SplitOptions, PrepareOptions, Options, Outputs):
        known |= {name: one.flag for name, one in declared(cls).items()}
    return [known.get(name, "") for name in helps]


def sentence(error: InputError) -> str:
    """Return an error as one sentence in which no long path stands before the reason.

    Of a long path the name comes first, and all of it at the end.
    """
    said, whole = error.text(flags_of(error.helps)), str(error.path or "")
    name = PurePath(whole).name
    if len(whole) <= _LONG or not name or ", " in whole:
        return said
    reason = said.removeprefix(f"{whole}: ")
    return f"{name}: {reason} ({whole})"
