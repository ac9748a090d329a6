"""Long work as a generator of plain values: what it yields, and how to exhaust it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """How far a long task is: `done` of `total` steps, and what it is doing."""

    done: int
    total: int
    message: str = ""


def run(
    steps: Generator[Progress, None, Result],
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Exhaust a generator of progress and return what it returns.

    Parameters
    ----------
    steps : generator
        Such as `segmentation.pipeline.segment` and `prepare.dataset.prepare` give.
    on_progress : callable, optional
        Called with every progress.

    Returns
    -------
    object
        The generator's return value.
    """
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        if on_progress is not None:
            on_progress(progress)


def passed_on(
    steps: Generator[Progress, None, Result], of_the_whole: Callable[[Progress], Progress]
) -> Generator[Progress, None, Result]:
    """Go through a part of some work, told as progress of the whole; it is closed with it."""
    try:
        while True:
            yield of_the_whole(next(steps))
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        steps.close()


def done_at_once(
    steps: Generator[Progress, None, Result],
) -> Generator[Progress, None, Result]:
    """Exhaust the generator of short work, and return one that gives the same once more."""
    seen: list[Progress] = []
    result = run(steps, seen.append)

    def again() -> Generator[Progress, None, Result]:
        yield from seen
        return result

    return again()
