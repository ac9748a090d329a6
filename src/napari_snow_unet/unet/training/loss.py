"""Loss over the annotated pixels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class PixelLoss(keras.losses.Loss):
    """Binary cross-entropy over the annotated pixels of a batch, optionally plus soft Dice."""

    # With truth t and probability p of the annotated pixels: mean of -t log p - (1 - t) log(1 - p),
    # plus 1 - (2 sum(t p) + 1) / (sum t + sum p + 1), after Milletari, Navab, Ahmadi (2016), 3DV,
    # 565-571. A batch without annotated pixels has the loss 0.

    def __init__(self, with_dice: bool) -> None:
        super().__init__(name="loss", reduction="sum_over_batch_size")
        self._with_dice = with_dice

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compute the loss of a batch (N, Y, X, 1); a truth of 255 is not annotated."""
        annotated = ops.cast(y_true < 1.5, y_pred.dtype)
        truth = y_true * annotated
        entropy = ops.binary_crossentropy(truth, y_pred) * annotated
        loss = ops.sum(entropy) / ops.maximum(ops.sum(annotated), 1)
        if not self._with_dice:
            return loss
        seen = y_pred * annotated
        overlap = 2 * ops.sum(truth * seen) + 1
        return loss + 1 - overlap / (ops.sum(truth) + ops.sum(seen) + 1)
