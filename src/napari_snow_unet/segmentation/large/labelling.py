"""Label a probability map that is larger than the memory, with the labels of the whole.

A nucleus depends on the component of the mask that it lies in, on holes of at most a few hundred
pixels in it, and on what lies within a few pixels of it. So the map is gone through twice, block by
block: first to learn which components reach beyond their block and how far, then to label every
component in one piece, in the block that holds its first pixel, with the surroundings it needs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.progress import Progress
from napari_snow_unet.data.workers import usable_cores
from napari_snow_unet.segmentation.ahead import in_order
from napari_snow_unet.segmentation.large.seams import Box, Piece, Seams
from napari_snow_unet.segmentation.nuclei import (
    LARGEST_HOLE_UM2,
    REFERENCE_PIXEL_UM,
    fill_small_holes,
    find_components,
    first_pixels,
    split_touching,
)

BLOCK = 2048  # pixels a side
LARGEST_CLUMP = 2048  # pixels a side: what reaches further is no clump of nuclei and stays whole
MOST_THREADS = 4  # each needs the memory of a block many times over
SEEN = 16  # pixels of 0.25 um around a component that its splitting depends on

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Rules:
    """What is a nucleus; see `nuclei.label_nuclei`."""

    level: int
    split: bool = True
    min_area: float = 0.0
    fill_holes: bool = True
    clear_border: bool = False
    pixel_size_um: float | None = None

    @property
    def pixel(self) -> float:
        """Micrometres per pixel."""
        return self.pixel_size_um or REFERENCE_PIXEL_UM

    @property
    def reach(self) -> int:
        """How many pixels around a place decide on the holes in it."""
        return 2 + (math.ceil(LARGEST_HOLE_UM2 / self.pixel**2) if self.fill_holes else 0)

    @property
    def margin(self) -> int:
        """How many pixels around a component are needed to label it."""
        return self.reach + math.ceil(SEEN * max(1.0, REFERENCE_PIXEL_UM / self.pixel))


@dataclass
class Found:
    """The nuclei found so far, numbered from 1 in the order in which they were found.

    Parameters
    ----------
    first : list of int
        Position of the first pixel of each, in reading order of the whole image.
    area : int
        Pixels of all.
    """

    first: list[int] = field(default_factory=list)
    area: int = 0

    def in_reading_order(self) -> Labels:
        """Return the final number of every preliminary one; 0 stays 0."""
        table = np.zeros(len(self.first) + 1, np.int32)
        table[np.argsort(np.asarray(self.first, np.int64)) + 1] = np.arange(1, table.size)
        return table


def label_blocks(
    probability: Any, labels: Any, rules: Rules, *, block: int = BLOCK
) -> Generator[Progress, None, Found]:
    """Label a probability map block by block.

    Parameters
    ----------
    probability : array-like of uint8, shape (Y, X)
        Sliced like an array, such as a Zarr array.
    labels : array-like of int32, shape (Y, X)
        Zeros; takes preliminary labels.
    rules : Rules
        What is a nucleus.
    block : int, default: 2048
        Side of a block in pixels; the result does not depend on it.

    Yields
    ------
    Progress
        After every block, in both rounds.

    Returns
    -------
    Found
        `Found.in_reading_order` gives the labels of `label_nuclei` for the whole map, but for
        components that are longer than 2,048 pixels: each of those stays one label.
    """
    shape = int(probability.shape[0]), int(probability.shape[1])
    threads = min(usable_cores(), MOST_THREADS)
    corners = list(product(range(0, shape[0], block), range(0, shape[1], block)))
    boxes = [(y, x, min(y + block, shape[0]), min(x + block, shape[1])) for y, x in corners]
    seams, numbered = Seams(shape[1]), {}
    components = partial(_components_of, probability, shape=shape, rules=rules)
    with closing(in_order(boxes, components, threads)) as found_parts:
        for done, (box, parts) in enumerate(found_parts, start=1):
            numbered[box] = _pieces(*parts, box, seams)
            yield Progress(done, 2 * len(boxes), f"finding seams, block {done} of {len(boxes)}")
    whole = seams.components()
    clumps = {root for root, piece in whole.items() if _longest(piece.box) > LARGEST_CLUMP}
    owned: dict[Box, list[Piece]] = defaultdict(list)
    for root, piece in whole.items():
        y, x = (place // block * block for place in piece.first)
        if root not in clumps:
            owned[y, x, min(y + block, shape[0]), min(x + block, shape[1])].append(piece)
    found = Found()
    numbers = _number_clumps(clumps, whole, shape, rules, found)

    def nuclei_of(box: Box) -> _Nuclei | None:
        return _label_block(probability, box, owned.get(box, []), shape, rules)

    with closing(in_order(boxes, nuclei_of, threads)) as labelled:
        for done, (box, nuclei) in enumerate(labelled, start=1):
            if nuclei is not None:
                nuclei.labels[nuclei.labels > 0] += len(found.first)
                found.first += nuclei.first
                found.area += nuclei.area
                _write(labels, nuclei.region, nuclei.labels)
            inside = {
                part: numbers[root]
                for part, number in numbered[box].items()
                if (root := seams.root(number)) in numbers
            }
            if inside:
                _paint_clumps(probability, labels, box, inside, shape, rules)
            total = len(boxes)
            yield Progress(total + done, 2 * total, f"labelling, block {done} of {total}")
    return found


def _pieces(parts: Labels, statistics: NDArray[np.int32], box: Box, seams: Seams) -> dict[int, int]:
    """Take in the components of a block that touch its edge; return their numbers in `seams`."""
    edges = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    numbers: dict[int, int] = {}
    table = np.full(len(statistics), -1, np.int64)
    top, left = box[:2]
    for part in np.unique(edges[edges > 0]).tolist():
        x, y, width, height, area = (int(value) for value in statistics[part])
        column = int(np.argmax(parts[y, x : x + width] == part)) + x
        place = top + y, left + x, top + y + height, left + x + width
        numbers[part] = seams.add(Piece((top + y, left + column), place, area))
        table[part] = numbers[part]
    seams.join(parts, table, top, left)
    return numbers


def _components_of(
    probability: Any, box: Box, shape: tuple[int, int], rules: Rules
) -> tuple[Labels, NDArray[np.int32]]:
    """Return the components within a box, its holes filled as in the whole image."""
    around = _grown(box, rules.reach, shape)
    mask = (_read(probability, around) > rules.level).astype(np.uint8)
    if rules.fill_holes:
        mask = fill_small_holes(mask, LARGEST_HOLE_UM2 / rules.pixel**2)
    return find_components(mask[_within(box, around)], fill_holes=False)


@dataclass(frozen=True)
class _Nuclei:
    """The nuclei that belong to a block: their region, labels in it, first pixels and area."""

    region: Box
    labels: Labels
    first: list[int]
    area: int


def _label_block(
    probability: Any, box: Box, owned: list[Piece], shape: tuple[int, int], rules: Rules
) -> _Nuclei | None:
    """Label every component whose first pixel lies in a block, from 1 on."""
    region = box
    for piece in owned:
        region = (Piece((0, 0), region, 0) + piece).box
    region = _grown(region, rules.margin, shape)
    mask = _read(probability, region) > rules.level
    if not mask.any():
        return None
    parts, statistics = find_components(
        mask, fill_holes=rules.fill_holes, pixel_size_um=rules.pixel_size_um
    )
    mine = _is_mine(parts, statistics, region, box, shape)
    if not mine.any():
        return None
    nuclei = parts
    if rules.split:
        scale = REFERENCE_PIXEL_UM / rules.pixel
        nuclei = split_touching(parts, statistics, scale=scale, wanted=mine)
    first = first_pixels(nuclei)
    seen = np.flatnonzero(first < nuclei.size)
    keep = np.zeros(first.size, np.bool_)
    keep[seen] = mine[parts.ravel()[first[seen]]]
    areas = np.bincount(nuclei.ravel(), minlength=first.size)
    keep &= areas >= rules.min_area
    keep[0] = False
    if rules.clear_border:
        keep[_at_image_edge(nuclei, region, shape)] = False
    kept = np.flatnonzero(keep)
    table = np.zeros(first.size, np.int32)
    table[kept] = 1 + np.arange(kept.size)
    rows, columns = np.divmod(first[kept], nuclei.shape[1])
    places = (rows + region[0]) * shape[1] + columns + region[1]
    return _Nuclei(region, table[nuclei], places.tolist(), int(areas[kept].sum()))


def _is_mine(
    parts: Labels, statistics: NDArray[np.int32], region: Box, box: Box, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Tell which components of a region begin in a block and are seen whole."""
    first = first_pixels(parts)
    rows, columns = np.divmod(first, parts.shape[1])
    rows, columns = rows + region[0], columns + region[1]
    mine = (rows >= box[0]) & (rows < box[2]) & (columns >= box[1]) & (columns < box[3])
    x, y, width, height = statistics[:, :4].T
    cut = (y == 0) & (region[0] > 0) | (x == 0) & (region[1] > 0)
    cut |= (y + height == parts.shape[0]) & (region[2] < shape[0])
    cut |= (x + width == parts.shape[1]) & (region[3] < shape[1])
    mine &= ~cut & (np.maximum(width, height) <= LARGEST_CLUMP)
    mine[0] = False
    return np.asarray(mine)


