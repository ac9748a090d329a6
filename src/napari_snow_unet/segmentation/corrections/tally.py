"""How corrected labels differ from the automatic ones: which nuclei were added, deleted and so on.

It is read off the labels themselves, not off the actions that led to them, so that it holds after
every undo and redo and for strokes of a brush, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.stack_result import Plane

COUNTED = 1 << 22  # ids up to here are counted, larger ones sorted
STRIP = 128  # rows counted at a time, so that they stay in the processor's cache


@dataclass(frozen=True)
class Edits:
    """The net difference between automatic and corrected labels of a plane, in ids."""

    n_automatic: int = 0
    n_now: int = 0
    added: tuple[int, ...] = ()  # corrected nuclei
    deleted: tuple[int, ...] = ()  # automatic nuclei
    separated: tuple[int, ...] = ()  # automatic nuclei that are several now
    merged: tuple[int, ...] = ()  # corrected nuclei that were several
    reshaped: tuple[int, ...] = ()  # corrected nuclei that gained or lost pixels only
    n_pixels: int = field(default=0, compare=False)  # of all corrected nuclei

    @property
    def edited(self) -> bool:
        """Whether there is any difference."""
        return any((self.added, self.deleted, self.separated, self.merged, self.reshaped))

    def as_numbers(self) -> dict[str, int]:
        """Return how many of each there are, for a record of where labels come from."""
        numbers = {"n_automatic": self.n_automatic, "n_now": self.n_now}
        kinds = ("added", "deleted", "separated", "merged", "reshaped")
        return numbers | {kind: len(getattr(self, kind)) for kind in kinds}


@dataclass(frozen=True, eq=False)
class Pairs:
    """How many changed pixels had one label and have another: three arrays of equal length."""

    before: NDArray[np.int64]
    now: NDArray[np.int64]
    pixels: NDArray[np.int64]

    @classmethod
    def of(cls, before: NDArray[Any], now: NDArray[Any]) -> Pairs:
        """Compare automatic and corrected labels of one shape."""
        changed = before != now
        return cls.counted(before[changed], now[changed], np.ones(np.count_nonzero(changed), int))

    @classmethod
    def counted(cls, before: NDArray[Any], now: NDArray[Any], pixels: NDArray[Any]) -> Pairs:
        """Add up pixels of equal labels."""
        ids, places = np.unique(np.concatenate([before, now]), return_inverse=True)
        codes = places[: len(before)] * len(ids) + places[len(before) :]
        distinct, back = np.unique(codes, return_inverse=True)
        one, other = np.divmod(distinct, max(len(ids), 1))
        total = np.bincount(back, pixels, len(distinct)).astype(np.int64)
        return cls(ids[one].astype(np.int64), ids[other].astype(np.int64), total)

    def equals(self, other: Pairs) -> bool:
        """Tell whether both are of the same labels and pixels."""
        names = ("before", "now", "pixels")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    @classmethod
    def together(cls, several: list[Pairs]) -> Pairs:
        """Add up the pairs of several windows."""
        if not several:
            return cls(*(np.zeros(0, np.int64) for _ in range(3)))
        names = ("before", "now", "pixels")
        return cls.counted(
            *(np.concatenate([getattr(each, name) for each in several]) for name in names)
        )


@dataclass(frozen=True, eq=False)
class Areas:
    """The pixels of each nucleus of a plane: ids, ascending and without 0, and their areas."""

    ids: NDArray[np.int64]
    areas: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[Any]) -> Areas:
        """Count the pixels of every nucleus."""
        largest = int(labels.max(initial=0))
        if largest > COUNTED or int(labels.min(initial=0)) < 0:
            ids, areas = np.unique(labels[labels != 0], return_counts=True)
            return cls(ids.astype(np.int64), areas)
        areas = np.zeros(largest + 1, np.int64)
        for top in range(0, len(labels), STRIP):
            areas += np.bincount(labels[top : top + STRIP].ravel(), minlength=largest + 1)
        areas[0] = 0
        ids = np.flatnonzero(areas)
        return cls(ids, areas[ids])

    def get(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the areas of some ids, 0 for those that are not there."""
        if not len(self.ids):
            return np.zeros(len(ids), np.int64)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[places] == ids, self.areas[places], 0)

    def before(self, pairs: Pairs) -> Areas:
        """Return the areas of the automatic labels, where these are of the corrected ones."""
        ids = np.union1d(self.ids, np.concatenate([pairs.before, pairs.now]))
        ids = ids[ids != 0]
        areas = self.get(ids) + _sums(pairs.before, pairs.pixels, ids)
        areas -= _sums(pairs.now, pairs.pixels, ids)
        return Areas(ids[areas > 0], areas[areas > 0])


