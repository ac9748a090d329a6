"""What was found in the planes of a stack, and whether somebody has changed it since."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.axes import Index, plane_last
from napari_snow_unet.segmentation.plane.threshold import in_digits
from napari_snow_unet.segmentation.provenance import result_in_words


@dataclass(frozen=True)
class Plane:
    """What was found in one plane of a stack.

    Attributes
    ----------
    threshold : float
        The probability that was exceeded by nuclei.
    nuclei : int
        Number of nuclei.
    area_fraction : float
        Part of what was looked at that is nucleus, 0..1.
    pixels : int
        How many pixels were looked at.
    fingerprint : int
        Changes when a label in the plane does, see `fingerprint`.
    """

    threshold: float
    nuclei: int
    area_fraction: float
    pixels: int
    fingerprint: int


@dataclass(frozen=True)
class StackSegmentation:
    """The nuclei of some planes of a stack, or of an image that is one plane.

    Attributes
    ----------
    labels : ndarray of int32, shape (..., Y, X)
        As long as the stack; planes that were not segmented hold zeros. Labels start at 1 in
        every plane: the same number in two planes is not the same nucleus.
    probability : ndarray of uint8, shape (..., Y, X)
        Probability of nucleus times 255. Both lie on disk when larger than 1 GB.
    planes : dict from tuple of int to Plane
        The planes that were segmented, by their index in the leading axes.
    pixel_size_um : float or None
        Micrometres per pixel, if known.
    messages : tuple of str
        What a person should be told.
    provenance : dict
        Model, options, thresholds and versions.
    """

    labels: NDArray[np.int32]
    probability: NDArray[np.uint8]
    planes: dict[Index, Plane]
    pixel_size_um: float | None = None
    messages: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def nuclei(self) -> int:
        """Number of nuclei over all planes."""
        return sum(plane.nuclei for plane in self.planes.values())

    @property
    def threshold(self) -> float:
        """The threshold, averaged over planes."""
        return float(np.mean([plane.threshold for plane in self.planes.values()]))

    @property
    def summary(self) -> str:
        """One sentence on nuclei, area and threshold."""
        planes = list(self.planes.values())
        per_mm2 = None
        if self.pixel_size_um is not None:
            pixels = sum(plane.pixels for plane in planes)
            per_mm2 = self.nuclei / (pixels * self.pixel_size_um**2 / 1e6)
        area = float(np.mean([plane.area_fraction for plane in planes]))
        low, high = (in_digits(f(plane.threshold for plane in planes)) for f in (min, max))
        threshold = low if low == high else f"{low} to {high}"
        where = "" if len(planes) == 1 else f"{len(planes)} slices, "
        return where + result_in_words(self.nuclei, per_mm2, area, threshold)


def fingerprint(labels: NDArray[np.int32]) -> int:
    """Return a number that changes when a label in a plane does (CRC-32)."""
    return zlib.crc32(np.ascontiguousarray(labels).data)


def was_changed(labels: Any, planes: Mapping[Index, Plane]) -> bool:
    """Tell whether planes of labels are no longer what was found in them.

    Parameters
    ----------
    labels : array-like, shape (..., Y, X)
        Labels as they are now.
    planes : mapping from tuple of int to Plane
        What was found.

    Returns
    -------
    bool
        True if any of these planes differs.
    """
    return any(
        fingerprint(np.asarray(labels[index])) != plane.fingerprint
        for index, plane in planes.items()
    )


def thresholds_of(planes: Mapping[Index, Plane]) -> dict[str, Any]:
    """Return the thresholds that were used, in plain values that JSON can hold."""
    mean = float(np.mean([plane.threshold for plane in planes.values()]))
    if tuple(planes) == ((),):
        return {"threshold": mean}
    each = [
        {"index": list(index), "threshold": plane.threshold, "nuclei": plane.nuclei}
        for index, plane in planes.items()
    ]
    return {"threshold": mean, "planes": each}


def part_in_words(planes: Collection[Index], shape: tuple[int, ...]) -> str:
    """Say which planes of a stack were segmented, counted from 0 as napari does.

    Parameters
    ----------
    planes : collection of tuple of int
        Indices into the leading axes.
    shape : tuple of int
        Shape of the stack without colours.

    Returns
    -------
    str
        "slice 0 of 4" or "2 of 4 slices"; empty if all planes were.
    """
    total = math.prod(plane_last(shape)[:-2])
    if len(planes) >= total:
        return ""
    if len(planes) > 1:
        return f"{len(planes)} of {total} slices"
    (index,) = planes
    return f"slice {index[0] if len(index) == 1 else index} of {total}"
