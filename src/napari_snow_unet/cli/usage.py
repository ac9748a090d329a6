"""How commands are used: their help, the flags that are named in messages, wrong usage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import PurePath
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import declared
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.cli import messages
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.data.masks.judgement import MASKS, MasksAre
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.options import TrainingOptions

MasksAreOption = Annotated[
    MasksAre | None,
    typer.Option(
        help=f"{MASKS.help} (default: {MASKS.none})",
        show_default=False,
        rich_help_panel="Input",
    ),
]
DeviceOption = Annotated[
    Literal["auto", "cpu", "gpu"],
    typer.Option(help="Device to run on.", rich_help_panel="Speed"),
]
BackendOption = Annotated[
    Literal["auto", "tensorflow", "torch", "jax"],
    typer.Option(help="Keras backend.", rich_help_panel="Advanced"),
]
Subset = Literal["train", "val", "test"]
SubsetOption = Annotated[
    Subset | None,
    typer.Option(
        help="Use only this subset of a prepared dataset.",
        show_default=False,
        rich_help_panel="Input",
    ),
]
OldSubsetOption = Annotated[Subset | None, typer.Option("--split", hidden=True)]
#: Commands and flags for helpful options that are not in a dataclass.
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
#: Commands and flags that people know from version 0.1 or from other programs.
_OTHER_NAMES = {
    "measure": "evaluate", "score": "evaluate", "compare": "evaluate", "validate": "check",
    "predict": "segment", "infer": "segment", "run": "segment", "label": "segment",
    "fit": "train", "resume": "train", "divide": "split", "convert": "prepare",
    "import": "prepare", "list": "models", "example": "demo", "paper": "reproduce",
    "--split": "--subset", "--overwrite-existing": "--overwrite", "--force": "--overwrite",
    "--output-folder": "--out", "--output-dir": "--out", "--outdir": "--out",
    "--continue": "--resume", "--tile-size": "--tile", "--window": "--tile",
    "--mpp": "--pixel-size", "--pixel-size-um": "--pixel-size", "--magnification": "--pixel-size",
    "--min-size": "--min-area-um2", "--backend": "--device", "--cpu": "--device",
    "--gpu": "--device", "--formats": "--format", "--weights": "--model", "--lr": "--learning-rate",
    "--batch": "--batch-size", "--filters": "--base-filters", "--start-from": "--fine-tune",
    "--pretrained": "--fine-tune", "--random-seed": "--seed", "--tiles-per-folder": "--shard",
}  # fmt: skip
#: Headings of the help in their order; the last one only names its flags, until --help-all.
_HEADINGS = (
    "Input", "Model", "Nuclei", "Training", "Split", "Scoring", "Output", "Speed", "Options",
    "Advanced",
)  # fmt: skip
_COLUMN = 32  # characters of a flag and its values that may stand beside its text
_LONG = 40  # characters of a path that may precede the reason


def _show_all(context: typer.Context, wanted: bool) -> None:
    if wanted:
        context.meta[__name__] = True
        typer.echo(context.get_help(), color=context.color)
        raise typer.Exit


HelpAllOption = Annotated[
    bool,
    typer.Option("--help-all", is_eager=True, expose_value=False, callback=_show_all, hidden=True),
]


class Command(TyperCommand):
    """A command whose help has its options under headings, a flag and its values in one column."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line: [OPTIONS] IMAGE..."""
        arguments = [param for param in self.params if param.param_type_name == "argument"]
        names = [str(param.metavar) for param in arguments]
        pairs = zip(names, arguments, strict=True)
        return ["[OPTIONS]", *(name if param.required else f"[{name}]" for name, param in pairs)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options under their headings."""
        _write_options(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        with _worded_errors(self, ctx):
            return super().parse_args(ctx, args)


class Group(TyperGroup):
    """The commands."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with the first paragraph of its help, then the options."""
        commands = [self.commands[name] for name in self.list_commands(ctx)]
        rows = [(str(one.name), str(one.help).split("\n\n")[0]) for one in commands]
        with formatter.section(_heading("Commands")):
            _write_rows(formatter, rows)
        _write_options(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        with _worded_errors(self, ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return a command; of an unknown one, say which was meant."""
        if not (args[0] in self.commands or ctx.resilient_parsing):
            ctx.fail(messages.unknown_command(args[0], _meant(args[0], self.list_commands(ctx))))
        return super().resolve_command(ctx, args)


def _heading(text: str) -> str:
    return typer.style(text, bold=True)


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
    for param in command.get_params(ctx):
        argument = param.param_type_name == "argument"
        usual = "Input" if argument else "Options"
        if not (param.hidden or set(param.opts) & set(ctx.help_option_names)):
            groups[param.rich_help_panel or usual].append(_row(param, argument))
    more = [] if ctx.meta.get(__name__) else groups.pop("Advanced")
    for heading, rows in groups.items():
        if rows:
            with formatter.section(_heading(heading)):
                _write_rows(formatter, rows)
    if more:
        formatter.write_paragraph()
        flags = ", ".join(names.split()[0] for names, _ in more)
        formatter.write_text(f"More options, explained by --help-all: {flags}")


def _write_rows(formatter: Any, rows: list[tuple[str, str]]) -> None:
    widths = [len(names) for names, _ in rows if len(names) <= _COLUMN]
    column = max(widths, default=_COLUMN)
    rows = [(typer.style(names, fg="cyan"), text) for names, text in rows]
    formatter.write_dl(rows, col_max=column)


def _row(param: Any, argument: bool) -> tuple[str, str]:
    """Return a parameter as the help has it: its names and values, and its text."""
    text = param.help or ""
    if param.required and not argument:
        text += " (required)"
    elif param.show_default and str(param.default) not in ("None", "False", "[]"):
        text += f" (default: {param.default})"
    names = [] if argument else [", ".join(sorted(param.opts, key=len))]
    return " ".join([*names, *filter(None, [param.metavar])]), text


@contextmanager
def _worded_errors(command: Any, ctx: Any) -> Iterator[None]:
    """Word the errors of flags: the one that was meant, what a value must be."""
    try:
        yield
    except typer.BadParameter as error:
        if error.param is not None and error.message and (form := _form(error.param)):
            error.message = messages.must_be(form)
        raise
    except Exception as error:
        if not hasattr(error, "possibilities"):  # typer's class of this error is not public
            raise
        flags = [flag for param in command.params if not param.hidden for flag in param.opts]
        name = str(getattr(error, "option_name", ""))
        ctx.fail(messages.unknown_option(name, _meant(name, flags)))


def _form(param: Any) -> str:
    """Say what the value of a parameter must be, in place of a library's words."""
    if (metavar := str(param.metavar)).startswith("["):
        return "one of " + metavar.strip("[]").replace("|", ", ")
    form = {"INTEGER": "a whole number", "FLOAT": "a number"}.get(metavar, "")
    return form + (f" of {param.min} or more" if form and param.min is not None else "")


def _meant(name: str, names: list[str]) -> tuple[str, ...]:
    """Return the commands or options that were probably meant."""
    other = _OTHER_NAMES.get(name)
    return (other,) if other and other in names else tuple(get_close_matches(name, names, n=2))


@contextmanager
def as_wrong_usage(
    kind: type[InputError] = InputError, *, hint: str | None = None
) -> Iterator[None]:
    """Turn errors of a kind into wrong usage of the flag `hint`, with exit code 2."""
    try:
        yield
    except kind as error:
        raise typer.BadParameter(sentence(error), param_hint=hint) from None


def subset_of(subset: str | None, was_split: str | None) -> str | None:
    """Return the chosen subset, also if it was given by the option of 0.1."""
    if was_split is not None:
        typer.echo(messages.renamed("--split", "--subset"), err=True)
    return subset or was_split


def on_command_line(context: typer.Context) -> dict[str, Any]:
    """Return the parameters given on the command line, without defaults."""
    return {
        name: value
        for name, value in context.params.items()
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }


def flags_of(helps: Iterable[str]) -> list[str]:
    """Return the flags of the options that would help."""
    flags = dict(_COMMANDS)
    for cls in (TrainingOptions, SplitOptions, PrepareOptions, Options, Outputs):
        flags |= {name: one.flag for name, one in declared(cls).items()}
    return [flags.get(name, "") for name in helps]


def sentence(error: InputError) -> str:
    """Return an error as one line; a long path is at its end, and only its name in front."""
    text, whole = error.text(flags_of(error.helps)), str(error.path or "")
    name = PurePath(whole).name
    if len(whole) <= _LONG or not name or ", " in whole:
        return text
    reason = text.removeprefix(f"{whole}: ")
    return f"{name}: {reason} ({whole})"
