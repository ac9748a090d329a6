"""What a person is told: what happened, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple


def with_ways(text: str, ways: Iterable[str]) -> str:
    """Return a sentence with the ways out at its end, in brackets."""
    named = ", ".join(way for way in ways if way)
    return f"{text.removesuffix('.')} ({named})." if named else text


class Message(NamedTuple):
    """What a person is told, as a room's ``messages.py`` words it."""

    problem: str  # what happened: whole sentences that do not name the file
    remedy: str = ""  # what to do: whole sentences without flags or names of fields
    helps: tuple[str, ...] = ()  # options that would help, by the names of their dataclass fields

    def text(self, ways: Iterable[str] = ()) -> str:
        """Return the sentences, the ways out of a place (flags, fields) at their end."""
        return f"{self.problem} {with_ways(self.remedy, ways)}".strip()


class InputError(ValueError):
    """Input that cannot be used: what happened, what to do about it.

    Parameters
    ----------
    message : Message
        What happened and what helps. The shell adds the flags of the options that help, a dock
        the labels of their fields.
    path : path-like, optional
        The file or folder it is about.
    """

    def __init__(
        self,
        message: Message | str,
        *,
        expected: str = "",
        remedy: str = "",
        path: str | os.PathLike[str] | None = None,
        helps: tuple[str, ...] = (),
    ) -> None:
        if isinstance(message, str):  # the form that is being replaced
            message = Message(f"{message}; expected {expected}.", remedy, helps)
        self.message, self.path = message, path
        super().__init__(self.text())

    @property
    def helps(self) -> tuple[str, ...]:
        """Names of the options that would help."""
        return self.message.helps

    def text(self, ways: Iterable[str] = ()) -> str:
        """Return the error with the file first and the ways out of a place."""
        where = f"{os.fspath(self.path)}: " if self.path is not None else ""
        return where + self.message.text(ways)

    def reason_first(self, ways: Iterable[str] = ()) -> str:
        """Return the error with the file at its end and the ways out of a place."""
        where = f" ({os.fspath(self.path)})" if self.path is not None else ""
        return self.message.text(ways) + where

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild the error from its parts when it crosses a process boundary."""
        return _rebuild, (self.message, self.path)


def _rebuild(message: Message, path: str | os.PathLike[str] | None) -> InputError:
    return InputError(message, path=path)
