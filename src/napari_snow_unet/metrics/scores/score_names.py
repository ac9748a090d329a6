"""Names and meanings of the scores, in the order in which they are shown."""

TITLES = {
    "accuracy": "accuracy",
    "auc": "ROC-AUC",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "dice": "Dice (F1)",
    "iou": "IoU",
    "average_hausdorff": "average Hausdorff",
    "detection_precision": "detection precision",
    "detection_recall": "detection recall",
    "detection_f1": "detection F1",
    "dq": "DQ",
    "sq": "SQ",
    "pq": "PQ",
    "aji": "AJI",
    "aji_plus": "AJI+",
    "ap_50": "AP 0.50",
    "ap_75": "AP 0.75",
    "ap_50_95": "AP 0.50:0.95",
    "n_truth": "nuclei in ground truth",
    "n_prediction": "nuclei in prediction",
    "n_split": "split",
    "n_merged": "merged",
}

KEYS = tuple(TITLES)
COUNT_KEYS = ("n_truth", "n_prediction", "n_split", "n_merged")

#: The meaning of each score in short; docs/metrics.md has the formulas.
MEANINGS = {
    "accuracy": "Fraction of all pixels that are classified correctly, background included.",
    "auc": "Chance that a random nucleus pixel has a higher probability than a random background "
    "pixel. Requires a probability map.",
    "precision": "Fraction of the predicted nucleus pixels that are nucleus in the ground truth.",
    "recall": "Fraction of the true nucleus pixels that are predicted.",
    "specificity": "Fraction of the true background pixels that are predicted as background.",
    "dice": "Overlap of the nucleus pixels: twice those in both, divided by those of the "
    "prediction plus those of the ground truth.",
    "iou": "Intersection over union: nucleus pixels in both, divided by those in either.",
    "average_hausdorff": "Mean distance from each nucleus pixel to the nearest one of the other "
    "layer, averaged over both directions.",
    "detection_precision": "Fraction of the predicted nuclei that match a true one (IoU of 0.5 or "
    "more).",
    "detection_recall": "Fraction of the true nuclei that match a predicted one (IoU of 0.5 or "
    "more).",
    "detection_f1": "Twice the matches (IoU of 0.5 or more), divided by all true and predicted "
    "nuclei.",
    "dq": "Detection quality: twice the matches (IoU above 0.5), divided by all true and "
    "predicted nuclei.",
    "sq": "Segmentation quality: mean IoU of the matches (IoU above 0.5).",
    "pq": "Panoptic quality: detection quality times segmentation quality.",
    "aji": "Aggregated Jaccard index: intersections divided by unions of each true nucleus with "
    "the prediction of highest IoU. Unused predictions add to the unions.",
    "aji_plus": "The same as AJI, with each prediction used only once.",
    "ap_50": "Average precision: matches (IoU of 0.5 or more), divided by matches plus unmatched "
    "nuclei.",
    "ap_75": "Average precision: matches (IoU of 0.75 or more), divided by matches plus unmatched "
    "nuclei.",
    "ap_50_95": "Mean of the average precision at an IoU of 0.50, 0.55, ..., 0.95.",
    "n_truth": "Number of nuclei in the ground truth.",
    "n_prediction": "Number of nuclei in the prediction.",
    "n_split": "True nuclei in which at least two predictions each have more than half their area.",
    "n_merged": "Predictions in which at least two true nuclei each have more than half their "
    "area.",
}
