"""Pixel scores from counts that add up over tiles; pooled scores are exactly those of the mosaic.

A ratio whose denominator is zero is None: undefined, neither perfect nor failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import LEVELS
from napari_snow_unet.metrics.scores import messages

_BLOCK = 1 << 22  # pixels counted together; counting takes eight times their memory


@dataclass(frozen=True)
class PixelCounts:
    """Pixels by prediction and truth; counts of several tiles are added with ``+``."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def __add__(self, other: PixelCounts) -> PixelCounts:
        """Add the counts of another area."""
        return PixelCounts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )

    @property
    def total(self) -> int:
        """Number of pixels counted."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative


def ratio(numerator: float, denominator: float) -> float | None:
    """Return ``numerator / denominator``, None where the denominator is zero."""
    return float(numerator) / float(denominator) if denominator else None


def require_same_shape(prediction: NDArray[Any], truth: NDArray[Any], *more: Any) -> None:
    """Refuse arrays whose shape differs from that of the truth; None entries of `more` pass."""
    for other in (prediction, *more):
        if other is not None and np.shape(other) != np.shape(truth):
            raise InputError(messages.other_shape(np.shape(other), np.shape(truth)))


def count_pixels(
    prediction: NDArray[Any], truth: NDArray[Any], *, region: NDArray[np.bool_] | None = None
) -> PixelCounts:
    """Count the pixels of two masks or label images, in which every value but 0 is nucleus."""
    require_same_shape(prediction, truth, region)
    predicted, true = np.asarray(prediction) != 0, np.asarray(truth) != 0
    total = predicted.size
    if region is not None:
        predicted, true = predicted & region, true & region
        total = int(np.count_nonzero(region))
    both = int(np.count_nonzero(predicted & true))
    n_predicted, n_true = int(np.count_nonzero(predicted)), int(np.count_nonzero(true))
    return PixelCounts(both, n_predicted - both, n_true - both, total - n_predicted - n_true + both)


def histogram_counts(
    probability: NDArray[np.uint8],
    truth: NDArray[Any],
    *,
    region: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Return the histograms of an 8-bit map in background and nuclei of the truth, (2, 256)."""
    require_same_shape(probability, truth, region)
    probability = np.asarray(probability)
    if probability.dtype != np.uint8:
        raise InputError(messages.map_not_8_bit(str(probability.dtype)))
    true = np.asarray(truth) != 0
    if region is not None:
        probability, true = probability[region], true[region]
    histograms = np.zeros((2, LEVELS), np.int64)
    values, is_nucleus = probability.ravel(), true.ravel()
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        nuclei = np.bincount(block[is_nucleus[start : start + _BLOCK]], minlength=LEVELS)
        histograms[0] += np.bincount(block, minlength=LEVELS) - nuclei
        histograms[1] += nuclei
    return histograms


def counts_above(histograms: NDArray[np.int64], level: int) -> PixelCounts:
    """Count the pixels of the mask ``probability > level`` (a grey level) from the histograms."""
    above = min(max(level + 1, 0), LEVELS)
    background, nuclei = histograms
    return PixelCounts(
        int(nuclei[above:].sum()),
        int(background[above:].sum()),
        int(nuclei[:above].sum()),
        int(background[:above].sum()),
    )


def pixel_scores(counts: PixelCounts) -> dict[str, float | None]:
    """Compute the pixel scores from counts.

    Returns
    -------
    dict
        ``accuracy``, ``precision``, ``recall``, ``specificity``, ``dice``, ``iou``; 0 to 1.

    Notes
    -----
    With TP, FP, FN, TN for the counts:

    - accuracy = (TP + TN) / (TP + FP + FN + TN); None without pixels
    - precision = TP / (TP + FP); None without predicted pixels
    - recall = TP / (TP + FN); None without nucleus pixels in the truth
    - specificity = TN / (TN + FP); None if all of the truth is nucleus
    - dice = 2 TP / (2 TP + FP + FN), the F1 score of pixels; None if both are empty
    - iou = TP / (TP + FP + FN), the Jaccard index; None if both are empty

    If only one of the two is empty, Dice and IoU are 0.

    References
    ----------
    .. [1] A. A. Taha and A. Hanbury, "Metrics for evaluating 3D medical image segmentation",
       BMC Medical Imaging 15:29, 2015.
    """
    tp, fp = counts.true_positive, counts.false_positive
    fn, tn = counts.false_negative, counts.true_negative
    return {
        "accuracy": ratio(tp + tn, counts.total),
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "dice": ratio(2 * tp, 2 * tp + fp + fn),
        "iou": ratio(tp, tp + fp + fn),
    }


def roc_curve(
    histograms: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return false and true positive rates above 255, ... -1; None if the truth has one class."""
    totals = histograms.sum(axis=1, keepdims=True)
    if not totals.all():
        return None
    rates = np.zeros((2, LEVELS + 1))
    rates[:, 1:] = np.cumsum(histograms[:, ::-1], axis=1) / totals
    return rates[0], rates[1]


def roc_auc(histograms: NDArray[np.int64]) -> float | None:
    """Compute the exact area under the ROC curve, with ties counted half.

    Parameters
    ----------
    histograms : array of int64, shape (2, 256)
        From `histogram_counts`.

    Returns
    -------
    float or None
        None if the truth holds only nuclei or only background.

    Notes
    -----
    The chance that a random nucleus pixel has a higher probability than a random background
    pixel, plus half the chance that both are equal: the Mann-Whitney statistic divided by the
    product of the pixel counts [1]_. The sums are integers, so only the last division rounds.

    References
    ----------
    .. [1] J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver
       operating characteristic (ROC) curve", Radiology 143:29-36, 1982.
    """
    background, nuclei = ([int(count) for count in row] for row in histograms)
    pairs = sum(background) * sum(nuclei)
    below = doubled = 0
    for n_background, n_nuclei in zip(background, nuclei, strict=True):
        doubled += n_nuclei * (2 * below + n_background)
        below += n_background
    return doubled / (2 * pairs) if pairs else None
