"""The parameters of a command: flags derived from dataclasses, and the form of their values."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from napari_snow_unet.base.messages import not_a_number
from napari_snow_unet.base.options import Declared, declared
from napari_snow_unet.cli import messages
from napari_snow_unet.cli.usage import HelpAllOption, as_wrong_usage, on_command_line

_OLD = "was_"
_VALUES: dict[Any, str] = {str: "TEXT", int: "INTEGER", float: "FLOAT", Path: "PATH"}


def in_shell_form(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with ``--help-all``, whose parameters name their values in its help."""

    @functools.wraps(command)
    def called(*, help_all: bool = False, **values: Any) -> Any:
        return command(**values)

    parameters = list(inspect.signature(command, eval_str=True).parameters.values())
    for parameter in parameters:
        if get_origin(parameter.annotation) is Annotated:
            hint, info = get_args(parameter.annotation)
            several = "..." if list in _parts(hint) else ""
            argument = isinstance(info, type(typer.Argument()))
            name = parameter.name.upper() + several
            info.metavar = info.metavar or (name if argument else _metavar(hint))
    return _with_signature(called, [*parameters, _keyword("help_all", HelpAllOption, False)])


def _parts(hint: Any) -> list[Any]:
    """Return all types and words of an annotation."""
    return [get_origin(hint) or hint, *(part for arg in get_args(hint) for part in _parts(arg))]


def _metavar(hint: Any) -> str | None:
    """Return INTEGER, PATH or [auto|cpu]; None for a flag without a value."""
    parts = _parts(hint)
    words = [part for part in parts if isinstance(part, str)]
    types = [_VALUES[part] for part in parts if isinstance(part, type) and part in _VALUES]
    return f"[{'|'.join(words + types)}]" if words else next(iter(types), None)


def takes(**classes: type) -> Callable[[Callable[..., Any]], Any]:
    """Give a command the options of dataclasses as flags.

    The flags replace each parameter named in `classes`. The command receives their checked values
    as a dict with the names of the fields.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        flags = {name: _flags(cls) for name, cls in classes.items()}
        names = {flag.name for some in flags.values() for flag in some}

        @functools.wraps(command)
        def called(**values: Any) -> Any:
            chosen = {name: values_of(cls, values) for name, cls in classes.items()}
            others = {name: value for name, value in values.items() if name not in names}
            return command(**others, **chosen)

        return with_parameters(called, command, flags)

    return decorated


def with_parameters(
    called: Callable[..., Any],
    command: Callable[..., Any],
    instead: Mapping[str, list[inspect.Parameter]],
) -> Callable[..., Any]:
    """Give a function the parameters of another, some of them replaced."""
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        parameters += instead.get(name, [parameter])
    return _with_signature(called, parameters)


def _with_signature(
    called: Callable[..., Any], parameters: list[inspect.Parameter]
) -> Callable[..., Any]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [parameter.replace(kind=keyword) for parameter in parameters]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    return called


def values_of(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a dataclass from the arguments of a command, checked."""
    return {name: _value(one, values) for name, one in _in_shell(cls).items()}


def takes_given(
    defaults: Callable[[Declared], str], without: Collection[str] = (), **classes: type
) -> Callable[[Callable[..., Any]], Any]:
    """Give a command optional flags; it receives the values of those on the command line.

    `defaults` returns the default of an option in words, for the help; options named in `without`
    get no flag. The command has a parameter ``context``.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        open_ones = {
            name: [one for one in _in_shell(cls).values() if one.name not in without]
            for name, cls in classes.items()
        }

        def flag(one: Declared) -> inspect.Parameter:
            return _parameter(one, None, f"{one.option.help} (default: {defaults(one)})")

        flags = {name: [flag(one) for one in some] for name, some in open_ones.items()}

        @functools.wraps(command)
        def called(**values: Any) -> Any:
            given = on_command_line(values["context"])
            chosen = {}
            for name, some in open_ones.items():
                chosen[name] = {one.name: _value(one, given) for one in some if one.name in given}
                for one in some:
                    del values[one.name]
            return command(**values, **chosen)

        return with_parameters(called, command, flags)

    return decorated


def _in_shell(cls: type) -> dict[str, Declared]:
    return {name: one for name, one in declared(cls).items() if one.flag}


def _flags(cls: type) -> list[inspect.Parameter]:
    flags = []
    for name, one in _in_shell(cls).items():
        none = one.option.none
        text = f"{one.option.help} (default: {none})" if none else one.option.help
        flags.append(_parameter(one, one.default, text))
        if one.option.was and one.default is True:
            old = typer.Option(f"--no-{one.option.was.replace('_', '-')}", hidden=True)
            flags.append(_keyword(_OLD + name, Annotated[bool, old], False))
    return flags


def _parameter(one: Declared, default: Any, text: str) -> inspect.Parameter:
    shown = default not in (None, ()) and one.type is not bool and not one.option.none
    option = typer.Option(
        one.flag,
        *one.option.also,
        help=text,
        show_default=shown,
        rich_help_panel=one.option.group or None,
        metavar=f"[{'|'.join(one.choices)}|FLOAT]" if one.choices and one.type is float else None,
    )
    if one.type is bool:
        return _keyword(one.name, Annotated[bool, option], False)
    if one.type is tuple:
        return _keyword(one.name, Annotated[list[str], option], list(default or ()))
    kind: Any = one.type
    if one.choices:
        kind = Literal[one.choices] if one.type is str else str
        default = default if default is None else str(default)
    may_be_none = one.may_be_none or default is None
    return _keyword(one.name, Annotated[kind | None if may_be_none else kind, option], default)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _value(one: Declared, values: Mapping[str, Any]) -> Any:
    """Return the value of an option, checked."""
    value = values.get(one.name)
    if one.type is bool:
        switched = bool(value)
        if values.get(_OLD + one.name):
            typer.echo(messages.renamed(f"--no-{one.option.was}", one.flag), err=True)
            switched = True
        return switched is not (one.default is True)
    if one.type is tuple:
        parts = [part.strip() for text in value or () for part in text.split(",")]
        value = tuple(dict.fromkeys(part for part in parts if part))
    elif isinstance(value, str) and one.type is float and value not in one.choices:
        value = _number(value, one)
    if one.option.zero and value == 0:
        return None if one.option.zero == "none" else value
    with as_wrong_usage(hint=one.flag):
        one.check(value)
    return value


def _number(text: str, one: Declared) -> float:
    try:
        return float(text)
    except ValueError:
        problem = not_a_number(repr(text), one.choices).problem
        raise typer.BadParameter(problem, param_hint=one.flag) from None
