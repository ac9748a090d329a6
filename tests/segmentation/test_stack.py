"""Stacks, plane by plane: as each plane by itself, and again without the network."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from threading import Barrier

import dask.array as da
import numpy as np
import pytest

from napari_snow_unet.base import scratch
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.value_range import EIGHT_BITS
from napari_snow_unet.segmentation import messages, prefetch
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import label, run, segment
from napari_snow_unet.segmentation.plane.threshold import level_of, rounded_threshold
from napari_snow_unet.segmentation.stack import check_stack, relabel_stack, segment_stack
from napari_snow_unet.segmentation.stack_result import was_changed

MODEL = Model(lambda pixels: 1 - pixels[..., 0], "darkness", halo=0)


def discs(radius=9, dark=20, shape=(100, 150)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = (y % 50 - 25) ** 2 + (x % 50 - 25) ** 2 <= radius**2
    return np.where(inside, dark, 200).astype(np.uint8)


STACK = np.stack([discs(), discs(5), discs(7, 60)])


def test_every_plane_is_segmented_as_it_would_be_alone():
    result = run(segment_stack(STACK, MODEL, rgb=False))
    for index, image in enumerate(STACK):
        alone = run(segment(image, MODEL))
        assert np.array_equal(result.labels[index], alone.labels)
        assert np.array_equal(result.probability[index], alone.probability)
        assert result.planes[(index,)].threshold == alone.threshold
    assert result.nuclei == 18
    assert result.labels.dtype == np.int32
    assert json.loads(json.dumps(result.provenance))["planes"][2]["index"] == [2]


def test_a_plane_and_a_stack_of_stacks_are_stacks_too():
    flat = run(segment_stack(STACK[0], MODEL, rgb=False))
    assert flat.labels.shape == (100, 150)
    assert list(flat.planes) == [()]
    assert "planes" not in flat.provenance
    deep = run(segment_stack(STACK[None, :, :, :, None].repeat(3, -1), MODEL, rgb=True))
    assert deep.labels.shape == (1, 3, 100, 150)
    assert np.array_equal(deep.labels[0, 0], flat.labels)


def test_only_the_planes_that_were_asked_for_are_read():
    def read(block, block_info=None):
        number = block_info[0]["chunk-location"][0]
        assert number == 1, f"plane {number} was read"
        return discs()[None]

    lazy = da.zeros((5, 100, 150), chunks=(1, 100, 150), dtype=np.uint8).map_blocks(
        read, dtype=np.uint8
    )
    result = run(segment_stack(lazy, MODEL, rgb=False, planes=[(1,)]))
    assert [plane.max() for plane in result.labels] == [0, 6, 0, 0, 0]


def test_progress_counts_the_windows_of_all_planes():
    seen = []
    run(segment_stack(STACK, MODEL, Options(tile=64), rgb=False), seen.append)
    assert [step.done for step in seen] == list(range(1, 19))
    assert {step.total for step in seen} == {18}
    assert re.findall(r"\d+", seen[6].message) == ["2", "3", "1", "6"]


def test_small_planes_are_segmented_side_by_side_and_large_ones_one_by_one(monkeypatch):
    both = Barrier(2)

    def meeting(pixels):
        both.wait(120)  # for another plane, which would not come if they took turns
        return MODEL.predict(pixels)

    four = np.stack([discs(), discs(5), discs(7, 60), discs(8)])
    expected = run(segment_stack(four, MODEL, rgb=False))
    two = replace(MODEL, predict=meeting, calls_at_once=2)
    met = run(segment_stack(four, two, rgb=False))
    assert np.array_equal(met.labels, expected.labels)
    assert met.provenance == expected.provenance
    monkeypatch.setattr(prefetch, "SMALL_CALL", 100 * 150 - 1)
    computed = []

    def counting(pixels):
        computed.append(1)
        return MODEL.predict(pixels)

    two = replace(MODEL, predict=counting, calls_at_once=2)
    for done, _ in enumerate(segment_stack(four, two, rgb=False), start=1):
        assert done <= len(computed) <= done + two.calls_at_once


class OneReader:
    """A lazy stack that, like a video file, finds its place first and reads then."""

    def __init__(self, stack):
        self._stack, self._place = stack, 0
        self.shape, self.dtype, self.ndim = stack.shape, stack.dtype, stack.ndim

    def __getitem__(self, index):
        self._place = index
        time.sleep(0.01)
        assert self._place == index, "another thread has moved it"
        return self._stack[index]


def test_a_lazy_stack_is_read_by_one_thread_at_a_time():
    two = replace(MODEL, calls_at_once=2)
    lazy = OneReader(np.concatenate([STACK] * 4))
    result = run(segment_stack(lazy, two, rgb=False, values=EIGHT_BITS))
    assert np.array_equal(result.labels, run(segment_stack(lazy._stack, MODEL, rgb=False)).labels)


def test_planes_of_many_windows_are_told_of_one_by_one():
    computed = []

    def counting(pixels):
        computed.append(1)
        return MODEL.predict(pixels)

    coarse = replace(MODEL, predict=counting, calls_at_once=2, pixel_size_um=(0.2, 0.4))
    steps = segment_stack(STACK, coarse, Options(tile=256), rgb=False, pixel_size_um=2.0)
    for done, _ in enumerate(steps, start=1):
        assert done <= len(computed) <= done + coarse.calls_at_once
    assert done > len(STACK)


def test_the_windows_of_a_single_plane_are_told_as_they_come():
    computed = []

    def counting(pixels):
        computed.append(1)
        return MODEL.predict(pixels)

    model = replace(MODEL, predict=counting)
    for done, _ in enumerate(segment_stack(discs(), model, Options(tile=64), rgb=False), start=1):
        assert len(computed) == done


def test_the_range_of_values_is_decided_once():
    """A dark plane of a 16-bit stack must not be taken for an 8-bit one."""
    stack = STACK.astype(np.uint16) * 200
    stack[1] //= 200
    result = run(segment_stack(stack, MODEL, rgb=False))
    assert np.array_equal(result.labels[0], run(segment(STACK[0] / 255, MODEL)).labels)
    assert result.probability[1].min() > 250  # dark throughout


def test_labelling_anew_equals_labelling_at_once_and_needs_no_network():
    chosen = Options(threshold=0.8, min_area=100, clear_border=True)
    first = run(segment_stack(STACK, MODEL, rgb=False))
    again = run(relabel_stack(first.probability, list(first.planes), chosen))
    at_once = run(segment_stack(STACK, MODEL, chosen, rgb=False))
    assert np.array_equal(again.labels, at_once.labels)
    assert again.planes == at_once.planes
    assert again.probability is first.probability


def test_a_changed_pixel_is_noticed():
    result = run(segment_stack(STACK, MODEL, rgb=False, planes=[(0,), (2,)]))
    labels = result.labels.copy()
    assert not was_changed(labels, result.planes)
    labels[1, 0, 0] = 5  # a plane that is not among them
    assert not was_changed(labels, result.planes)
    labels[2, 0, 0] = 5
    assert was_changed(labels, result.planes)


def test_the_summary_counts_and_averages():
    one = run(segment_stack(STACK[0], MODEL, rgb=False, pixel_size_um=0.25))
    area = STACK[0].size * 0.25**2 / 1e6
    assert one.summary.startswith(f"6 nuclei ({6 / area:,.0f} per mm²), 10.1%")
    blank = np.stack([np.full_like(STACK[0], 255), STACK[0]])
    both = run(segment_stack(blank, MODEL, rgb=False))
    assert both.summary.startswith("2 slices, 6 nuclei")
    assert both.messages == (f"1 of 2 slices: {messages.NO_NUCLEI}",)


def test_what_concerns_all_planes_is_said_once():
    known = replace(MODEL, pixel_size_um=(0.2, 0.3))
    result = run(segment_stack(STACK, known, rgb=False))
    (message,) = result.messages
    assert message == messages.unknown_pixel_size(0.2, 0.3)


@pytest.mark.parametrize(
    ("shape", "dtype", "rgb", "problem"),
    [
        ((5,), np.uint8, False, messages.no_pixels((5,)).problem),
        ((0, 5), np.uint8, False, messages.no_pixels((0, 5)).problem),
        ((4, 5, 3), np.uint8, False, messages.NOT_SHOWN_AS_RGB.problem),
        ((4, 5), np.complex64, False, "complex64"),
    ],
)
def test_what_cannot_work_is_refused_without_reading(shape, dtype, rgb, problem):
    with pytest.raises(InputError, match=re.escape(problem)):
        check_stack(shape, dtype, rgb=rgb)


def test_no_plane_at_all_is_refused():
    with pytest.raises(InputError, match=re.escape(messages.NO_PLANE.problem)):
        run(segment_stack(STACK, MODEL, rgb=False, planes=[]))


def test_nothing_is_computed_after_the_generator_is_closed():
    calls = []
    counting = replace(MODEL, predict=lambda pixels: calls.append(1) or 1 - pixels[..., 0])
    steps = segment_stack(STACK, counting, Options(tile=64), rgb=False)
    next(steps)
    steps.close()
    assert len(calls) == 1


def test_a_threshold_in_three_decimals_cuts_at_the_same_level():
    levels = range(256)
    assert [level_of(rounded_threshold(level / 255)) for level in levels] == list(levels)


def test_large_results_lie_on_disk_and_hold_the_same(monkeypatch):
    expected = run(segment_stack(STACK, MODEL, rgb=False))
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 10_000)
    for image, labels in ((STACK, expected.labels), (STACK[0], expected.labels[0])):
        result = run(segment_stack(image, MODEL, rgb=False))
        assert isinstance(result.labels, np.memmap)
        assert isinstance(result.probability, np.memmap)
        assert np.array_equal(result.labels, labels)
        again = run(relabel_stack(result.probability, list(result.planes), Options()))
        assert isinstance(again.labels, np.memmap)
        assert np.array_equal(again.labels, labels)


def test_labels_follow_the_options_like_those_of_one_plane():
    options = Options(output="mask", threshold=0.5)
    result = run(segment_stack(STACK, MODEL, options, rgb=False))
    assert np.array_equal(result.labels[1], label(result.probability[1], options).labels)
    assert set(np.unique(result.labels)) == {0, 1}


def test_planes_without_anything_of_a_region_are_left_out():
    def region(index):
        inside = np.zeros(STACK.shape[-2:], bool)
        inside[:40] = index == (1,)
        return inside

    result = run(segment_stack(STACK, MODEL, rgb=False, region=region))
    assert list(result.planes) == [(1,)]
    assert result.planes[1,].pixels == 40 * STACK.shape[-1]
    assert not result.labels[1, 40:].any()
    again = run(relabel_stack(result.probability, [(1,)], Options(), region=region))
    assert np.array_equal(again.labels, result.labels)
    with pytest.raises(InputError, match=re.escape(messages.EMPTY_REGION.problem)):
        run(segment_stack(STACK, MODEL, rgb=False, planes=[(0,)], region=region))


LARGE = """
import dask.array as da, numpy as np
from napari_snow_unet.base.progress import run
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.stack import segment_stack

y, x = np.mgrid[:512, :512]
tile = np.full((512, 512, 3), 230, np.uint8)
tile[(y % 32 - 16) ** 2 + (x % 32 - 16) ** 2 <= 64] = (110, 60, 140)
run(segment_stack(tile, classical.model(), rgb=True))  # loads the libraries
before = peak()
lazy = da.tile(da.from_array(tile, chunks=(512, 512, 3)), (16, 16, 1))
result = run(segment_stack(lazy, classical.model(), rgb=True))
print(result.nuclei, *result.labels.shape, (peak() - before) / 1e9)
"""


@pytest.mark.slow
def test_an_image_of_8192_pixels_square_needs_less_than_two_gigabytes(measured):
    """The memory depends on the tile, labels and map, not on the size of the lazy image."""
    nuclei, *shape, gigabytes = measured(LARGE)
    assert nuclei == 256 * 256
    assert shape == [8192, 8192]
    assert 0 < gigabytes < 2
