"""What is said when something cannot be done, and what to do about it."""

from __future__ import annotations

import os


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
    """

    def __init__(
        self,
        received: str,
        *,
        expected: str,
        remedy: str,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.received, self.expected, self.remedy, self.path = received, expected, remedy, path
        where = f"{os.fspath(path)}: " if path is not None else ""
        super().__init__(f"{where}{received}; expected {expected}. {remedy}")

    @property
    def reason_first(self) -> str:
        """The same with the file at the end, for where only the beginning of a text is seen."""
        if self.path is None:
            return str(self)
        received, first = self.received, self.received.partition(" ")[0]
        if first.isalpha():  # and no name of a file
            received = f"{received[0].upper()}{received[1:]}"
        return f"{received}; expected {self.expected}. {self.remedy} ({os.fspath(self.path)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild the error from its parts when it crosses a process boundary."""
        return _rebuild, (self.received, self.expected, self.remedy, self.path)


def _rebuild(
    received: str, expected: str, remedy: str, path: str | os.PathLike[str] | None
) -> InputError:
    return InputError(received, expected=expected, remedy=remedy, path=path)
