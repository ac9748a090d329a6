"""Pixel scores from counts that add up over tiles: the pooled score is that of the mosaic, exactly.

A ratio with nothing in its denominator is None: it is undefined, neither perfect nor failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import LEVELS

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
    """Refuse arrays of other shapes than the truth's; an entry of `more` may be None."""
    for other in (prediction, *more):
        if other is not None and np.shape(other) != np.shape(truth):
            raise InputError(
                f"an array of shape {np.shape(other)} beside a truth of shape {np.shape(truth)}",
                expected="equal shapes",
                remedy="Compare images of the same size, pixel for pixel.",
            )


def count_pixels(
    prediction: NDArray[Any], truth: NDArray[Any], *, region: NDArray[np.bool_] | None = None
) -> PixelCounts:
    """Count the pixels of two masks or label images; everything but zero is nucleus."""
    require_same_shape(prediction, truth, region)
    found, true = np.asarray(prediction) != 0, np.asarray(truth) != 0
    total = found.size
    if region is not None:
        found, true = found & region, true & region
        total = int(np.count_nonzero(region))
    both = int(np.count_nonzero(found & true))
    n_found, n_true = int(np.count_nonzero(found)), int(np.count_nonzero(true))
    return PixelCounts(both, n_found - both, n_true - both, total - n_found - n_true + both)


def histogram_counts(
    probability: NDArray[np.uint8],
    truth: NDArray[Any],
    *,
    region: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Count an 8-bit map's values over background and nuclei of the truth, shape (2, 256)."""
    require_same_shape(probability, truth, region)
    probability = np.asarray(probability)
    if probability.dtype != np.uint8:
        raise InputError(
            f"a probability map of type {probability.dtype}",
            expected="8 bits, 0 to 255",
            remedy="Use the map that segmenting keeps or writes, or scale 0..1 to 0..255.",
        )
    true = np.asarray(truth) != 0
    if region is not None:
        probability, true = probability[region], true[region]
    histograms = np.zeros((2, LEVELS), np.int64)
    values, is_nucleus = probability.ravel(), true.ravel()
    for start in range(0, values.size, _BLOCK):
        part = values[start : start + _BLOCK]
        nuclei = np.bincount(part[is_nucleus[start : start + _BLOCK]], minlength=LEVELS)
        histograms[0] += np.bincount(part, minlength=LEVELS) - nuclei
        histograms[1] += nuclei
    return histograms


def counts_above(histograms: NDArray[np.int64], level: int) -> PixelCounts:
    """Count the pixels of the mask ``probability > level`` from the histograms alone."""
    above = min(max(level + 1, 0), LEVELS)
    background, nuclei = histograms
    return PixelCounts(
        int(nuclei[above:].sum()),
        int(background[above:].sum()),
        int(nuclei[:above].sum()),
        int(background[:above].sum()),
    )


def pixel_scores(counts: PixelCounts) -> dict[str, float | None]:
    """Compute the pixel scores of counts.

    Returns
    -------
    dict
        ``accuracy``, ``precision``, ``recall``, ``specificity``, ``dice``, ``iou``; 0 to 1.

    Notes
    -----
    With TP, FP, FN, TN for the counts:

    - accuracy = (TP + TN) / (TP + FP + FN + TN); None for no pixel at all
    - precision = TP / (TP + FP); None without predicted pixels
    - recall = TP / (TP + FN); None without true pixels
    - specificity = TN / (TN + FP); None where everything is nucleus in truth
    - dice = 2 TP / (2 TP + FP + FN), the F1 of pixels; None where both are empty
    - iou = TP / (TP + FP + FN), the Jaccard index; None where both are empty

    Where only one of the two is empty, Dice and IoU are 0.

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
    """Trace false and true positive rates above 255, ... -1; None if the truth is of one kind."""
    totals = histograms.sum(axis=1, keepdims=True)
    if not totals.all():
        return None
    rates = np.zeros((2, LEVELS + 1))
    rates[:, 1:] = np.cumsum(histograms[:, ::-1], axis=1) / totals
    return rates[0], rates[1]


def roc_auc(histograms: NDArray[np.int64]) -> float | None:
    """Compute the area under the ROC curve, exactly, ties counted half.

    Parameters
    ----------
    histograms : array of int64, shape (2, 256)
        From `histogram_counts`.

    Returns
    -------
    float or None
        None where the truth holds only nuclei or only background.

    Notes
    -----
    The chance that a random nucleus pixel has a higher probability than a random background
    pixel, plus half the chance that both are equal: the Mann-Whitney statistic over the product
    of the numbers of pixels [1]_. The sums are integers: only the last division rounds.

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
