"""The table of docs/your_files.md: what happens to each kind of file, and the check of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Outcome = Literal["accepted", "accepted, with a note", "refused"]


@dataclass(frozen=True)
class Case:
    """One kind of file or layout as other people have it.

    Attributes
    ----------
    title : str
        What a person has, as the page says it.
    outcome : {"accepted", "accepted, with a note", "refused"}
        What becomes of it, in a word.
    happens : str
        What becomes of it, in a sentence or two: the rule, the note or the remedy.
    check : callable
        Makes such files below an empty folder, gives them to every command that reads them and
        asserts the right value.
    """

    title: str
    outcome: Outcome
    happens: str
    check: Callable[[Path], None]


def rows(cases: Sequence[Case]) -> list[str]:
    """Return the lines of a table in Markdown."""
    head = ["| you have | outcome | what happens |", "| --- | --- | --- |"]
    return head + [f"| {case.title} | {case.outcome} | {case.happens} |" for case in cases]


def sections() -> dict[str, tuple[str, Sequence[Case]]]:
    """Return the tables of the page by heading, each with a sentence in front of it."""
    import image_cases
    import layout_cases
    import mask_cases
    import outline_cases

    return {
        "Layouts": (layout_cases.ABOUT, layout_cases.CASES),
        "Masks": (mask_cases.ABOUT, mask_cases.CASES),
        "Images": (image_cases.ABOUT, image_cases.CASES),
        "Outlines": (outline_cases.ABOUT, outline_cases.CASES),
    }


def page() -> str:
    """Return docs/your_files.md."""
    about = (
        "Every command and every dock reads files through the same functions, so each row below"
        " holds for all of them. Each row is a test."
    )
    lines = ["# What happens to your files", "", about]
    for heading, (about, cases) in sections().items():
        lines += ["", f"## {heading}", "", about, "", *rows(cases)]
    return "\n".join(lines) + "\n"
