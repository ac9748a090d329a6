"""The result for a stack, and whether a user has edited it since."""

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
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.findings import Findings
from napari_snow_unet.segmentation.pipeline import Segmentation
from napari_snow_unet.segmentation.plane.threshold import in_digits


@dataclass(frozen=True, kw_only=True)
class Plane(Findings):
    """The result for one plane of a stack, without its arrays."""

    fingerprint: int  # of the labels; changes when a label is edited


@dataclass(frozen=True)
class StackSegmentation:
    """The nuclei of some planes of a stack, or of a single plane.

    Attributes
    ----------
    labels : ndarray of int32, shape (..., Y, X)
        Has the shape of the stack; planes that were not segmented are 0. Labels start at 1 in
        every plane: equal numbers in two planes are different nuclei.
    probability : ndarray of uint8, shape (..., Y, X)
        Probability of nucleus times 255. Both arrays are on disk if larger than 1 GB.
    planes : dict from tuple of int to Plane
        The segmented planes, by their index in the leading axes.
    pixel_size_um : float or None
        Micrometres per pixel; None if unknown.
    messages : tuple of str
        Notes for the user.
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
    def overall(self) -> Findings:
        """The numbers over all planes."""
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
        return self.overall.nuclei

    @property
    def threshold(self) -> float:
        """The threshold, averaged over planes."""
        return self.overall.threshold

    @property
    def summary(self) -> str:
        """Nuclei, area and threshold in one line."""
        thresholds = [plane.threshold for plane in self.planes.values()]
        low, high = in_digits(min(thresholds)), in_digits(max(thresholds))
        line = self.overall.in_words(messages.thresholds_label(low, high))
        several = len(thresholds) > 1
        return f"{messages.slices_label(len(thresholds), None)}, {line}" if several else line


class StackBuilder:
    """Collects the results of planes; `maps` are their probability maps if these exist already."""

    def __init__(self, shape: tuple[int, ...], maps: NDArray[np.uint8] | None = None) -> None:
        self._shape, self._maps, self._takes_maps = shape, maps, maps is None
        self._labels: NDArray[np.int32] | None = None
        self._messages: list[tuple[str, ...]] = []
        self._provenance: dict[str, Any] = {}
        self.planes: dict[Index, Plane] = {}

    def add(self, index: Index, result: Segmentation | None) -> Self:
        """Add the result of a plane; None if the region is empty in it."""
        if result is not None:
            self._labels = self._with(self._labels, index, result.labels)
            if self._takes_maps:
                self._maps = self._with(self._maps, index, result.probability)
            self._provenance = self._provenance or result.provenance
            self._messages.append(result.messages)
            self.planes[index] = _without_arrays(result)
        return self

    def _with(self, whole: NDArray[Any] | None, index: Index, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the whole array with a plane put in; the plane itself if there is no other."""
        if not index:
            return moved_to_disk(plane)
        whole = zeros(self._shape, plane.dtype) if whole is None else whole
        whole[index] = plane
        return whole

    def result(self, shape: tuple[int, ...]) -> StackSegmentation:
        """Return the result in the shape of the image; at least one plane must have been added."""
        assert self._labels is not None
        assert self._maps is not None
        return StackSegmentation(
            labels=self._labels.reshape(shape),
            probability=self._maps.reshape(shape),
            planes=self.planes,
            pixel_size_um=next(iter(self.planes.values())).pixel_size_um,
            messages=_merged(self._messages),
            provenance=self._provenance | thresholds_of(self.planes),
        )


def _without_arrays(result: Segmentation) -> Plane:
    return Plane(
        threshold=result.threshold,
        nuclei=result.nuclei,
        area_fraction=result.area_fraction,
        pixels=result.pixels,
        pixel_size_um=result.pixel_size_um,
        fingerprint=fingerprint(result.labels),
    )


def fingerprint(labels: NDArray[np.int32]) -> int:
    """Return a number that changes when a label of a plane changes (CRC-32)."""
    return zlib.crc32(np.ascontiguousarray(labels).data)


def was_changed(labels: Any, planes: Mapping[Index, Plane]) -> bool:
    """Return whether labels were edited since the planes were segmented."""
    return any(
        fingerprint(np.asarray(labels[index])) != plane.fingerprint
        for index, plane in planes.items()
    )


def thresholds_of(planes: Mapping[Index, Plane]) -> dict[str, Any]:
    """Return the thresholds of the planes, as plain values for JSON."""
    mean = float(np.mean([plane.threshold for plane in planes.values()]))
    if tuple(planes) == ((),):
        return {"threshold": mean}
    each = [
        {"index": list(index), "threshold": plane.threshold, "nuclei": plane.nuclei}
        for index, plane in planes.items()
    ]
    return {"threshold": mean, "planes": each}


def planes_in_words(planes: Collection[Index], shape: tuple[int, ...]) -> str:
    """Return which planes were segmented, as "2 of 4 slices"; empty if all of them were."""
    total = math.prod(plane_last(shape)[:-2])
    if len(planes) >= total:
        return ""
    if len(planes) > 1:
        return messages.slices_label(len(planes), total)
    (index,) = planes
    return messages.one_slice_label(index, total)


def _merged(notes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return each note once, with the number of planes if it does not concern all of them."""
    counts = Counter(note for of_plane in notes for note in of_plane)
    return tuple(
        note if count == len(notes) else f"{messages.slices_label(count, len(notes))}: {note}"
        for note, count in counts.items()
    )
