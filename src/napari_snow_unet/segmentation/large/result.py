"""What was found in an image larger than the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.findings import Findings

Keep = Callable[[slice, slice, NDArray[np.int32]], None]
NewMap = Callable[[tuple[int, int]], Any]


@dataclass(frozen=True, kw_only=True)
class LargeSegmentation(Findings):
    """What is known of the nuclei of a large image; the labels are where they were written to.

    Attributes
    ----------
    glass_fraction : float
        Fraction of the image that is empty glass.
    computed_pixels : int
        Pixels that the network computed, halos included.
    """

    glass_fraction: float
    computed_pixels: int
