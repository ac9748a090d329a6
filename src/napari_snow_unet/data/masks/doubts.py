"""Doubts about the masks of a whole dataset: all empty, all full, inverted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.masks import messages
from napari_snow_unet.data.masks.judgement import MOSTLY

_HALF = 0.5


@dataclass(frozen=True)
class Cover:
    """How much of a tile its mask marks."""

    foreground: float  # share of the pixels
    # by how much these are darker than the others, in the image's unit; 0 if all or none
    darker: float = 0.0


def cover_of(image: npt.NDArray[Any], marked: npt.NDArray[np.bool_]) -> Cover:
    """Measure what a mask marks in a bright-field image, in which nuclei are dark."""
    foreground = float(marked.mean())
    if foreground in (0.0, 1.0):
        return Cover(foreground)
    inside, outside = (float(image[where].mean()) for where in (marked, ~marked))
    return Cover(foreground, outside - inside)


def doubt_about_masks(covers: Sequence[Cover]) -> str:
    """Return what is doubtful about the masks of a dataset, from many of its tiles, or ''."""
    tiles = len(covers)
    if not any(cover.foreground for cover in covers):
        return messages.NO_NUCLEI if tiles else ""
    if all(cover.foreground == 1 for cover in covers):
        return messages.ALL_NUCLEUS
    inverted = sum(cover.foreground > _HALF and cover.darker < 0 for cover in covers)
    if 2 * inverted > tiles:
        return messages.may_be_inverted(inverted, tiles)
    mostly = sum(cover.foreground > MOSTLY for cover in covers)
    if 2 * mostly > tiles:
        return messages.marks_most(mostly, tiles, MOSTLY)
    return ""


def marks_nothing_useful(covers: Sequence[Cover]) -> bool:
    """Tell whether nothing can be learnt from masks, since all are empty or all are full."""
    return len({cover.foreground for cover in covers}) == 1 and covers[0].foreground in (0.0, 1.0)
