"""Instance scores: which nuclei were detected, and how well, from counts that add up over tiles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.masks.mask_kinds import judge_mask
from napari_snow_unet.metrics.scores.overlap import Overlaps, find_overlaps
from napari_snow_unet.metrics.scores.pixel import ratio

IOU_THRESHOLDS = tuple(percent / 100 for percent in range(50, 100, 5))


@dataclass(frozen=True)
class InstanceCounts:
    """The counts behind the instance scores; counts of several tiles are added with ``+``."""

    n_truth: int = 0
    n_prediction: int = 0
    n_matched: int = 0  # pairs with an IoU above 0.5
    iou_sum: float = 0.0  # of these pairs
    # The largest number of one-to-one pairs at each of `IOU_THRESHOLDS`.
    n_pairs: tuple[int, ...] = (0,) * len(IOU_THRESHOLDS)
    aji_intersection: int = 0  # in pixels, as are the next three
    aji_union: int = 0
    aji_plus_intersection: int = 0
    aji_plus_union: int = 0
    n_split: int = 0  # true nuclei split into several predictions
    n_merged: int = 0  # predictions that join several true nuclei

    def __add__(self, other: InstanceCounts) -> InstanceCounts:
        """Add the counts of another tile."""
        total = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
            if field.name != "n_pairs"
        }
        n_pairs = tuple(a + b for a, b in zip(self.n_pairs, other.n_pairs, strict=True))
        return InstanceCounts(**total, n_pairs=n_pairs)


def as_instances(labels: NDArray[Any], masks_are: MasksAre | None = None) -> NDArray[Any]:
    """Return an id for every nucleus: of labels their values, else connected components.

    Parameters
    ----------
    labels : array of int, float or bool, shape (Y, X)
        A label image, a mask or a class map.
    masks_are : {"labels", "binary", "classes"}, optional
        Which of these it is; by default `judge_mask` decides.

    Returns
    -------
    array of int, shape (Y, X)
        The values themselves, or the 8-connected components numbered from 1; a single one keeps
        its value.

    Raises
    ------
    InputError
        If the values fit none of these.
    """
    labels = np.asarray(labels)
    nuclei = judge_mask(labels, masks_are).taken().nuclei()
    return labels if labels.dtype.kind in "iu" and np.array_equal(nuclei, labels) else nuclei


def count_instances(
    prediction: NDArray[Any], truth: NDArray[Any], *, region: NDArray[np.bool_] | None = None
) -> InstanceCounts:
    """Count nuclei, matches and overlaps of two label images; see `find_overlaps` on regions."""
    table = find_overlaps(prediction, truth, region=region)
    iou = table.iou
    matched = iou > 0.5
    return InstanceCounts(
        n_truth=table.truth_ids.size,
        n_prediction=table.prediction_ids.size,
        n_matched=int(matched.sum()),
        iou_sum=float(iou[matched].sum()),
        n_pairs=tuple(_most_pairs(table, iou >= threshold) for threshold in IOU_THRESHOLDS),
        **_sums("aji", table, best_for_each_truth(table)),
        **_sums("aji_plus", table, _optimal_assignment(table, iou)),
        n_split=int(split_truths(table).sum()),
        n_merged=int(split_truths(table.swapped).sum()),
    )


def split_truths(table: Overlaps) -> NDArray[np.bool_]:
    """Mark true nuclei that contain more than half of at least two predictions, shape (T,)."""
    inside = 2 * table.area > table.prediction_area[table.column]
    return np.bincount(table.row[inside], minlength=table.truth_ids.size) > 1


def _most_pairs(table: Overlaps, close: NDArray[np.bool_]) -> int:
    """Return the size of a maximum one-to-one matching among `close` pairs."""
    row, column = table.row[close], table.column[close]
    if np.unique(row).size == row.size and np.unique(column).size == column.size:
        return row.size
    from scipy.sparse import coo_array, csgraph

    shape = (table.truth_ids.size, table.prediction_ids.size)
    graph = coo_array((np.ones(row.size, bool), (row, column)), shape).tocsr()
    return int((csgraph.maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def best_for_each_truth(table: Overlaps) -> NDArray[np.int64]:
    """Return the pair of highest IoU of every overlapped true nucleus, the first one on ties."""
    order = np.lexsort((table.column, -table.iou, table.row))
    return order[np.diff(table.row[order], prepend=-1) != 0]


def _optimal_assignment(table: Overlaps, iou: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the pairs of the one-to-one matching with the highest sum of IoU."""
    # Nuclei not connected by overlaps cannot influence each other, so every group is matched
    # separately. If one nucleus is in all pairs of its group, the best pair is chosen.
    group = _connected_groups(table)
    i, j = (_rank_within(group, nuclei) for nuclei in (table.row, table.column))
    order = np.lexsort((-iou, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    ends = np.append(starts, order.size)[1:]
    star = np.zeros(starts.size, bool)
    for rank in (i, j):
        star |= np.maximum.reduceat(rank[order], starts) == 0
    chosen = [order[starts[star]]]
    for start, end in zip(starts[~star], ends[~star], strict=True):
        pairs = order[start:end]
        chosen.append(pairs[_assign(i[pairs], j[pairs], iou[pairs])])
    return np.concatenate(chosen)


def _connected_groups(table: Overlaps) -> NDArray[np.int64]:
    """Return for each pair the number of its group of nuclei connected by overlaps."""
    from scipy.sparse import coo_array, csgraph

    n_truth = table.truth_ids.size
    n_nuclei = n_truth + table.prediction_ids.size
    ends = (table.row, table.column + n_truth)
    graph = coo_array((np.ones(table.row.size, bool), ends), (n_nuclei, n_nuclei))
    _, group = csgraph.connected_components(graph, directed=False)
    numbers: NDArray[np.int64] = group[table.row]
    return numbers


def _rank_within(group: NDArray[np.int64], nuclei: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each pair the rank of its nucleus within the group, from 0."""
    order = np.lexsort((nuclei, group))
    count = np.cumsum(np.diff(nuclei[order], prepend=-1) != 0)
    first = np.diff(group[order], prepend=-1) != 0
    rank = np.empty_like(nuclei)
    rank[order] = count - np.maximum.accumulate(np.where(first, count, 0))
    return rank


def _assign(
    i: NDArray[np.int64], j: NDArray[np.int64], iou: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Match pairs ``(i, j)`` one to one by the Hungarian method."""
    from scipy.optimize import linear_sum_assignment

    gain = np.zeros((i.max() + 1, j.max() + 1))
    place = np.full(gain.shape, -1)
    gain[i, j], place[i, j] = iou, np.arange(i.size)
    best: NDArray[np.int64] = place[linear_sum_assignment(gain, maximize=True)]
    return best[best >= 0]


def _sums(name: str, table: Overlaps, pairs: NDArray[np.int64]) -> dict[str, Any]:
    """Sum intersections and unions over `pairs`, with unmatched nuclei in the union."""
    single_truth = np.ones(table.truth_ids.size, bool)
    single_prediction = np.ones(table.prediction_ids.size, bool)
    single_truth[table.row[pairs]] = single_prediction[table.column[pairs]] = False
    union = int(table.union[pairs].sum())
    union += int(table.truth_area[single_truth].sum())
    union += int(table.prediction_area[single_prediction].sum())
    return {f"{name}_intersection": int(table.area[pairs].sum()), f"{name}_union": union}


def instance_scores(counts: InstanceCounts) -> dict[str, float | int | None]:
    """Compute the instance scores from counts.

    Returns
    -------
    dict
        ``detection_precision``, ``detection_recall``, ``detection_f1``, ``dq``, ``sq``, ``pq``,
        ``aji``, ``aji_plus``, ``ap_50``, ``ap_75``, ``ap_50_95`` (0 to 1) and ``n_truth``,
        ``n_prediction``, ``n_split``, ``n_merged``.

    Notes
    -----
    T true and P predicted nuclei; F(t) is the size of a maximum one-to-one matching of pairs with
    an IoU of at least t; M is the number of pairs with an IoU above 0.5, which are one to one by
    definition. A ratio is None if its denominator is zero.

    - detection_precision = F(0.5) / P; detection_recall = F(0.5) / T;
      detection_f1 = 2 F(0.5) / (T + P) [1]_
    - dq = 2 M / (T + P); sq = mean IoU of the M pairs; pq = 2 (sum of IoU) / (T + P) [2]_.
      Without a match dq and pq are 0 and sq is None.
    - aji = sum of intersections / sum of unions, over every true nucleus with the prediction of
      highest IoU (the first in row-major order on ties), which may be used more than once; true
      nuclei without an overlap and unused predictions add to the unions [3]_. 0 if one side is
      empty.
    - aji_plus = the same sums over the one-to-one matching with the highest sum of IoU; unmatched
      nuclei add to the unions [4]_.
    - ap_50, ap_75 = F(t) / (T + P - F(t)) at t = 0.5 and 0.75; ap_50_95 = the mean over
      0.50, 0.55, ..., 0.95. This is what StarDist [1]_ and Cellpose [5]_ call average precision
      (StarDist returns 0 if both are empty; here it is None).
    - n_split: true nuclei in which at least two predictions each have more than half their area;
      n_merged: predictions in which at least two true nuclei each have more than half their area.

    References
    ----------
    .. [1] U. Schmidt, M. Weigert, C. Broaddus and G. Myers, "Cell Detection with Star-Convex
       Polygons", MICCAI 2018; the matching of the ``stardist`` package.
    .. [2] A. Kirillov, K. He, R. Girshick, C. Rother and P. Dollar, "Panoptic Segmentation",
       CVPR 2019.
    .. [3] N. Kumar et al., "A Dataset and a Technique for Generalized Nuclear Segmentation for
       Computational Pathology", IEEE Transactions on Medical Imaging 36:1550-1560, 2017.
    .. [4] S. Graham et al., "HoVer-Net: Simultaneous segmentation and classification of nuclei in
       multi-tissue histology images", Medical Image Analysis 58:101563, 2019; its code.
    .. [5] C. Stringer, T. Wang, M. Michaelos and M. Pachitariu, "Cellpose: a generalist algorithm
       for cellular segmentation", Nature Methods 18:100-106, 2021.
    """
    n_truth, n_prediction, n_both = counts.n_truth, counts.n_prediction, counts.n_pairs[0]
    nuclei = n_truth + n_prediction
    precisions = [ratio(n_pairs, nuclei - n_pairs) for n_pairs in counts.n_pairs]
    defined = [value for value in precisions if value is not None]
    return {
        "detection_precision": ratio(n_both, n_prediction),
        "detection_recall": ratio(n_both, n_truth),
        "detection_f1": ratio(2 * n_both, nuclei),
        "dq": ratio(2 * counts.n_matched, nuclei),
        "sq": ratio(counts.iou_sum, counts.n_matched),
        "pq": ratio(2 * counts.iou_sum, nuclei),
        "aji": ratio(counts.aji_intersection, counts.aji_union),
        "aji_plus": ratio(counts.aji_plus_intersection, counts.aji_plus_union),
        "ap_50": precisions[0],
        "ap_75": precisions[IOU_THRESHOLDS.index(0.75)],
        "ap_50_95": ratio(sum(defined), len(defined)),
        "n_truth": n_truth,
        "n_prediction": n_prediction,
        "n_split": counts.n_split,
        "n_merged": counts.n_merged,
    }
