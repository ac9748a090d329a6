"""What the scores of a tile are called and mean, in the order in which they are shown."""

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
    "n_truth": "nuclei in truth",
    "n_prediction": "nuclei predicted",
    "n_split": "split",
    "n_merged": "merged",
}

KEYS = tuple(TITLES)
COUNT_KEYS = ("n_truth", "n_prediction", "n_split", "n_merged")

#: What each score is, in short; docs/metrics.md has the formulas.
MEANINGS = {
    "accuracy": "Share of all pixels that are right, background included.",
    "auc": "Chance that a random nucleus pixel has a higher probability than a random background "
    "pixel. Needs a probability map.",
    "precision": "Share of the predicted pixels that are nucleus in the truth.",
    "recall": "Share of the true nucleus pixels that are predicted.",
    "specificity": "Share of the true background pixels that are predicted as background.",
    "dice": "Overlap of the pixels: twice those in both, over those of the prediction plus those "
    "of the truth.",
    "iou": "Pixels in both over pixels in either.",
    "average_hausdorff": "Mean distance from each nucleus pixel to the nearest one of the other "
    "side, averaged over both directions.",
    "detection_precision": "Share of the predicted nuclei with a partner at an IoU of 0.5 or more.",
    "detection_recall": "Share of the true nuclei with a partner at an IoU of 0.5 or more.",
    "detection_f1": "Pairs at an IoU of 0.5 or more, doubled, over all true and predicted nuclei.",
    "dq": "Detection quality: pairs with an IoU above 0.5, doubled, over all true and predicted "
    "nuclei.",
    "sq": "Segmentation quality: mean IoU of the pairs with an IoU above 0.5.",
    "pq": "Panoptic quality: detection quality times segmentation quality.",
    "aji": "Aggregated Jaccard index: intersections over unions, each true nucleus with the "
    "prediction of highest IoU; predictions that served nobody add to the unions.",
    "aji_plus": "As AJI, with each prediction used only once.",
    "ap_50": "Pairs at an IoU of 0.5 or more, over these and all nuclei without a partner.",
    "ap_75": "Pairs at an IoU of 0.75 or more, over these and all nuclei without a partner.",
    "ap_50_95": "Mean of this average precision at an IoU of 0.50, 0.55, ... to 0.95.",
    "n_truth": "Nuclei in the truth.",
    "n_prediction": "Nuclei in the prediction.",
    "n_split": "True nuclei in which at least two predictions each have more than half their area.",
    "n_merged": "Predictions in which at least two true nuclei each have more than half their "
    "area.",
}
