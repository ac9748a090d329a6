"""What was found in the planes of a stack, and whether somebody has changed it since."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.scratch import moved_to_disk, zeros
from napari_snow_unet.data.pixels.axes import Index, plane_last
from napari_snow_unet.segmentation.findings import Findings
from napari_snow_unet.segmentation.pipeline import Segmentation
from napari_snow_unet.segmentation.plane.threshold import in_digits


@dataclass(frozen=True, kw_only=True)
class Plane(Findings):
    """What was found in one plane of a stack."""

    fingerprint: int  # changes when a label in the plane does


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
    def together(self) -> Findings:
        """What was found in all planes."""
        planes = list(self.planes.values())
        return Findings(
            threshold=float(np.mean([plane.threshold for plane in planes])),
            nuclei=sum(plane.nuclei for plane in planes),
            area_fraction=float(np.mean([plane.area_fraction for plane in planes])),
            pixels=sum(plane.pixels for plane in planes),
            pixel_size_um=self.pixel_size_um,
            messages=self.messages,
            provenance=self.provenance,
        )

    @property
    def nuclei(self) -> int:
        """Number of nuclei over all planes."""
        return self.together.nuclei

    @property
    def threshold(self) -> float:
        """The threshold, averaged over planes."""
        return self.together.threshold

    @property
    def summary(self) -> str:
        """One sentence on nuclei, area and threshold."""
        thresholds = [plane.threshold for plane in self.planes.values()]
        low, high = in_digits(min(thresholds)), in_digits(max(thresholds))
        where = "" if len(thresholds) == 1 else f"{len(thresholds)} slices, "
        return where + self.together.in_words(low if low == high else f"{low} to {high}")


class Together:
    """Puts planes together as they are found; `maps` where these are there from the start."""

    def __init__(self, shape: tuple[int, ...], maps: NDArray[np.uint8] | None = None) -> None:
        self._shape, self._maps, self._takes_maps = shape, maps, maps is None
        self._labels: NDArray[np.int32] | None = None
        self._said: list[tuple[str, ...]] = []
        self._provenance: dict[str, Any] = {}
        self.planes: dict[Index, Plane] = {}

    def taking(self, index: Index, found: Segmentation | None) -> Self:
        """Take over what was found in a plane, if anything of it was wanted."""
        if found is not None:
            self._labels = self._with(self._labels, index, found.labels)
            if self._takes_maps:
                self._maps = self._with(self._maps, index, found.probability)
            self._provenance = self._provenance or found.provenance
            self._said.append(found.messages)
            self.planes[index] = _without_arrays(found)
        return self

    def _with(self, whole: NDArray[Any] | None, index: Index, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the whole with a plane in its place; that itself where there is no other."""
        if not index:
            return moved_to_disk(plane)
        whole = zeros(self._shape, plane.dtype) if whole is None else whole
        whole[index] = plane
        return whole

    def result(self, shape: tuple[int, ...]) -> StackSegmentation:
        """Return what was found, in the shape that was given; there must be a plane."""
        assert self._labels is not None
        assert self._maps is not None
        return StackSegmentation(
            labels=self._labels.reshape(shape),
            probability=self._maps.reshape(shape),
            planes=self.planes,
            pixel_size_um=next(iter(self.planes.values())).pixel_size_um,
            messages=_messages(self._said),
            provenance=self._provenance | thresholds_of(self.planes),
        )


def _without_arrays(found: Segmentation) -> Plane:
    return Plane(
        threshold=found.threshold,
        nuclei=found.nuclei,
        area_fraction=found.area_fraction,
        pixels=found.pixels,
        pixel_size_um=found.pixel_size_um,
        fingerprint=fingerprint(found.labels),
    )


def fingerprint(labels: NDArray[np.int32]) -> int:
    """Return a number that changes when a label in a plane does (CRC-32)."""
    return zlib.crc32(np.ascontiguousarray(labels).data)


def was_changed(labels: Any, planes: Mapping[Index, Plane]) -> bool:
    """Tell whether planes of labels are no longer what was found in them."""
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


def planes_in_words(planes: Collection[Index], shape: tuple[int, ...]) -> str:
    """Say which planes were segmented ("slice 0 of 4", "2 of 4 slices"), nothing if all were.

    They are counted from 0, as napari does.
    """
    total = math.prod(plane_last(shape)[:-2])
    if len(planes) >= total:
        return ""
    if len(planes) > 1:
        return f"{len(planes)} of {total} slices"
    (index,) = planes
    return f"slice {index[0] if len(index) == 1 else index} of {total}"


def _messages(said: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Say once what concerns several planes."""
    counts = Counter(message for messages in said for message in messages)
    return tuple(
        message if count == len(said) else f"{count} of {len(said)} slices: {message}"
        for message, count in counts.items()
    )
