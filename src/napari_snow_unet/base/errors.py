"""What is said when something cannot be done, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable


def with_ways(text: str, ways: Iterable[str]) -> str:
    """Return a sentence with the ways out at its end, in brackets."""
    named = ", ".join(way for way in ways if way)
    return f"{text.removesuffix('.')} ({named})." if named else text


class InputError(ValueError):
    """Input that cannot be used: what was received, what was expected, what to do about it.

    Parameters
    ----------
    received : str
        What was found, as the subject of the sentence.
    expected : str
        What would have been right.
    remedy : str
        What the person can do now.
    path : path-like, optional
        The file or folder it is about; it is named first.
    helps : tuple of str
        Names of the options that would help. The shell says their flags, a dock its fields.
    """

    def __init__(
        self,
        received: str,
        *,
        expected: str,
        remedy: str,
        path: str | os.PathLike[str] | None = None,
        helps: tuple[str, ...] = (),
    ) -> None:
        self.received, self.expected, self.remedy, self.path = received, expected, remedy, path
        self.helps = helps
        super().__init__(self.said())

    def said(self, ways: Iterable[str] = ()) -> str:
        """Return the error as one sentence, the file first, with the ways out of a place."""
        where = f"{os.fspath(self.path)}: " if self.path is not None else ""
        remedy = with_ways(self.remedy, ways)
        return f"{where}{self.received}; expected {self.expected}. {remedy}"

    def reason_first(self, ways: Iterable[str] = ()) -> str:
        """Return the error with the file at the end, and the ways out of a place."""
        if self.path is None:
            return self.said(ways)
        received, first = self.received, self.received.partition(" ")[0]
        if first.isalpha():  # and no name of a file
            received = f"{received[0].upper()}{received[1:]}"
        remedy = with_ways(self.remedy, ways)
        return f"{received}; expected {self.expected}. {remedy} ({os.fspath(self.path)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild the error from its parts when it crosses a process boundary."""
        return _rebuild, (self.received, self.expected, self.remedy, self.path, self.helps)


def _rebuild(
    received: str,
    expected: str,
    remedy: str,
    path: str | os.PathLike[str] | None,
    helps: tuple[str, ...],
) -> InputError:
    return InputError(received, expected=expected, remedy=remedy, path=path, helps=helps)
