"""Compute in threads what comes next, and give results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    items: Iterable[Item], compute: Callable[[Item], Result], threads: int = 1
) -> Generator[tuple[Item, Result], None, None]:
    """Yield every item with what was computed of it, while threads compute the next ones.

    Parameters
    ----------
    items : iterable
        What to compute, in the order in which it is wanted.
    compute : callable
        Called in other threads; what it raises is raised here in its turn.
    threads : int, default: 1
        How many compute; as many results at most wait to be taken.

    Yields
    ------
    tuple
        Item and result. Close the generator to end the threads before its end.
    """
    todo = iter(items)
    pool = ThreadPoolExecutor(threads, "ahead")
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        waiting.extend((item, pool.submit(compute, item)) for item in islice(todo, threads))
        while waiting:
            item, future = waiting.popleft()
            result = future.result()
            waiting.extend((more, pool.submit(compute, more)) for more in islice(todo, 1))
            yield item, result
    finally:
        pool.shutdown(cancel_futures=True)
