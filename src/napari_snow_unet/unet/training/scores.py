"""The scores of a training's history, from one histogram of 8-bit probabilities."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from napari_snow_unet.data.pixels.channels import LEVELS

CUT = 128  # levels from here on are nucleus: a probability of 0.5 and more


class PixelScores(keras.metrics.Metric):
    """Accuracy, AUC, precision, recall and Dice over all annotated pixels of an epoch."""

    # One histogram of the 8-bit probability for nuclei and one for background are counted per
    # batch; all five scores follow from their sums. A score with nothing in its denominator is NaN.
    # AUC is the area under the ROC curve over all 256 levels: the chance that a nucleus pixel has a
    # higher level than a background pixel, ties counted half. `by_sorting`: GPUs count directly in
    # an order that is not the same every time, which TensorFlow refuses when results have to be
    # reproducible; JAX compiles no direct count.

    def __init__(self, *, by_sorting: bool = False) -> None:
        super().__init__(name="scores")
        self._by_sorting = by_sorting
        # JAX has no 64-bit integers unless asked; its counts are rounded beyond 16 million.
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
        """Return the scores of what was counted so far, by name."""
        counts = ops.cast(self.counts, "float32")
        counts = counts / ops.maximum(ops.sum(counts), 1)
        background, nuclei = counts[:LEVELS], counts[LEVELS:]
        true_negative, false_positive = ops.sum(background[:CUT]), ops.sum(background[CUT:])
        false_negative, true_positive = ops.sum(nuclei[:CUT]), ops.sum(nuclei[CUT:])
        below = ops.cumsum(background) - background / 2
        pairs = ops.sum(background) * ops.sum(nuclei)
        found, real = true_positive + false_positive, true_positive + false_negative
        return {
            "accuracy": _ratio(true_positive + true_negative, ops.sum(counts)),
            "auc": _ratio(ops.sum(nuclei * below), pairs),
            "precision": _ratio(true_positive, found),
            "recall": _ratio(true_positive, real),
            "dice": _ratio(2 * true_positive, found + real),
        }

    def _count(self, code: Any) -> Any:
        if not self._by_sorting:
            return ops.bincount(code, minlength=2 * LEVELS + 1)[: 2 * LEVELS]
        edges = ops.arange(2 * LEVELS + 1, dtype="int32")
        places = ops.searchsorted(ops.sort(code), edges)
        return places[1:] - places[:-1]


def _ratio(numerator: Any, denominator: Any) -> Any:
    return ops.where(denominator > 0, numerator / ops.maximum(denominator, 1e-30), float("nan"))
