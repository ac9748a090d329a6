"""Label a probability map larger than memory, with the same labels as in memory.

A nucleus depends on its component of the mask, on holes of at most a few hundred pixels, and on a
margin of a few pixels. So the blocks are processed twice: first to find how far components reach
beyond their block, then to label every component as a whole, in the block of its first pixel, with
the margin it needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.large.blocks import (
    BLOCK,
    BlockNuclei,
    NumberedNuclei,
    Rules,
    at_image_edge,
    belongs_to_block,
    boxes_of,
    components_of,
    grown,
    is_too_long,
    pieces,
    read,
    write,
)
from napari_snow_unet.segmentation.large.seams import Box, Piece, Seams
from napari_snow_unet.segmentation.plane.nuclei import (
    REFERENCE_PIXEL_UM,
    find_components,
    first_pixels,
)
from napari_snow_unet.segmentation.plane.touching import separate_touching
from napari_snow_unet.segmentation.prefetch import in_order

MOST_THREADS = 4  # each needs many times the memory of a block


def label_blocks(
    probability: Any, labels: Any, rules: Rules, *, block: int = BLOCK
) -> Generator[Progress, None, NumberedNuclei]:
    """Label a probability map block by block; writes preliminary numbers to `labels` (zeros).

    `NumberedNuclei.row_major_numbers` turns them into the labels of `label_nuclei` for the whole
    map, whatever the block size. Components longer than 2,048 pixels stay one label each.
    """
    shape = int(probability.shape[0]), int(probability.shape[1])
    threads = min(usable_cores(), MOST_THREADS)
    boxes = boxes_of(shape, block)
    seams, numbered = Seams(shape[1]), {}
    components = partial(components_of, probability, shape=shape, rules=rules)
    with closing(in_order(boxes, components, threads)) as results:
        for done, (box, parts) in enumerate(results, start=1):
            numbered[box] = pieces(*parts, box, seams)
            message = messages.block_label("joining blocks", done, len(boxes))
            yield Progress(done, 2 * len(boxes), message)
    whole = seams.components()
    clumps = {root: whole.pop(root) for root in list(whole) if is_too_long(whole[root].box)}
    owned: dict[tuple[int, int], list[Piece]] = defaultdict(list)  # by the corner of their block
    for piece in whole.values():
        y, x = (place // block * block for place in piece.first)
        owned[y, x].append(piece)
    numbered_nuclei = NumberedNuclei()
    numbers = _number_clumps(clumps, shape, rules, numbered_nuclei)

    def nuclei_of(box: Box) -> BlockNuclei | None:
        return _label_block(probability, box, owned.get(box[:2], []), shape, rules)

    with closing(in_order(boxes, nuclei_of, threads)) as labelled:
        for done, (box, nuclei) in enumerate(labelled, start=1):
            if nuclei is not None:
                nuclei.labels[nuclei.labels > 0] += len(numbered_nuclei.first)
                numbered_nuclei.first += nuclei.first
                numbered_nuclei.area += nuclei.area
                write(labels, nuclei.extent, nuclei.labels)
            inside = {
                part: numbers[root]
                for part, number in numbered[box].items()
                if (root := seams.root(number)) in numbers
            }
            if inside:
                _paint_clumps(probability, labels, box, inside, shape, rules)
            total = len(boxes)
            yield Progress(total + done, 2 * total, messages.block_label("labelling", done, total))
    return numbered_nuclei


def _label_block(
    probability: Any, box: Box, owned: list[Piece], shape: tuple[int, int], rules: Rules
) -> BlockNuclei | None:
    """Label the components whose first pixel is in a block, from 1."""
    extent = box
    for piece in owned:
        extent = (Piece((0, 0), extent, 0) + piece).box
    extent = grown(extent, rules.margin, shape)
    mask = read(probability, extent) > rules.level
    if not mask.any():
        return None
    parts, statistics = find_components(
        mask, fill_holes=rules.fill_holes, pixel_size_um=rules.pixel_size_um
    )
    mine = belongs_to_block(parts, statistics, extent, box, shape)
    if not mine.any():
        return None
    nuclei = parts
    if rules.separate:
        scale = REFERENCE_PIXEL_UM / rules.pixel
        nuclei = separate_touching(parts, statistics, scale=scale, wanted=mine)
    first = first_pixels(nuclei)
    seen = np.flatnonzero(first < nuclei.size)
    keep = np.zeros(first.size, np.bool_)
    keep[seen] = mine[parts.ravel()[first[seen]]]
    areas = np.bincount(nuclei.ravel(), minlength=first.size)
    keep &= areas >= rules.min_area
    keep[0] = False
    if rules.clear_border:
        keep[at_image_edge(nuclei, extent, shape)] = False
    kept = np.flatnonzero(keep)
    table = np.zeros(first.size, np.int32)
    table[kept] = 1 + np.arange(kept.size)
    rows, columns = np.divmod(first[kept], nuclei.shape[1])
    places = (rows + extent[0]) * shape[1] + columns + extent[1]
    return BlockNuclei(extent, table[nuclei], places.tolist(), int(areas[kept].sum()))


def _number_clumps(
    clumps: dict[int, Piece], shape: tuple[int, int], rules: Rules, nuclei: NumberedNuclei
) -> dict[int, int]:
    """Give every component that is too long to be separated a preliminary number."""
    numbers = {}
    for root, piece in clumps.items():
        top, left, bottom, right = piece.box
        at_edge = top == 0 or left == 0 or bottom == shape[0] or right == shape[1]
        if piece.area < rules.min_area or (rules.clear_border and at_edge):
            continue
        nuclei.first.append(piece.first[0] * shape[1] + piece.first[1])
        nuclei.area += piece.area
        numbers[root] = len(nuclei.first)
    return numbers


def _paint_clumps(
    probability: Any,
    labels: Any,
    box: Box,
    numbers: dict[int, int],
    shape: tuple[int, int],
    rules: Rules,
) -> None:
    parts, statistics = components_of(probability, box, shape, rules)
    table = np.zeros(len(statistics), np.int32)
    table[list(numbers)] = list(numbers.values())
    write(labels, box, table[parts])
