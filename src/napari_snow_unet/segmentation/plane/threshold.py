"""Thresholds of 8-bit probability maps, from their histogram."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.options import refusal
from napari_snow_unet.data.pixels.channels import LEVELS


def grey_histogram(probability: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the pixels per grey level, 0 to 255; histograms of blocks add up."""
    return np.bincount(probability.ravel(), minlength=LEVELS).astype(np.int64)


def otsu_level(histogram: NDArray[np.integer]) -> int:
    """Return Otsu's threshold as OpenCV computes it: foreground is above this grey level, 0..255.

    OpenCV is given an image with this histogram; very large counts are scaled down in proportion.
    For a constant map its only grey level is returned, so that there is no foreground.

    Otsu (1979), IEEE Transactions on Systems, Man, and Cybernetics 9:62-66.
    """
    import cv2

    counts = np.asarray(histogram, dtype=np.int64)
    used = np.flatnonzero(counts)
    if used.size == 0:
        return LEVELS - 1
    if used.size == 1:
        return int(used[0])
    largest = 1 << 26
    if counts.sum() > largest:
        counts = np.maximum(counts * (largest / counts.sum()), counts > 0).astype(np.int64)
    grey = np.repeat(np.arange(LEVELS, dtype=np.uint8), counts)
    level, _ = cv2.threshold(grey[None], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return int(level)


def level_of(threshold: float) -> int:
    """Return the grey level above which a probability exceeds a threshold in 0..1."""
    if isinstance(threshold, str) or not 0 <= threshold <= 1:
        raise refusal("threshold", threshold, "otsu or 0 to 1")
    return int(np.floor(threshold * 255))


def choose_level(
    histogram: NDArray[np.integer],
    threshold: float | Literal["otsu"] = "otsu",
    *,
    floor: float = 0.0,
) -> int:
    """Choose the grey level above which a pixel is nucleus.

    Otsu's method finds a threshold even in an image without nuclei, so the probability `floor` is
    its lower bound. A number is used as it is.
    """
    if threshold == "otsu":
        return max(otsu_level(histogram), level_of(floor))
    return level_of(threshold)


def rounded_threshold(threshold: float) -> float:
    """Return a threshold with three decimals that has the same grey level."""
    return math.ceil(round(threshold * 1000, 6)) / 1000


def in_digits(threshold: float) -> str:
    """Return a threshold with three decimals, as shown to the user."""
    return f"{rounded_threshold(threshold):.3f}"
