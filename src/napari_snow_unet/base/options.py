"""Options are declared once: name, type and default by a dataclass field, the rest by an `Option`.

The shell's flags, the fields of the docks, the entries in JSON files, the arguments of processes
and the checks on all of them are derived from these declarations. pydantic is not used: it would
slow every start of the shell by 0.1 to 0.3 s.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from napari_snow_unet.base import messages
from napari_snow_unet.base.errors import InputError

_LONGEST = 80  # characters of a value in an error
_KINDS: dict[Any, str] = {
    bool: "true or false",
    str: "text",
    tuple: "a list of words",
    dict: "numbers, each with a name",
}


@dataclass(frozen=True)
class Option:
    """Everything about an option except its name, type and default.

    Attributes
    ----------
    help : str
        One sentence for the shell's help and the tooltip of a field.
    tip : str
        The tooltip, if it differs from the help.
    label : str
        The label of its field; empty if no dock has one.
    low, high : float
        Limits of a number, or of the numbers in a dict.
    longest : int, optional
        Maximum length of a text, which must then be printable.
    by : callable, optional
        Raises `InputError` for unusable values, instead of limits; called only with numbers if the
        option is a number.
    none : str
        The meaning of None, in words.
    zero : {"", "none", "own"}
        The meaning of 0 in the shell: the number, None, or a special value that is not checked.
    flag : str
        The flag in the shell: by default the name, after ``--no-`` for a switch that is on. "-" if
        the shell has none.
    also : tuple of str
        Other flags for the same option.
    was : str
        Its name in version 0.1, which is still accepted.
    group : str
        Heading above the flag in the shell's help.
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
    # bool, int, float, str, tuple (of words), dict (of numbers) or another class; the most general
    # one of several: float for a number or a word
    type: type
    default: Any
    may_be_none: bool
    choices: tuple[str, ...]  # allowed words; with the type float, in addition to numbers
    option: Option

    @property
    def flag(self) -> str:
        """Its flag in the shell; empty if there is none."""
        if self.option.flag:
            return self.option.flag.removeprefix("-") and self.option.flag
        return f"--{'no-' if self.default is True else ''}{self.name.replace('_', '-')}"

    @property
    def tooltip(self) -> str:
        """The tooltip of its field."""
        return self.option.tip or self.option.help

    def check(self, value: Any, remedy: str = "") -> None:
        """Raise an error for a value of the wrong type, out of range or not among the choices."""
        value, number = _plain_number(value), self.type in (int, float)
        if value is None and self.may_be_none:
            return
        if self.option.by is not None and (type(value) in (int, float) or not number):
            self.option.by(value)
        elif expected := self._expected(value):
            raise refusal(self.name, value, expected, remedy)

    def _expected(self, value: Any) -> str:
        """Return the expected kind of value; empty if the value is usable."""
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
        kind = "a whole number" if whole else "a number"
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            return kind
        if isinstance(value, float) and not math.isfinite(value):
            return kind
        if not low <= value <= high:
            if high == math.inf:
                return f"{kind} of {_digits(low)} or more"
            return f"{kind} from {_digits(low)} to {_digits(high)}"
        return ""

    def as_words(self, value: Any, *, default_too: bool = False) -> list[str]:
        """Return the words to type in the shell for a value; none for a default unless wanted."""
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
        """Return a value for JSON."""
        return list(value) if isinstance(value, tuple) else value

    def from_plain(self, value: Any) -> Any:
        """Return a value from JSON, checked."""
        value = tuple(value) if self.type is tuple and isinstance(value, list) else value
        self.check(value)
        return value


@cache
def declared(cls: Any) -> dict[str, Declared]:
    """Return the options of a dataclass by field name.

    Parameters
    ----------
    cls : type
        A dataclass whose fields are annotated with `Option`.
    """
    return {name: one for name, one in _all_fields(cls).items() if one.option is not _NONE}


@cache
def _all_fields(cls: Any) -> dict[str, Declared]:
    declarations = {}
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        hint = hints[field.name]
        option = next((x for x in getattr(hint, "__metadata__", ()) if type(x) is Option), _NONE)
        plain, none, choices = _taken_apart(hint)
        default = None if field.default is MISSING else field.default
        declarations[field.name] = Declared(field.name, plain, default, none, choices, option)
    return declarations


def without_numpy(options: Any) -> None:
    """Convert NumPy numbers to Python numbers, for JSON; for use in ``__post_init__``."""
    for name in declared(type(options)):  # type: ignore[arg-type]
        object.__setattr__(options, name, _plain_number(getattr(options, name)))


def _plain_number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def check(options: Any, remedy: str = "") -> None:
    """Raise an error for the first unusable value in a dataclass."""
    for name, one in _all_fields(type(options)).items():  # type: ignore[arg-type]
        one.check(getattr(options, name), remedy)


def refusal(name: str, received: object, expected: str, remedy: str = "") -> InputError:
    """Return the error for an unusable value of an option."""
    shown = repr(received)
    shown = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
    return InputError(messages.wrong_value(name, shown, expected)._replace(remedy=remedy))


def _digits(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:g}"


def _text_expected(text: str, longest: int) -> str:
    if len(text) > longest:
        return f"text of at most {longest} characters"
    if not "".join(text.split()).isprintable():  # control characters, lone surrogates
        return "text of printable characters"
    return ""


def _taken_apart(hint: Any) -> tuple[type, bool, tuple[str, ...]]:
    """Return the type in an annotation, whether it may be None, and the allowed words."""
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
