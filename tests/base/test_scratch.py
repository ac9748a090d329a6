"""Arrays that are larger than the memory, and gone when nobody needs them."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.base import scratch
from napari_snow_unet.base.errors import InputError


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Path(tmp_path)


def test_small_arrays_are_in_memory(temporary):
    array = scratch.zeros((10, 10), np.int32)
    assert type(array) is np.ndarray
    assert array.dtype == np.int32
    assert not array.any()


def test_large_arrays_are_on_disk_and_leave_nothing_there(temporary):
    array = scratch.zeros((100, 100), np.int32, in_memory=1000)
    assert isinstance(array, np.memmap)
    array[5] = 7
    assert array.sum() == 700
    del array
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_the_limit_is_a_gigabyte():
    assert type(scratch.zeros((1000, 1000, 1000), np.uint8)) is np.ndarray
    assert isinstance(scratch.zeros((1000, 1000, 1001), np.uint8), np.memmap)


def test_what_the_disk_cannot_hold_is_refused(temporary):
    with pytest.raises(InputError, match="TMPDIR"):
        scratch.zeros((10**9, 10**9), np.uint8)


def test_moving_keeps_small_arrays_and_copies_large_ones(monkeypatch):
    array = np.arange(100, dtype=np.int32)
    assert scratch.moved_to_disk(array) is array
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100)
    moved = scratch.moved_to_disk(array)
    assert isinstance(moved, np.memmap)
    assert np.array_equal(moved, array)
