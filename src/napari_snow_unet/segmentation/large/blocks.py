"""Blocks of a map larger than memory, and the components in them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.large.seams import Box, Piece, Seams
from napari_snow_unet.segmentation.plane.nuclei import (
    LARGEST_HOLE_UM2,
    REFERENCE_PIXEL_UM,
    fill_small_holes,
    find_components,
    first_pixels,
)

BLOCK = 2048  # pixels a side
LARGEST_CLUMP = 2048  # pixels a side; longer components are not separated
SEEN = 16  # pixels of 0.25 um around a component that its separation depends on

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Rules:
    """How nuclei are found in a probability map."""

    level: int  # grey level; nuclei are above it
    separate: bool = True
    min_area: float = 0.0  # pixels
    fill_holes: bool = True
    clear_border: bool = False
    pixel_size_um: float | None = None

    @property
    def pixel(self) -> float:
        """Micrometres per pixel."""
        return self.pixel_size_um or REFERENCE_PIXEL_UM

    @property
    def reach(self) -> int:
        """Pixels around a block that are needed to fill its holes."""
        return 2 + (math.ceil(LARGEST_HOLE_UM2 / self.pixel**2) if self.fill_holes else 0)

    @property
    def margin(self) -> int:
        """Pixels around a component that are needed to label it."""
        return self.reach + math.ceil(SEEN * max(1.0, REFERENCE_PIXEL_UM / self.pixel))


@dataclass
class NumberedNuclei:
    """The nuclei so far, with preliminary numbers from 1."""

    first: list[int] = field(default_factory=list)  # flat index of each first pixel
    area: int = 0  # pixels of all

    def row_major_numbers(self) -> Labels:
        """Return the final number of every preliminary one; 0 stays 0."""
        table = np.zeros(len(self.first) + 1, np.int32)
        table[np.argsort(np.asarray(self.first, np.int64)) + 1] = np.arange(1, table.size)
        return table


def boxes_of(shape: tuple[int, int], side: int) -> list[Box]:
    """Return the blocks of an image in row-major order."""
    corners = product(range(0, shape[0], side), range(0, shape[1], side))
    return [(y, x, min(y + side, shape[0]), min(x + side, shape[1])) for y, x in corners]


def pieces(parts: Labels, statistics: NDArray[np.int32], box: Box, seams: Seams) -> dict[int, int]:
    """Add the components that touch the edge of a block to `seams`; return their numbers."""
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


def components_of(
    probability: Any, box: Box, shape: tuple[int, int], rules: Rules
) -> tuple[Labels, NDArray[np.int32]]:
    """Return the components in a box, with holes filled as in the whole image."""
    around = grown(box, rules.reach, shape)
    mask = (read(probability, around) > rules.level).astype(np.uint8)
    if rules.fill_holes:
        mask = fill_small_holes(mask, LARGEST_HOLE_UM2 / rules.pixel**2)
    return find_components(mask[_within(box, around)], fill_holes=False)


@dataclass(frozen=True)
class BlockNuclei:
    """The nuclei of a block: their extent, labels in it, first pixels and area."""

    extent: Box
    labels: Labels
    first: list[int]
    area: int


def belongs_to_block(
    parts: Labels, statistics: NDArray[np.int32], extent: Box, box: Box, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which components of an extent have their first pixel in a block and are complete."""
    first = first_pixels(parts)
    rows, columns = np.divmod(first, parts.shape[1])
    rows, columns = rows + extent[0], columns + extent[1]
    mine = (rows >= box[0]) & (rows < box[2]) & (columns >= box[1]) & (columns < box[3])
    x, y, width, height = statistics[:, :4].T
    cut = (y == 0) & (extent[0] > 0) | (x == 0) & (extent[1] > 0)
    cut |= (y + height == parts.shape[0]) & (extent[2] < shape[0])
    cut |= (x + width == parts.shape[1]) & (extent[3] < shape[1])
    mine &= ~cut & (np.maximum(width, height) <= LARGEST_CLUMP)
    mine[0] = False
    return np.asarray(mine)


def is_too_long(box: Box) -> bool:
    """Return whether a component is too long to be a clump of nuclei."""
    return max(box[2] - box[0], box[3] - box[1]) > LARGEST_CLUMP


def at_image_edge(nuclei: Labels, extent: Box, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Return the labels of nuclei that touch the edge of the image."""
    edges = [np.zeros(0, np.int32)]
    edges += [nuclei[0]] if extent[0] == 0 else []
    edges += [nuclei[:, 0]] if extent[1] == 0 else []
    edges += [nuclei[-1]] if extent[2] == shape[0] else []
    edges += [nuclei[:, -1]] if extent[3] == shape[1] else []
    return np.unique(np.concatenate(edges))


def grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    """Return a box with a margin, clipped to the image."""
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


def read(array: Any, box: Box) -> NDArray[Any]:
    """Return the pixels of a box."""
    return np.asarray(array[box[0] : box[2], box[1] : box[3]])


def write(labels: Any, box: Box, new: Labels) -> None:
    """Write the new labels; the extent may overlap other blocks, whose labels are kept."""
    rows, columns = np.flatnonzero(new.any(axis=1)), np.flatnonzero(new.any(axis=0))
    if rows.size == 0:
        return
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    new = new[part]
    place = (
        slice(box[0] + int(rows[0]), box[0] + int(rows[-1]) + 1),
        slice(box[1] + int(columns[0]), box[1] + int(columns[-1]) + 1),
    )
    before = np.asarray(labels[place])
    labels[place] = np.where(new > 0, new, before)
