"""Computing ahead in threads: in order, a few at a time, errors in their turn, no thread left."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from napari_snow_unet.segmentation.prefetch import in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_few_wait(threads):
    begun = []

    def compute(number):
        begun.append(number)
        time.sleep(0.01 * (number % 3))
        return number**2

    for number, squared in in_order(range(20), compute, threads):
        assert squared == number**2
        assert len(begun) <= number + 1 + threads
    assert sorted(begun) == list(range(20))


def test_the_next_is_computed_while_one_is_used():
    going_on = threading.Event()

    def compute(number):
        if number == 1:
            going_on.set()
        return number

    with closing(in_order(range(3), compute)) as results:
        next(results)
        assert going_on.wait(60)


def test_an_error_comes_in_its_turn_and_ends_the_threads():
    def compute(number):
        if number == 2:
            raise ValueError("two")
        return number

    before = threading.active_count()
    results = in_order(range(5), compute, 2)
    assert [next(results)[1] for _ in range(2)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert threading.active_count() == before


def test_of_large_items_no_more_than_one_waits():
    begun, taken = [], []
    anything = threading.Condition()

    def compute(number):
        with anything:
            begun.append(number)
            # 4 waits until 3 is taken, 5 until 4 is; behind 5 there is room for two small ones.
            assert len(taken) >= {4: 3, 5: 4, 6: 4, 7: 4}.get(number, 0), number
            anything.notify_all()

    for number, _ in in_order(range(8), compute, 3, is_large=lambda number: number in (4, 5)):
        with anything:
            least = {0: 4, 1: 4, 2: 4, 3: 5}.get(number, 8)
            assert anything.wait_for(lambda least=least: len(begun) >= least, timeout=600)
            taken.append(number)


def test_closing_ends_the_threads():
    before = threading.active_count()
    with closing(in_order(range(100), lambda number: number, 4)) as results:
        next(results)
    assert threading.active_count() == before
