"""Progress of long tasks, which are generators that yield it and return their result."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """Progress of a task: `done` of `total` steps, and a message about the current one."""

    done: int
    total: int
    message: str = ""


def run(
    steps: Generator[Progress, None, Result],
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Run a task to its end and return its result.

    Parameters
    ----------
    steps : generator
        For example from `segmentation.pipeline.segment` or `prepare.dataset.prepare`.
    on_progress : callable, optional
        Called with each progress.

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
    """Run a sub-task, with its progress converted to that of the whole task."""
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
    """Run a short task now, and return a generator that repeats its progress and result."""
    seen: list[Progress] = []
    result = run(steps, seen.append)

    def again() -> Generator[Progress, None, Result]:
        yield from seen
        return result

    return again()
