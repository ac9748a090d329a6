"""Errors by nucleus and by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.metrics.scores.instance import best_for_each_truth, split_truths
from napari_snow_unet.metrics.scores.overlap import Overlaps, find_overlaps
from napari_snow_unet.metrics.scores.pixel import require_same_shape

TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE = 1, 2, 3
ERROR_NAMES = {
    TRUE_POSITIVE: "true positive",
    FALSE_POSITIVE: "false positive",
    FALSE_NEGATIVE: "false negative",
}
# Grey for agreement; vermilion and blue of Okabe and Ito's colour-blind-safe palette for errors.
ERROR_COLOURS = {TRUE_POSITIVE: "#bbbbbb", FALSE_POSITIVE: "#d55e00", FALSE_NEGATIVE: "#0072b2"}


def error_map(
    prediction: NDArray[Any], truth: NDArray[Any], *, region: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Map two masks to the codes of `ERROR_NAMES`, with 0 for background in both and outside."""
    require_same_shape(prediction, truth, region)
    predicted, true = np.asarray(prediction) != 0, np.asarray(truth) != 0
    if region is not None:
        predicted, true = predicted & region, true & region
    codes = np.array([0, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_POSITIVE], np.uint8)
    return codes[predicted.astype(np.uint8) * 2 + true]


def object_table(
    prediction: NDArray[Any],
    truth: NDArray[Any],
    *,
    spacing: Sequence[float] | float = 1.0,
    region: NDArray[np.bool_] | None = None,
) -> dict[str, NDArray[Any]]:
    """List every nucleus with its status, as columns.

    Every true nucleus has a row: ``split`` if at least two predictions each have more than half
    their area in it, else ``matched`` if a prediction has an IoU above 0.5 with it, else
    ``missed``. Unmatched predictions follow: ``merged`` if at least two true nuclei each have more
    than half their area in it (matched predictions too), else ``spurious``. ``partner`` is the id
    of highest IoU on the other side, 0 without an overlap; ``area`` is in the squared unit of
    `spacing`; ``centroid`` in pixels, shape (rows, axes).
    """
    table = find_overlaps(prediction, truth, region=region)
    size = np.broadcast_to(np.asarray(spacing, float), np.ndim(truth))
    sides = [_side(table, "truth", truth), _side(table.swapped, "prediction", prediction)]
    sides[1] = {name: column[sides[1]["listed"]] for name, column in sides[1].items()}
    rows = {name: np.concatenate([side[name] for side in sides]) for name in sides[0]}
    del rows["listed"]
    rows["area"] = rows["area"] * size.prod()
    return rows


def _side(table: Overlaps, layer: str, labels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """List the nuclei of the table's first side; `listed` marks those with a row of their own."""
    n = table.truth_ids.size
    best = best_for_each_truth(table)
    partner, iou = np.zeros(n, np.int64), np.zeros(n)
    partner[table.row[best]] = table.prediction_ids[table.column[best]]
    iou[table.row[best]] = table.iou[best]
    matched, several = iou > 0.5, split_truths(table)
    names = (
        ("split", "matched", "missed") if layer == "truth" else ("merged", "matched", "spurious")
    )
    status = np.where(several, names[0], np.where(matched, names[1], names[2]))
    return {
        "layer": np.full(n, layer),
        "id": table.truth_ids,
        "status": status,
        "partner": partner,
        "iou": iou,
        "area": table.truth_area,
        "centroid": _centroids(np.asarray(labels), table.truth_ids),
        "listed": several | ~matched,
    }


def _centroids(labels: NDArray[Any], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean pixel coordinates of each id, shape (ids, axes)."""
    where = np.nonzero(labels)
    values = labels[where].astype(np.int64)
    order = np.argsort(ids)
    place = np.searchsorted(ids, values, sorter=order)
    present = place < ids.size
    present[present] = ids[order[place[present]]] == values[present]
    index = order[place[present]]
    count = np.bincount(index, minlength=ids.size)
    sums = [np.bincount(index, axis[present], ids.size) for axis in where]
    return np.stack(sums, axis=1) / count[:, None]
