"""Grey images that are no labels: binary masks with soft edges, probability and distance maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import Message
from napari_snow_unet.data.masks import messages
from napari_snow_unet.data.masks.components import Components

_NEAR = 17  # pixels square: as far as a block of a JPEG reaches from an edge
_BESIDE = 5  # pixels square: as far as resampling reaches
_NARROW, _WIDEST = 1.9, 8.0  # middle greys for every edge, of a mask as it is and enlarged
_TAILS = 0.6  # nearly black and nearly white pixels for each middle grey of a straight slope
_LEVELS = 4  # greys for each pixel of its width, at least


def has_hard_edges(values: npt.NDArray[Any]) -> bool:
    """Tell a binary mask with grey edges from a map; `values` are from 0, and not all 0.

    Resampling and JPEG leave the inside of nuclei at the maximum, and grey only where the mask
    steps: few pixels of middle grey, all beside an edge, and no dark grey but within a block of a
    JPEG from one. What was enlarged has more of them, in straight slopes. A network is unsure in
    other places too.
    """
    import cv2

    unit = (values / values.max()).astype(np.float32)
    half = (unit > 0.5).astype(np.uint8)
    edges = np.count_nonzero(np.diff(half, axis=0)) + np.count_nonzero(np.diff(half, axis=1))
    full, middle = unit >= 0.9, (unit >= 0.1) & (unit < 0.9)
    dark = (unit > 0) & (unit < 0.1)
    if not edges or np.count_nonzero(full) < 0.3 * np.count_nonzero(half):
        return False

    def away_from_edges(pixels: npt.NDArray[np.bool_], reach: int) -> int:
        kernel = np.ones((reach, reach), np.uint8)
        edge = cv2.dilate(half, kernel) != cv2.erode(half, kernel)
        return int(np.count_nonzero(pixels & ~edge))

    width = np.count_nonzero(middle) / edges
    if width > _NARROW:  # enlarged: straight slopes, where blurring leaves feet and shoulders
        tails = np.count_nonzero(dark) + np.count_nonzero(full & (unit < 1))
        straight = tails <= _TAILS * np.count_nonzero(middle)
        if width > _WIDEST or not straight or np.unique(values).size < _LEVELS * width:
            return False
        return bool(away_from_edges(middle, 2 * int(np.ceil(width)) + 3) <= 0.25 * edges)
    return bool(
        away_from_edges(middle, _BESIDE) <= 0.25 * edges
        and away_from_edges(dark, _NEAR) <= 0.05 * np.count_nonzero(dark)
    )


def refusal_of_greys(values: npt.NDArray[Any], components: Components) -> Message:
    """Return the refusal of grey levels that are not a mask: what they look like."""
    counts = components.values.size, components.sizes.size
    unit, inside = values / float(values.max()), components.areas[1:].sum()
    flat = np.bincount(components.owners, components.sizes * components.solid)[1:]
    levels_in_unit = components.values / float(values.max())
    middle = flat[(levels_in_unit >= 0.1) & (levels_in_unit < 0.9)]
    if np.count_nonzero(middle) > 1 and middle.sum() > 0.15 * inside:
        return messages.spoilt_labels(*counts)
    if np.count_nonzero(unit >= 0.9) < 0.1 * np.count_nonzero(unit > 0.2):
        return messages.grey_map("distance", *counts)
    return messages.grey_map("probability", *counts)
