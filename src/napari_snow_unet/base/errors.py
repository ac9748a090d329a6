"""Messages to the user: what happened, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple


def with_ways(text: str, ways: Iterable[str]) -> str:
    """Return a text with flags or names of fields at its end, in brackets."""
    named = ", ".join(way for way in ways if way)
    return f"{text.removesuffix('.')} ({named})." if named else text


class Message(NamedTuple):
    """A message to the user, from the ``messages.py`` of a room."""

    problem: str  # what happened: full sentences, without the name of the file
    remedy: str = ""  # what to do: full sentences, without flags or names of fields
    helps: tuple[str, ...] = ()  # options that would help: names of dataclass fields

    def text(self, ways: Iterable[str] = ()) -> str:
        """Return the sentences, followed by flags or names of fields."""
        return f"{self.problem} {with_ways(self.remedy, ways)}".strip()


class InputError(ValueError):
    """Input that cannot be used.

    Parameters
    ----------
    message : Message
        What happened and what to do. The shell adds the flags of the options that would help,
        a dock the labels of their fields.
    path : path-like, optional
        The file or folder concerned.
    """

    def __init__(self, message: Message, *, path: str | os.PathLike[str] | None = None) -> None:
        self.message, self.path = message, path
        super().__init__(self.text())

    @property
    def helps(self) -> tuple[str, ...]:
        """Names of the options that would help."""
        return self.message.helps

    def text(self, ways: Iterable[str] = ()) -> str:
        """Return the error as text: the file first, flags or names of fields last."""
        where = f"{os.fspath(self.path)}: " if self.path is not None else ""
        return where + self.message.text(ways)

    def reason_first(self, ways: Iterable[str] = ()) -> str:
        """Return the error as text: the reason first, the file last."""
        where = f" ({os.fspath(self.path)})" if self.path is not None else ""
        return self.message.text(ways) + where

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the message and the path, so that the error can cross processes."""
        return _rebuild, (self.message, self.path)


def _rebuild(message: Message, path: str | os.PathLike[str] | None) -> InputError:
    return InputError(message, path=path)
