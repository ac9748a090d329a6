"""An option is declared once: name, type and default by a dataclass, the rest by an `Option`.

The shell's flags, the fields of the docks, what is kept in JSON, the arguments of a process and
the checks on all of these are derived from it, and so are the checks on other JSON. pydantic would
make every start of the shell 0.1 to 0.3 s longer.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from napari_snow_unet.base.errors import InputError, Message

REMEDY = "Change this option."
_LONGEST = 80  # characters of a value in an error
_KINDS: dict[Any, str] = {
    bool: "true or false",
    str: "text",
    tuple: "a list of words",
    dict: "numbers, each with a name",
}


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, its type and its default.

    Attributes
    ----------
    help : str
        One line, for the shell's help and the tooltip of a field; empty for what is no option.
    tip : str
        The tooltip, where it is another.
    label : str
        What stands beside its field; empty if no dock has one.
    low, high : float
        Limits of a number, or of those in a dict.
    longest : int, optional
        Most characters of a text for people, which is then printable.
    by : callable, optional
        Refuses, with an `InputError`, what is none of this kind, in place of limits; a number
        that is none is refused before.
    none : str
        What None stands for, in words.
    zero : {"", "none", "own"}
        What 0 stands for in the shell: itself, None, or a word of its own, which is not checked.
    flag : str
        In the shell; by default the name, and for a switch that is on the name behind ``--no-``.
        "-" if the shell does not have it.
    also : tuple of str
        Further flags.
    was : str
        Its name in 0.1, which is still read.
    group : str
        Heading of the flag in the shell's help.
    """

    help: str = ""
    tip: str = ""
    label: str = ""
    low: float = -math.inf
    high: float = math.inf
    longest: int | None = None
    by: Callable[[Any], object] | None = None
    none: str = ""
    zero: Literal["", "none", "own"] = ""
    flag: str = ""
    also: tuple[str, ...] = ()
    was: str = ""
    group: str = ""


_NONE = Option()


@dataclass(frozen=True)
class Declared:
    """A field of a dataclass that is an option."""

    name: str
    # bool, int, float, str, tuple (of words), dict (of numbers) or another class; of several the
    # most general, as float for a number or a word
    type: type
    default: Any
    may_be_none: bool
    choices: tuple[str, ...]  # words that it may be; with a type of float, beside numbers
    option: Option

    @property
    def flag(self) -> str:
        """What the shell calls it; empty if it does not know it."""
        if self.option.flag:
            return self.option.flag.removeprefix("-") and self.option.flag
        return f"--{'no-' if self.default is True else ''}{self.name.replace('_', '-')}"

    @property
    def tooltip(self) -> str:
        """What a field says of itself."""
        return self.option.tip or self.option.help

    def check(self, value: Any, remedy: str = REMEDY) -> None:
        """Refuse a value of the wrong type, beyond the limits or not among the choices."""
        value, number = _plain_number(value), self.type in (int, float)
        if value is None and self.may_be_none:
            return
        if self.option.by is not None and (type(value) in (int, float) or not number):
            self.option.by(value)
        elif expected := self._expected(value):
            raise refusal(self.name, value, expected, remedy)

    def _expected(self, value: Any) -> str:
        """Say what is expected in place of a value, nothing if it will do."""
        words = ", ".join(self.choices)
        if isinstance(value, str) and value in self.choices:
            return ""
        if self.type in (int, float):
            expected = self._number_expected(value)
            return f"{words} or {expected}" if words and expected else expected
        if self.type is str and words:
            return f"one of {words}"
        if not issubclass(type(value), self.type):
            return _KINDS.get(self.type, self.type.__name__)
        if self.type is tuple and not all(isinstance(word, str) for word in value):
            return _KINDS[tuple]
        if self.type is dict:
            if not all(isinstance(name, str) for name in value):
                return _KINDS[dict]
            return next(filter(None, map(self._number_expected, value.values())), "")
        if self.option.longest is not None:
            return _text_expected(value, self.option.longest)
        return ""

    def _number_expected(self, value: Any) -> str:
        whole, low, high = self.type is int, self.option.low, self.option.high
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            return "a whole number" if whole else "a number"
        if isinstance(value, float) and not math.isfinite(value):
            return "a number"
        if not low <= value <= high:
            return f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
        return ""

    def as_words(self, value: Any, *, default_too: bool = False) -> list[str]:
        """Return what is typed in the shell for a value; of a default maybe nothing."""
        if value is None and self.option.zero == "none" and self.flag:
            return [self.flag, "0"]
        if value in (None, ()) or not self.flag:
            return []
        if value == self.default and (self.type is bool or not default_too):
            return []
        if isinstance(value, bool):
            return [self.flag]
        text = ",".join(value) if isinstance(value, tuple | list) else str(value)
        return [self.flag, text]

    def as_plain(self, value: Any) -> Any:
        """Return a value as JSON has it."""
        return list(value) if isinstance(value, tuple) else value

    def from_plain(self, value: Any) -> Any:
        """Return a value from what JSON has, checked."""
        value = tuple(value) if self.type is tuple and isinstance(value, list) else value
        self.check(value)
        return value


@cache
def declared(cls: Any) -> dict[str, Declared]:
    """Return the options of a dataclass, by the names of their fields.

    Parameters
    ----------
    cls : type
        A dataclass, fields of which are annotated with an `Option`.
    """
    return {name: one for name, one in _all_fields(cls).items() if one.option is not _NONE}


@cache
def _all_fields(cls: Any) -> dict[str, Declared]:
    found = {}
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        hint = hints[field.name]
        option = next((x for x in getattr(hint, "__metadata__", ()) if type(x) is Option), _NONE)
        plain, none, choices = _taken_apart(hint)
        default = None if field.default is MISSING else field.default
        found[field.name] = Declared(field.name, plain, default, none, choices, option)
    return found


def without_numpy(options: Any) -> None:
    """Turn NumPy's numbers, which JSON does not take, into Python's; for a ``__post_init__``."""
    for name in declared(type(options)):  # type: ignore[arg-type]
        object.__setattr__(options, name, _plain_number(getattr(options, name)))


def _plain_number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def check(options: Any, remedy: str = REMEDY) -> None:
    """Refuse a dataclass of which a field, be it an option or not, cannot be what it is."""
    for name, one in _all_fields(type(options)).items():  # type: ignore[arg-type]
        one.check(getattr(options, name), remedy)


def refusal(name: str, received: object, expected: str, remedy: str = REMEDY) -> InputError:
    """Return the error for an option that cannot be used."""
    shown = repr(received)
    shown = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
    return InputError(Message(f"The value of {name} is {shown}. It must be {expected}.", remedy))


def _text_expected(text: str, longest: int) -> str:
    if len(text) > longest:
        return f"text of at most {longest} characters"
    if not "".join(text.split()).isprintable():  # what a terminal would obey, half characters
        return "text of printable characters"
    return ""


def _taken_apart(hint: Any) -> tuple[type, bool, tuple[str, ...]]:
    """Return the plain type of an annotation, whether it may be None, and the words it may be."""
    if get_origin(hint) is Annotated:
        return _taken_apart(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return str, False, get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        parts = [_taken_apart(part) for part in get_args(hint) if part is not type(None)]
        numbers = [kind for kind, _, _ in parts if kind is not str] or [str]
        words = tuple(word for _, _, some in parts for word in some)
        return float if float in numbers else numbers[0], type(None) in get_args(hint), words
    return get_origin(hint) or hint, False, ()