def _number_clumps(
    clumps: set[int],
    whole: dict[int, Piece],
    shape: tuple[int, int],
    rules: Rules,
    found: Found,
) -> dict[int, int]:
    """Give every component that is too long to be labelled in one piece a preliminary number."""
    numbers = {}
    for root in sorted(clumps):
        piece = whole[root]
        top, left, bottom, right = piece.box
        at_edge = top == 0 or left == 0 or bottom == shape[0] or right == shape[1]
        if piece.area < rules.min_area or (rules.clear_border and at_edge):
            continue
        found.first.append(piece.first[0] * shape[1] + piece.first[1])
        found.area += piece.area
        numbers[root] = len(found.first)
    return numbers


def _paint_clumps(
    probability: Any,
    labels: Any,
    box: Box,
    numbers: dict[int, int],
    shape: tuple[int, int],
    rules: Rules,
) -> None:
    parts, statistics = _components_of(probability, box, shape, rules)
    table = np.zeros(len(statistics), np.int32)
    table[list(numbers)] = list(numbers.values())
    _write(labels, box, table[parts])


def _at_image_edge(nuclei: Labels, region: Box, shape: tuple[int, int]) -> NDArray[np.int32]:
    edges = [np.zeros(0, np.int32)]
    edges += [nuclei[0]] if region[0] == 0 else []
    edges += [nuclei[:, 0]] if region[1] == 0 else []
    edges += [nuclei[-1]] if region[2] == shape[0] else []
    edges += [nuclei[:, -1]] if region[3] == shape[1] else []
    return np.unique(np.concatenate(edges))


def _grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    top, left, bottom, right = box
    return (
        max(top - margin, 0),
        max(left - margin, 0),
        min(bottom + margin, shape[0]),
        min(right + margin, shape[1]),
    )


def _within(box: Box, around: Box) -> tuple[slice, slice]:
    return (
        slice(box[0] - around[0], box[2] - around[0]),
        slice(box[1] - around[1], box[3] - around[1]),
    )


def _longest(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _read(array: Any, box: Box) -> NDArray[Any]:
    return np.asarray(array[box[0] : box[2], box[1] : box[3]])


def _write(labels: Any, box: Box, new: Labels) -> None:
    """Write where there is something new; a region reaches into other blocks' places."""
    rows, columns = np.flatnonzero(new.any(axis=1)), np.flatnonzero(new.any(axis=0))
    if rows.size == 0:
        return
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    new = new[part]
    place = (
        slice(box[0] + int(rows[0]), box[0] + int(rows[-1]) + 1),
        slice(box[1] + int(columns[0]), box[1] + int(columns[-1]) + 1),
    )
    there = np.asarray(labels[place])
    labels[place] = np.where(new > 0, new, there)
