"""Files that could not be used, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.files import write_table
from napari_snow_unet.base.shown import Shown

PROBLEMS = "problems.csv"


@dataclass(frozen=True, repr=False)
class Problem(Shown):
    """A file that was skipped."""

    name: str  # the file, or the image of a pair
    reason: str
    helps: tuple[str, ...] = ()  # names of the options that would help

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return str(self)


def write_problems(folder: Path, problems: Iterable[Problem]) -> Path:
    """Write ``problems.csv``; without problems it has only a header."""
    path = folder / PROBLEMS
    rows = ((problem.name, problem.reason) for problem in problems)
    write_table(path, [("name", "reason"), *rows], overwrite=True)
    return path
