"""What went wrong, nucleus by nucleus and pixel by pixel."""

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
# Grey for what is right; vermilion and blue of Okabe and Ito's palette for colour-blind readers.
ERROR_COLOURS = {TRUE_POSITIVE: "#bbbbbb", FALSE_POSITIVE: "#d55e00", FALSE_NEGATIVE: "#0072b2"}


def error_map(
    prediction: NDArray[Any], truth: NDArray[Any], *, region: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Map two masks to the codes of `ERROR_NAMES`; 0 for background in both and elsewhere."""
    require_same_shape(prediction, truth, region)
    found, true = np.asarray(prediction) != 0, np.asarray(truth) != 0
    if region is not None:
        found, true = found & region, true & region
    codes = np.array([0, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_POSITIVE], np.uint8)
    return codes[found.astype(np.uint8) * 2 + true]


def object_table(
    prediction: NDArray[Any],
    truth: NDArray[Any],
    *,
    spacing: Sequence[float] | float = 1.0,
    region: NDArray[np.bool_] | None = None,
) -> dict[str, NDArray[Any]]:
    """List every nucleus with what became of it, as columns.

    Every true nucleus has a row: ``split`` if at least two predictions each have more than half
    their area in it, else ``matched`` if a prediction has an IoU above 0.5 with it, else
    ``missed``. Predictions follow that are not the partner of a match: ``merged`` if at least two
    true nuclei each have more than half their area in it (also where it is a match), else
    ``spurious``. ``partner`` is the id of highest IoU on the other side, 0 without an overlap;
    ``area`` is in the unit of `spacing`, squared; ``centroid`` in pixels, shape (rows, axes).
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
    """List the nuclei of the table's first side; of the predictions, some are not `listed`."""
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
    known = place < ids.size
    known[known] = ids[order[place[known]]] == values[known]
    index = order[place[known]]
    count = np.bincount(index, minlength=ids.size)
    sums = [np.bincount(index, axis[known], ids.size) for axis in where]
    return np.stack(sums, axis=1) / count[:, None]
