"""A sparse table of overlaps between nuclei, from which every instance score is computed.

Labels are read as runs of equal pixels, so the cost depends on the image, not on the ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.metrics.scores import messages
from napari_snow_unet.metrics.scores.pixel import require_same_shape

_BLOCK = 1 << 22  # pixels processed together
_LARGEST_ID = 1 << 31  # beyond it two ids do not fit into one 64-bit number


@dataclass(frozen=True)
class Overlaps:
    """Areas in pixels of T true and P predicted nuclei and of the K overlaps between them.

    Nuclei are sorted by their first pixel (row-major), so that renumbering them has no effect.
    """

    truth_ids: NDArray[np.int64]  # (T,)
    truth_area: NDArray[np.int64]
    prediction_ids: NDArray[np.int64]  # (P,)
    prediction_area: NDArray[np.int64]
    row: NDArray[np.int64]  # (K,): index of the true nucleus of each pair that overlaps
    column: NDArray[np.int64]  # index of the predicted one
    area: NDArray[np.int64]  # pixels they share, at least 1

    @property
    def union(self) -> NDArray[np.int64]:
        """Pixels of either nucleus of each pair, shape (K,)."""
        return self.truth_area[self.row] + self.prediction_area[self.column] - self.area

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair, shape (K,)."""
        return self.area / self.union

    @property
    def swapped(self) -> Overlaps:
        """The same table with prediction and truth exchanged, the pairs in the same order."""
        truth = self.truth_ids, self.truth_area
        prediction = self.prediction_ids, self.prediction_area
        return Overlaps(*prediction, *truth, self.column, self.row, self.area)

    def keep(self, truth: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> Overlaps:
        """Return the table of the nuclei selected by two masks, shapes (T,) and (P,)."""
        pair = truth[self.row] & prediction[self.column]
        return Overlaps(
            self.truth_ids[truth],
            self.truth_area[truth],
            self.prediction_ids[prediction],
            self.prediction_area[prediction],
            (np.cumsum(truth) - 1)[self.row[pair]],
            (np.cumsum(prediction) - 1)[self.column[pair]],
            self.area[pair],
        )


def find_overlaps(
    prediction: NDArray[Any], truth: NDArray[Any], *, region: NDArray[np.bool_] | None = None
) -> Overlaps:
    """Tabulate the overlaps of two label images.

    Nuclei outside a region are left out, and so are nuclei cut by its edge, whose remainder was
    not annotated. A nucleus of the other side with more than half its area on a cut nucleus is
    left out too: it is the same nucleus, not an error.
    """
    require_same_shape(prediction, truth, region)
    truth, prediction = _as_integers(truth, "ground truth"), _as_integers(prediction, "prediction")
    table = _tabulate(*_count_pairs(truth, prediction))
    if region is None:
        return table
    outside = ~np.asarray(region, bool).ravel()
    truth, prediction = truth.copy(), prediction.copy()
    truth[outside] = prediction[outside] = 0
    inside = _tabulate(*_count_pairs(truth, prediction))
    true_inside = _areas_of(table.truth_ids, inside.truth_ids, inside.truth_area)
    predicted_inside = _areas_of(
        table.prediction_ids, inside.prediction_ids, inside.prediction_area
    )
    true_cut = (true_inside > 0) & (true_inside < table.truth_area)
    predicted_cut = (predicted_inside > 0) & (predicted_inside < table.prediction_area)
    on_cut = np.bincount(table.row, table.area * predicted_cut[table.column], len(true_inside))
    true_kept = (true_inside == table.truth_area) & (2 * on_cut <= table.truth_area)
    on_cut = np.bincount(table.column, table.area * true_cut[table.row], len(predicted_inside))
    predicted_kept = (predicted_inside == table.prediction_area) & (
        2 * on_cut <= table.prediction_area
    )
    return table.keep(true_kept, predicted_kept)


def _as_integers(labels: NDArray[Any], name: str) -> NDArray[Any]:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iub":
        raise InputError(messages.not_integers(name, str(labels.dtype)))
    return labels.ravel()


def _count_pairs(
    truth: NDArray[Any], prediction: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids, pixel count and first pixel of every pair of labels that occurs."""
    true_ids, truth = _fit(truth)
    predicted_ids, prediction = _fit(prediction)
    base = int(prediction.max(initial=0)) + 1
    size = base * (int(truth.max(initial=0)) + 1)
    number: Any = np.int32 if size <= np.iinfo(np.int32).max else np.int64
    keys, lengths, starts = ([np.empty(0, number)] for _ in range(3))
    for begin in range(0, truth.size, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        key = truth[block].astype(number)
        key *= base
        key += prediction[block].astype(number, copy=False)
        start = np.concatenate(([0], np.flatnonzero(key[1:] != key[:-1]) + 1))
        length = np.diff(start, append=key.size)
        used = key[start] != 0
        keys.append(key[start][used])
        lengths.append(length[used])
        starts.append(start[used] + begin)
    runs = np.concatenate(keys), np.concatenate(lengths), np.concatenate(starts)
    pair, pixels, first = _sum_runs(*runs, size)
    true, predicted = pair // base, pair % base
    true = true if true_ids is None else true_ids[true]
    predicted = predicted if predicted_ids is None else predicted_ids[predicted]
    return true, predicted, pixels, first


def _sum_runs(
    key: NDArray[Any], length: NDArray[np.int64], start: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys that occur, their summed lengths and their first starts."""
    if size <= 1 << 16:  # few enough keys for a table of all
        total, first = np.bincount(key, length, size), np.empty(size, np.int64)
        first[key[::-1]] = start[::-1]  # the first run is written last
        pair = np.flatnonzero(total)
        return pair, total[pair].astype(np.int64), first[pair]
    pair, index, inverse = np.unique(key, return_index=True, return_inverse=True)
    total = np.bincount(inverse, length, pair.size)
    return pair.astype(np.int64), total.astype(np.int64), start[index]


def _fit(labels: NDArray[Any]) -> tuple[NDArray[np.int64] | None, NDArray[Any]]:
    """Return labels that fit 31 bits, and their original ids if they were renumbered."""
    if labels.dtype.kind == "b":
        return None, labels
    if labels.min(initial=0) >= 0 and labels.max(initial=0) < _LARGEST_ID:
        return None, labels
    ids = np.union1d(labels, labels.dtype.type(0))
    zero = int(np.searchsorted(ids, 0))
    index = (np.searchsorted(ids, labels) - zero) % ids.size
    return np.roll(ids, -zero).astype(np.int64), index


def _tabulate(
    true: NDArray[np.int64],
    predicted: NDArray[np.int64],
    pixels: NDArray[np.int64],
    start: NDArray[np.int64],
) -> Overlaps:
    """Build the table from pairs; a pair with background adds to one area only."""
    true_ids, row, true_area = _one_side(true, pixels, start)
    predicted_ids, column, predicted_area = _one_side(predicted, pixels, start)
    order = np.lexsort((column, row))
    order = order[(row[order] >= 0) & (column[order] >= 0)]
    return Overlaps(
        true_ids, true_area, predicted_ids, predicted_area, row[order], column[order], pixels[order]
    )


def _one_side(
    ids: NDArray[np.int64], pixels: NDArray[np.int64], start: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return ids in row-major order, the index of each pair's id in them, and the areas."""
    unique, index = np.unique(ids, return_inverse=True)
    first = np.full(unique.size, np.iinfo(np.int64).max)
    np.minimum.at(first, index, start)
    first[unique == 0] = -1
    order = np.argsort(first)
    area = np.bincount(index, pixels, unique.size).astype(np.int64)[order]
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    shift = int((unique == 0).any())
    return unique[order][shift:], place[index] - shift, area[shift:]


def _areas_of(
    ids: NDArray[np.int64], some: NDArray[np.int64], area: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the areas of `ids`, with 0 for ids that are not in `some`."""
    result = np.zeros(ids.size, np.int64)
    order = np.argsort(ids)
    result[order[np.searchsorted(ids, some, sorter=order)]] = area
    return result
