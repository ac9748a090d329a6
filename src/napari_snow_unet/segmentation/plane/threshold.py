"""Thresholds on 8-bit probability maps, by histogram."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import LEVELS


def grey_histogram(probability: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the pixels per grey level, 0 to 255; histograms of parts add up to the whole's."""
    return np.bincount(probability.ravel(), minlength=LEVELS).astype(np.int64)


def otsu_level(histogram: NDArray[np.integer]) -> int:
    """Find Otsu's threshold as OpenCV finds it: the level in 0..255 that foreground exceeds.

    OpenCV itself is asked, with an image that has this histogram; counts beyond what fits such an
    image are scaled down in proportion. A flat map has no threshold: its only level is returned,
    and nothing is greater.

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
    """Return the grey level that foreground exceeds, of a threshold in 0..1 on the probability."""
    if isinstance(threshold, str) or not 0 <= threshold <= 1:
        raise InputError(
            f"a threshold of {threshold!r}",
            expected="'otsu' or a number from 0 to 1",
            remedy="Choose a probability such as 0.5.",
        )
    return int(np.floor(threshold * 255))


def choose_level(
    histogram: NDArray[np.integer],
    threshold: float | Literal["otsu"] = "otsu",
    *,
    floor: float = 0.0,
) -> int:
    """Choose the grey level above which a pixel is nucleus.

    Otsu's method always finds a threshold, in an image without a single nucleus too. Its level is
    therefore never taken below the probability `floor`; a threshold given as a number is taken as
    it is.
    """
    if threshold == "otsu":
        return max(otsu_level(histogram), level_of(floor))
    return level_of(threshold)


def rounded_threshold(threshold: float) -> float:
    """Return a threshold with three decimals that cuts at the same grey level."""
    return math.ceil(round(threshold * 1000, 6)) / 1000


def in_digits(threshold: float) -> str:
    """Return a threshold as people read and type it."""
    return f"{rounded_threshold(threshold):.3f}"
