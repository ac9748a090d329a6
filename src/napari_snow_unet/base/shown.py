"""Results that show themselves: in one line of text, and in a notebook as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

LONGEST = 100  # characters of a line


class Shown:
    """A result of one line, which is all that a prompt shows of it."""

    __slots__ = ()

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        raise NotImplementedError

    def __repr__(self) -> str:
        line = " ".join(f"<{type(self).__name__}: {self.one_line()}".split())
        return f"{line if len(line) < LONGEST else line[: LONGEST - 4] + '...'}>"

    def _repr_html_(self) -> str:
        return paragraph(self.one_line())


def paragraph(text: str) -> str:
    """Return a line of text as HTML."""
    return f"<p>{escape(text)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts as HTML."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
