"""Scores of an epoch, from one histogram of 8-bit probabilities."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from napari_snow_unet.data.pixels.channels import LEVELS

THRESHOLD = 128  # grey level from which on a pixel is nucleus: a probability of 0.5


class PixelScores(keras.metrics.Metric):
    """Accuracy, AUC, precision, recall and Dice over all annotated pixels of an epoch."""

    # Histograms of the 8-bit probability, one for nuclei and one for background, are summed over
    # batches; all five scores follow from them. A score with a denominator of 0 is NaN. AUC is the
    # area under the ROC curve over all 256 grey levels: the probability that a nucleus pixel has a
    # higher level than a background pixel, ties counted half. `by_sorting`: GPUs count in random
    # order, which TensorFlow refuses in reproducible mode; JAX cannot compile a direct count.

    def __init__(self, *, by_sorting: bool = False) -> None:
        super().__init__(name="scores")
        self._by_sorting = by_sorting
        # JAX has no 64-bit integers by default; its counts are rounded beyond 16 million.
        exact = keras.config.backend() != "jax"
        self.counts = self.add_variable(
            (2 * LEVELS,), "zeros", dtype="int64" if exact else "float32", name="counts"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the pixels of a batch (N, Y, X, 1); a truth of 255 is not annotated."""
        truth = ops.cast(y_true, "int32")
        level = ops.cast(ops.round(ops.cast(y_pred, "float32") * (LEVELS - 1)), "int32")
        code = ops.where(truth < 2, truth * LEVELS + level, 2 * LEVELS)
        counted = self._count(ops.reshape(code, (-1,)))
        self.counts.assign_add(ops.cast(counted, self.counts.dtype))

    def result(self) -> dict[str, Any]:
        """Return the scores of all batches so far, by name."""
        counts = ops.cast(self.counts, "float32")
        counts = counts / ops.maximum(ops.sum(counts), 1)
        background, nuclei = counts[:LEVELS], counts[LEVELS:]
        true_negative, false_positive = (
            ops.sum(background[:THRESHOLD]),
            ops.sum(background[THRESHOLD:]),
        )
        false_negative, true_positive = ops.sum(nuclei[:THRESHOLD]), ops.sum(nuclei[THRESHOLD:])
        below = ops.cumsum(background) - background / 2
        pairs = ops.sum(background) * ops.sum(nuclei)
        predicted, real = true_positive + false_positive, true_positive + false_negative
        return {
            "accuracy": _ratio(true_positive + true_negative, ops.sum(counts)),
            "auc": _ratio(ops.sum(nuclei * below), pairs),
            "precision": _ratio(true_positive, predicted),
            "recall": _ratio(true_positive, real),
            "dice": _ratio(2 * true_positive, predicted + real),
        }

    def _count(self, code: Any) -> Any:
        if not self._by_sorting:
            return ops.bincount(code, minlength=2 * LEVELS + 1)[: 2 * LEVELS]
        edges = ops.arange(2 * LEVELS + 1, dtype="int32")
        places = ops.searchsorted(ops.sort(code), edges)
        return places[1:] - places[:-1]


def _ratio(numerator: Any, denominator: Any) -> Any:
    return ops.where(denominator > 0, numerator / ops.maximum(denominator, 1e-30), float("nan"))
