"""The pipeline for images larger than memory; files are passed in as arrays and functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.pixels.channels import LEVELS
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.findings import Findings
from napari_snow_unet.segmentation.large.blocks import BLOCK, Rules, boxes_of
from napari_snow_unet.segmentation.large.glass import CELL, Cells, cells_of, glass_cleared
from napari_snow_unet.segmentation.large.labelling import label_blocks
from napari_snow_unet.segmentation.large.windows import (
    ComputeAll,
    Computed,
    WindowPlan,
    compute_here,
)
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plan import make_plan
from napari_snow_unet.segmentation.plane.resample import Resampling, Window
from napari_snow_unet.segmentation.plane.threshold import choose_level
from napari_snow_unet.segmentation.prefetch import in_order
from napari_snow_unet.segmentation.test_time_augmentation import augmented

Keep = Callable[[slice, slice, NDArray[np.int32]], None]
NewMap = Callable[[tuple[int, int]], Any]


@dataclass(frozen=True, kw_only=True)
class LargeSegmentation(Findings):
    """Numbers on the nuclei of a large image, whose labels were written to disk.

    Attributes
    ----------
    glass_fraction : float
        Fraction of the image that is empty glass.
    computed_pixels : int
        Pixels that the network computed, halos included.
    """

    glass_fraction: float
    computed_pixels: int


def segment_large(
    image: Any,
    model: Model,
    options: Options,
    probability: Any,
    preliminary: Any,
    keep: Keep,
    new_map: NewMap,
    *,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
    inside: NDArray[np.bool_] | None = None,
    compute_all: ComputeAll | None = None,
    block: int = BLOCK,
) -> Generator[Progress, None, LargeSegmentation]:
    """Segment a plane that need not fit into memory.

    The labels equal those of `pipeline.segment`, with two exceptions: the probability of glass is
    0, and a component longer than 2,048 pixels stays one label.

    Parameters
    ----------
    image : array-like, shape (Y, X) or (Y, X, 3|4)
        Lazy, such as a dask array; read window by window.
    model : Model
        The network or the classical method.
    options : Options
        Threshold, output and so on.
    probability, preliminary : array-like of uint8 and of int32, shape (Y, X)
        Zeros, such as Zarr arrays on disk, for the probability map and for preliminary labels.
    keep : callable
        Takes rows, columns and final labels of every block, in row-major order.
    new_map : callable
        Returns an array like `probability` of another shape, for the map at the model's scale.
    pixel_size_um : float, optional
        Micrometres per pixel; `options.pixel_size_um` overrides it.
    values : ValueRange, optional
        White value of the image, if it was chosen before.
    inside : ndarray of bool, shape (Y, X), optional
        Region of interest, see `pipeline.label`; may be a memory map.
    compute_all : callable, optional
        Computes windows elsewhere, in any order; by default `windows.compute_here`.
    block : int, default: 2048
        Side of the blocks in pixels.

    Yields
    ------
    Progress
        After every window and block.

    Returns
    -------
    LargeSegmentation
        Numbers on the nuclei.

    Raises
    ------
    InputError
        If the image or an option cannot be used; before anything is computed.
    """
    plan = make_plan(image, model, options, pixel_size_um=pixel_size_um, values=values)
    grid, windows = plan.grid, plan.windows
    at_scale = probability if grid.is_none else new_map(grid.new)
    if inside is not None:
        windows = [planned for planned in windows if inside[grid.needed(planned.core)].any()]
    compute_all = compute_all or partial(compute_here, image, augmented(model, options))
    with closing(compute_all(WindowPlan(grid, plan.channel, plan.values), windows)) as computed:
        predicted = yield from _predict_large(
            computed, len(windows), grid, at_scale, probability, inside
        )
    level = choose_level(predicted.histogram, options.threshold, floor=model.threshold_floor)
    rules = Rules(
        level=level,
        separate=options.separate and options.output == "nuclei",
        min_area=plan.smallest_px,
        fill_holes=options.fill_holes,
        clear_border=options.clear_border,
        pixel_size_um=plan.pixel_size_um,
    )
    numbered = yield from label_blocks(probability, preliminary, rules, block=block)
    table = numbered.row_major_numbers()
    if options.output == "mask":
        table = (table > 0).astype(np.int32)
    blocks = _blocks(grid.old, block)

    def final(window: Window) -> NDArray[np.int32]:
        labels = table[np.asarray(preliminary[window])]
        return labels if inside is None else labels * inside[window]

    with closing(in_order(blocks, final)) as pieces:
        for done, (window, piece) in enumerate(pieces, start=1):
            keep(*window, piece)
            yield Progress(done, len(blocks), messages.block_label("writing", done, len(blocks)))
    nuclei, pixels = len(numbered.first), int(predicted.histogram.sum())
    return LargeSegmentation(
        threshold=level / 255,
        nuclei=nuclei,
        area_fraction=numbered.area / pixels,
        pixels=pixels,
        pixel_size_um=plan.pixel_size_um,
        glass_fraction=predicted.glass_fraction,
        computed_pixels=predicted.computed_pixels,
        messages=(() if nuclei else (messages.NO_NUCLEI,)) + plan.messages,
        provenance=plan.provenance(level / 255),
    )


@dataclass(frozen=True)
class Predicted:
    """Numbers on a probability map."""

    histogram: NDArray[np.int64]  # pixels per grey level, of the region if there is one
    computed_pixels: int  # halos included
    glass_fraction: float  # of the cells


def _predict_large(
    windows: Iterable[Computed],
    count: int,
    grid: Resampling,
    at_scale: Any,
    probability: Any,
    inside: NDArray[np.bool_] | None,
) -> Generator[Progress, None, Predicted]:
    """Assemble the probability map; outside the region it is 0 and not counted."""
    histogram, computed = np.zeros(LEVELS, np.int64), 0
    glass = np.zeros([-(-length // CELL) for length in grid.old], np.bool_)
    for done, window in enumerate(windows, start=1):
        planned, core = window.planned, window.probability
        glass[cells_of(planned.core, grid)] = window.glass
        if core is None:
            core = np.zeros([part.stop - part.start for part in planned.core], np.uint8)
        else:
            computed += math.prod(part.stop - part.start for part in planned.window)
        if grid.is_none:
            histogram += _store_and_count(core, planned.core, probability, inside)
        elif core.any():
            at_scale[planned.core] = core
        yield Progress(done, count, messages.step_label("tile", done, count))
    if not grid.is_none:
        histogram += yield from _bring_back(at_scale, probability, grid, glass, inside)
    return Predicted(histogram, computed, float(glass.mean()))


def _bring_back(
    at_scale: Any,
    probability: Any,
    grid: Resampling,
    glass: Cells,
    inside: NDArray[np.bool_] | None,
) -> Generator[Progress, None, NDArray[np.int64]]:
    """Resample a map to the image's grid; return its histogram."""
    histogram = np.zeros(LEVELS, np.int64)
    blocks, own = _blocks(grid.old, BLOCK), Resampling(grid.old, grid.old)

    def on_own_grid(window: Window) -> NDArray[np.uint8]:
        piece = grid.back.take(np.asarray(at_scale[grid.back.needed(window)]), window)
        return glass_cleared(piece, glass[cells_of(window, own)], window, own)

    with closing(in_order(blocks, on_own_grid)) as pieces:
        for done, (window, piece) in enumerate(pieces, start=1):
            histogram += _store_and_count(piece, window, probability, inside)
            yield Progress(done, len(blocks), messages.block_label("resampling", done, len(blocks)))
    return histogram


def _store_and_count(
    piece: NDArray[np.uint8], window: Window, probability: Any, inside: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Write a window of the map; return its histogram, of the region only."""
    counted = piece
    if inside is not None:
        counted, piece = piece[inside[window]], piece * inside[window]
    if piece.any():
        probability[window] = piece
    return np.bincount(counted.ravel(), minlength=LEVELS)


def _blocks(shape: tuple[int, int], side: int) -> list[Window]:
    return [np.s_[top:bottom, left:right] for top, left, bottom, right in boxes_of(shape, side)]