def compare(automatic: Areas, pairs: Pairs) -> Edits:
    """Say which nuclei of a plane were added, deleted, separated, merged or reshaped.

    An automatic and a corrected nucleus are the same, or a part of each other, where they share
    more than half of the smaller one. Numbers do not matter, so relabelling is no difference.
    """
    ids = np.unique(np.concatenate([pairs.before, pairs.now]))
    ids = ids[ids != 0]
    lost = _sums(pairs.before, pairs.pixels, ids)
    was = automatic.get(ids)
    now = was - lost + _sums(pairs.now, pairs.pixels, ids)
    both = (pairs.before != 0) & (pairs.now != 0)
    one = np.append(np.searchsorted(ids, pairs.before[both]), np.arange(len(ids)))
    other = np.append(np.searchsorted(ids, pairs.now[both]), np.arange(len(ids)))
    shared = np.append(pairs.pixels[both], was - lost)  # also what has kept its number
    same = 2 * shared > np.minimum(was[one], now[other])
    one, other, shared = one[same], other[same], shared[same]
    becomes, comes_of = (np.bincount(side, minlength=len(ids)) for side in (one, other))
    single = (becomes[one] == 1) & (comes_of[other] == 1)
    moved = single & ((shared != was[one]) | (shared != now[other]))
    listed = {
        "added": ids[(now > 0) & (comes_of == 0)],
        "deleted": ids[(was > 0) & (becomes == 0)],
        "separated": ids[becomes > 1],
        "merged": ids[comes_of > 1],
        "reshaped": np.sort(ids[other[moved]]),
    }
    count = len(automatic.ids)
    gained = np.count_nonzero(now > 0) - np.count_nonzero(was > 0)
    pixels = automatic.areas.sum() + pairs.pixels[pairs.now != 0].sum()
    pixels -= pairs.pixels[pairs.before != 0].sum()
    return Edits(
        count,
        count + int(gained),
        **{kind: tuple(some.tolist()) for kind, some in listed.items()},
        n_pixels=int(pixels),
    )


def compare_labels(automatic: NDArray[Any], now: NDArray[Any]) -> Edits:
    """Compare automatic and corrected labels of one plane."""
    return compare(Areas.of(automatic), Pairs.of(automatic, now))


def places_of(
    edits: Edits, automatic: NDArray[Any], now: NDArray[Any]
) -> list[tuple[str, int, float, float]]:
    """Return every edited nucleus: what was done, its id, and its centroid (y, x) in pixels."""
    listed = []
    for kind in ("added", "deleted", "separated", "merged", "reshaped"):
        labels = automatic if kind in ("deleted", "separated") else now
        ids = np.array(sorted(getattr(edits, kind)), np.int64)
        rows, columns = np.nonzero(np.isin(labels, ids))
        places = np.searchsorted(ids, labels[rows, columns])
        areas = np.bincount(places, minlength=len(ids))
        centres = [np.bincount(places, each, len(ids)) / areas for each in (rows, columns)]
        listed += [
            (kind, *one) for one in zip(ids.tolist(), *(c.tolist() for c in centres), strict=True)
        ]
    return listed


def recounted(planes: Mapping[Index, Plane], edits: Mapping[Index, Edits]) -> dict[Index, Plane]:
    """Return planes with the counts and areas of their edited labels."""
    return {
        index: replace(
            plane,
            nuclei=edits[index].n_now,
            area_fraction=edits[index].n_pixels / plane.pixels,
        )
        for index, plane in planes.items()
    }


def _sums(
    labels: NDArray[np.int64], pixels: NDArray[np.int64], ids: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Add up the pixels of each id."""
    there = labels != 0
    places = np.searchsorted(ids, labels[there])
    return np.bincount(places, pixels[there], len(ids)).astype(np.int64)
