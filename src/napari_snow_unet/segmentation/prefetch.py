"""Compute the next items in threads, and yield results in order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from napari_snow_unet.base.processes import SMALL_CALL
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.resample import Resampling, scale_factor

Item = TypeVar("Item")
Result = TypeVar("Result")


def is_small(
    shape: tuple[int, int], model: Model, options: Options, pixel_size_um: float | None
) -> bool:
    """Return whether a plane is one window, small enough to compute several at once."""
    factor = scale_factor(options.effective_pixel_size(pixel_size_um), model.pixel_size_um)
    computed = Resampling.by(factor, shape).new
    small = math.prod(computed) <= SMALL_CALL and max(computed) <= options.tile
    return model.calls_at_once > 1 and small


def in_order(
    items: Iterable[Item],
    compute: Callable[[Item], Result],
    threads: int = 1,
    *,
    is_large: Callable[[Item], bool] = lambda item: False,
) -> Generator[tuple[Item, Result], None, None]:
    """Yield every item with its result, while threads compute the next ones.

    An exception of `compute` is raised when its item is due. At most as many results wait as there
    are threads; an item that `is_large` is submitted only when no other waits. Closing the
    generator ends the threads.
    """
    todo = iter(items)
    pool = ThreadPoolExecutor(threads, "ahead")
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    following = deque(islice(todo, 1))

    def submitted(item: Item) -> Future[Result]:
        try:
            return pool.submit(compute, item)
        except RuntimeError:  # not enough memory for a thread
            return _computed_here(compute, item)

    def submit_next() -> None:
        while following and len(waiting) < threads:
            if waiting and is_large(following[0]):
                return
            item = following.popleft()
            waiting.append((item, submitted(item)))
            following.extend(islice(todo, 1))

    try:
        submit_next()
        while waiting:
            item, future = waiting.popleft()
            result = future.result()
            submit_next()
            yield item, result
    finally:
        pool.shutdown(cancel_futures=True)


def _computed_here(compute: Callable[[Item], Result], item: Item) -> Future[Result]:
    done: Future[Result] = Future()
    try:
        done.set_result(compute(item))
    except Exception as error:
        done.set_exception(error)
    return done
