"""What a mask consists of: its values, its components, and what these touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

_COUNTED = 1 << 20  # values up to here are found by counting, which is faster than sorting
_CLOSE = 2  # pixels by which parts of one nucleus are dilated at most to meet
_FRAME = 0.6  # of the outermost pixels have the value of the background
_FILLED = 0.35  # of its box, which even an oblique nucleus fills
_FAR = 8  # times as far from the next value as others
_TINY = 12  # pixels
_LINE = 0.05  # of the pixels of lines lie in the middle of others
_LONG = 24  # pixels: what has fewer is a dot
_CRUMB = 0.2  # of the largest part of a value: smaller parts are not nuclei of their own


@dataclass(frozen=True, eq=False)
class Components:
    """The connected components of equal value of a mask: K values, R components."""

    values: npt.NDArray[Any]  # (K,): the distinct values but 0, ascending
    # (Y, X): place of each pixel's value in `values`, from 1; 0 is the value 0
    ranks: npt.NDArray[np.int32]

    @cached_property
    def areas(self) -> npt.NDArray[np.int64]:
        """Pixels of each value, that of 0 first."""
        return np.bincount(self.ranks.ravel(), minlength=self.values.size + 1)

    @property
    def stands_alone(self) -> bool:
        """Whether the greatest value is far above the others, as no id or class is."""
        *others, last = self.values.tolist()
        if not others:
            return False
        usual = np.median(np.diff([0, *others]))
        return bool(2 * others[-1] + 1 < last or last - others[-1] > _FAR * usual)

    @property
    def foreground(self) -> float:
        """Share of the pixels that are not 0."""
        return 1 - float(self.areas[0] / self.areas.sum())

    @cached_property
    def numbers(self) -> npt.NDArray[np.int32]:
        """The 8-connected components of equal value, numbered from 1."""
        from skimage.measure import label

        numbers: npt.NDArray[np.int32] = label(self.ranks, background=0).astype(np.int32)
        return numbers

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Pixels of each component, shape (R,)."""
        return np.bincount(self.numbers.ravel())[1:]

    @cached_property
    def owners(self) -> npt.NDArray[np.int64]:
        """Rank of the value of each component, shape (R,)."""
        owners = np.zeros(self.sizes.size + 1, np.int64)
        owners[self.numbers.ravel()] = self.ranks.ravel()
        return owners[1:]

    @cached_property
    def solid(self) -> npt.NDArray[np.bool_]:
        """Whether a component is more than an edge: thick, or touching only 0, shape (R,)."""
        one, other = self._contacts
        touching = np.zeros(self.sizes.size + 1, bool)
        touching[one[other > 0]] = True
        return self.thick | ~touching[1:]

    @cached_property
    def thick(self) -> npt.NDArray[np.bool_]:
        """Whether a component has a pixel whose four neighbours have its value, shape (R,)."""
        inner = np.ones(self.ranks.shape, bool)
        for axis in (0, 1):
            ahead, behind = _neighbours(self.ranks, axis)
            same = ahead == behind
            for pixels in _neighbours(inner, axis):
                pixels &= same
        thick = np.zeros(self.sizes.size + 1, bool)
        thick[self.numbers[inner]] = True
        return thick[1:]

    def is_one_value_with_edges(self) -> bool:
        """Tell whether all values but one are thin, and lie beside that one."""
        import cv2

        one = int(self.areas[1:].argmax()) + 1
        rest = (self.ranks > 0) & (self.ranks != one)
        thick = self.sizes[self.thick & (self.owners != one)].sum()
        if thick > 0.1 * np.count_nonzero(rest):
            return False
        near = cv2.dilate((self.ranks == one).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        return bool(np.count_nonzero(rest & ~near) <= 0.1 * np.count_nonzero(rest))

    @cached_property
    def _contacts(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Components and the components beside them, a pair for every edge between two pixels."""
        one, other = [], []
        for axis in (0, 1):
            ahead, behind = _neighbours(self.numbers, axis)
            edge = ahead != behind
            one += [ahead[edge], behind[edge]]
            other += [behind[edge], ahead[edge]]
        components, beside = np.concatenate(one), np.concatenate(other)
        return components[components > 0], beside[components > 0]

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Whether a component touches other values and hardly any 0, shape (R,)."""
        one, other = self._contacts
        count = self.sizes.size + 1
        with_zero = np.bincount(one[other == 0], minlength=count)[1:]
        with_others = np.bincount(one[other > 0], minlength=count)[1:]
        return (with_others > 0) & (with_zero <= 0.03 * (with_zero + with_others))

    def border(self) -> int:
        """Return the rank of the value that surrounds what does not touch 0; 0 if none does."""
        if not self.inside.any() or self.inside.all():
            return 0
        one, other = self._contacts
        ranks = np.concatenate([[0], self.owners])
        beside = np.bincount(ranks[other[np.concatenate([[False], self.inside])[one]]])
        rank = int(beside.argmax())
        return rank if beside[rank] >= 0.9 * beside.sum() else 0

    @cached_property
    def boxes(self) -> list[tuple[slice, slice]]:
        """The rows and columns that each value lies in."""
        from scipy.ndimage import find_objects

        return list(find_objects(self.ranks))

    @cached_property
    def loose(self) -> npt.NDArray[np.bool_]:
        """Which values fill little of their box, or are tiny, shape (K,)."""
        return self.areas[1:] < np.maximum(_FILLED * self._box_areas, _TINY)

    @cached_property
    def clearly_ids(self) -> bool:
        """Whether most values are compact, and none spreads: then they are ids.

        Slower checks are run on other masks only.
        """
        if self.values.size < 4 or self.loose.mean() > 0.2:
            return False
        return bool((self._box_areas[self.loose] < 0.1 * self.ranks.size).all())

    @property
    def _box_areas(self) -> npt.NDArray[np.int64]:
        sides = [[side.stop - side.start for side in box] for box in self.boxes]
        return np.prod(np.array(sides, np.int64), axis=1)

    @cached_property
    def parts(self) -> npt.NDArray[np.int64]:
        """Number of components of each value, without crumbs, shape (K,)."""
        largest = np.zeros(self.values.size + 1, np.int64)
        np.maximum.at(largest, self.owners, self.sizes)
        whole = self.sizes >= _CRUMB * largest[self.owners]
        return np.bincount(self.owners[whole], minlength=self.values.size + 1)[1:]

    def places(self, some: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Count the places in which each of `some` values lies; others count as 1.

        Parts close enough to be one nucleus that was cut are one place.
        """
        places = np.ones(self.values.size, np.int64)
        for index in np.flatnonzero(some):
            places[index] = _places(self.ranks[self.boxes[index]] == index + 1)
        return places


def _places(mask: npt.NDArray[np.bool_]) -> int:
    import cv2

    mask = np.pad(mask, _CLOSE).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if len(stats) < 3:  # the first is what lies around
        return 1
    reach = min(_CLOSE, int(np.sqrt(stats[1:, cv2.CC_STAT_AREA].max()) * 2 / 3))
    kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
    count, groups = cv2.connectedComponents(cv2.dilate(mask, kernel), connectivity=8)
    areas = np.bincount(groups[mask > 0], minlength=count)[1:]
    return int(np.count_nonzero(areas >= _CRUMB * areas.max()))


def hollow(labels: npt.NDArray[np.int32]) -> bool:
    """Tell whether labels are outlines: thin, or around more background than they have pixels."""
    import cv2

    if _thin(labels):
        return True

    background = np.pad((labels == 0).astype(np.uint8), 1, constant_values=1)
    _, _, stats, _ = cv2.connectedComponentsWithStats(background, connectivity=4)
    enclosed = stats[2:, cv2.CC_STAT_AREA].sum()  # behind the labels and what lies around
    return bool(enclosed > np.count_nonzero(labels))


def _thin(labels: npt.NDArray[np.int32]) -> bool:
    """Tell whether most of the foreground, without dots, is lines of one or two pixels."""
    import cv2

    mask = np.pad((labels > 0).astype(np.uint8), 1)
    inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    if np.count_nonzero(inner) > _LINE * np.count_nonzero(mask):
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return bool(2 * areas[areas >= _LONG].sum() > areas.sum())


def components_of(values: npt.NDArray[Any]) -> Components:
    """Find the values of a mask, numbers from 0, and where they are; the rest follows on access."""
    if values.dtype.kind in "iu" and values.max() < _COUNTED:
        there = np.bincount(values.ravel()) > 0
        distinct = np.flatnonzero(there)
        ranks = (np.cumsum(there) - 1).astype(np.int32)[values]
    else:
        distinct, places = np.unique(values, return_inverse=True)
        ranks = places.reshape(values.shape).astype(np.int32)
    if distinct[0] == 0:
        return Components(distinct[1:], ranks)
    return Components(distinct, ranks + 1)


def surrounding_value(labels: npt.NDArray[np.int32]) -> int:
    """Return the value on most of the frame, as a background has; 0 if there is none."""
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    values, counts = np.unique(frame, return_counts=True)
    return int(values[counts.argmax()]) if counts.max() > _FRAME * frame.size else 0


def _neighbours(pixels: npt.NDArray[Any], axis: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return views of all pixels but the last and all but the first along an axis."""
    return (pixels[:-1], pixels[1:]) if axis == 0 else (pixels[:, :-1], pixels[:, 1:])
