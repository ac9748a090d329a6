"""What is doubtful about the masks of a whole dataset: nothing in them, all in them, inverted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

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
    """Say what is doubtful about the masks of a dataset, from many of its tiles; '' if nothing."""
    tiles = len(covers)
    if not any(cover.foreground for cover in covers):
        return "No mask has a nucleus in it." if tiles else ""
    if all(cover.foreground == 1 for cover in covers):
        return "Every mask is nucleus all over: background is 0 in a mask."
    inverted = sum(cover.foreground > _HALF and cover.darker < 0 for cover in covers)
    if 2 * inverted > tiles:
        return (
            f"The masks may be inverted: in {inverted:,} of {tiles:,} tiles they mark more than "
            "half, and what they mark is brighter than the rest. Nuclei are dark, and background "
            "is 0 in a mask."
        )
    mostly = sum(cover.foreground > MOSTLY for cover in covers)
    if 2 * mostly > tiles:
        return (
            f"In {mostly:,} of {tiles:,} masks more than {MOSTLY:.0%} is nucleus. Check that they "
            "mark nuclei, neither cells nor the background."
        )
    return ""


def marks_nothing_useful(covers: Sequence[Cover]) -> bool:
    """Tell whether nothing can be learnt from masks: all of them are empty, or all full."""
    return len({cover.foreground for cover in covers}) == 1 and covers[0].foreground in (0.0, 1.0)
