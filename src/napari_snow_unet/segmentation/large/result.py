"""What was found in an image larger than the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keep = Callable[[slice, slice, NDArray[np.int32]], None]
NewMap = Callable[[tuple[int, int]], Any]


@dataclass(frozen=True)
class LargeSegmentation:
    """What is known of the nuclei of a large image; the labels are where they were written to.

    Attributes
    ----------
    threshold : float
        The probability that was exceeded by nuclei.
    nuclei : int
        Number of nuclei.
    area_fraction : float
        Part of the image that is nucleus, 0..1.
    nuclei_per_mm2 : float or None
        None where the pixel size is unknown.
    glass_fraction : float
        Part of the image that is empty glass.
    computed_pixels : int
        Pixels that the network computed, halos included.
    messages : tuple of str
        What a person should be told.
    provenance : dict
        Model, options, threshold and versions.
    """

    threshold: float
    nuclei: int
    area_fraction: float
    nuclei_per_mm2: float | None
    glass_fraction: float
    computed_pixels: int
    messages: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
