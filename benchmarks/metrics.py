"""Time the metrics against scikit-learn and against the loop over objects.

Both sides get the same arrays in the same run, and every value must agree to 1e-9::

    python benchmarks/metrics.py [--tiles 100] [--size 512] [--nuclei 75]

Pixel scores: 8-bit probability maps and masks; scikit-learn computes accuracy, precision,
recall, F1, Jaccard and ROC-AUC of each tile. Instance scores: label images; the loop visits every
true nucleus, compares it with every prediction that it meets, and sums up PQ and AJI.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

Tile = tuple[np.ndarray, np.ndarray]
Scorer = Callable[[np.ndarray, np.ndarray], list[float]]
LEVEL = 127


def make_tile(seed: int, size: int, nuclei: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, prediction and probability map of ellipses that a method gets nearly right."""
    random = np.random.default_rng(seed)
    truth, found = np.zeros((2, size, size), np.int32)
    y, x = np.mgrid[:size, :size]
    for label in range(1, nuclei + 1):
        centre, axes = random.uniform(0, size, 2), random.uniform(8, 20, 2)
        shift, grow = random.normal(0, 2.5, 2), random.uniform(0.8, 1.15)
        for labels, move, scale in ((truth, 0 * shift, 1.0), (found, shift, grow)):
            dy, dx = y - centre[0] - move[0], x - centre[1] - move[1]
            labels[(dy / axes[0]) ** 2 + (dx / axes[1]) ** 2 < scale**2] = label
    noise = random.normal(0, 60, (size, size))
    probability = np.clip(np.where(found, 190, 50) + noise, 0, 255).astype(np.uint8)
    ids = random.permutation(nuclei + 1)  # the prediction's ids say nothing about the truth's
    ids[ids == 0], ids[0] = ids[0], 0
    return truth, ids[found].astype(np.int32), probability


def pixel_by_us(truth: np.ndarray, probability: np.ndarray) -> list[float]:
    from napari_snow_unet.metrics.scores import pixel

    histograms = pixel.histogram_counts(probability, truth)
    scores = pixel.pixel_scores(pixel.counts_above(histograms, LEVEL))
    keys = ("accuracy", "precision", "recall", "dice", "iou")
    return [*(scores[key] for key in keys), pixel.roc_auc(histograms)]


def pixel_by_scikit_learn(truth: np.ndarray, probability: np.ndarray) -> list[float]:
    from sklearn import metrics as sk

    true, grey = truth.ravel() > 0, probability.ravel()
    found = grey > LEVEL
    one_by_one = (
        sk.accuracy_score,
        sk.precision_score,
        sk.recall_score,
        sk.f1_score,
        sk.jaccard_score,
    )
    return [*(score(true, found) for score in one_by_one), sk.roc_auc_score(true, grey)]


def instance_by_us(truth: np.ndarray, found: np.ndarray) -> list[float]:
    from napari_snow_unet.metrics.scores import instance

    scores = instance.instance_scores(instance.count_instances(found, truth))
    return [scores["pq"], scores["aji"]]


def instance_by_loop(truth: np.ndarray, found: np.ndarray) -> list[float]:
    """Compute PQ and AJI nucleus by nucleus, with a mask for each, as it is usually written."""
    true_ids, found_ids = (np.unique(labels)[1:] for labels in (truth, found))
    masks = {label: found == label for label in found_ids}
    matched = iou_sum = above = below = 0.0
    used = set()
    for label in true_ids:
        mask = truth == label
        best, best_iou = None, 0.0
        for other in np.unique(found[mask]):
            if other == 0:
                continue
            iou = (mask & masks[other]).sum() / (mask | masks[other]).sum()
            if iou > best_iou:
                best, best_iou = other, iou
        if best is None:
            below += mask.sum()
            continue
        above += (mask & masks[best]).sum()
        below += (mask | masks[best]).sum()
        used.add(best)
        if best_iou > 0.5:
            matched, iou_sum = matched + 1, iou_sum + best_iou
    below += sum(mask.sum() for label, mask in masks.items() if label not in used)
    return [2 * iou_sum / (true_ids.size + found_ids.size), above / below]


def timed(function: Scorer, tiles: list[Tile]) -> tuple[float, np.ndarray]:
    function(*tiles[0])  # the first call also imports
    start = time.perf_counter()
    values = [function(*tile) for tile in tiles]
    return time.perf_counter() - start, np.array(values)


def compare(what: str, us: Scorer, them: Scorer, tiles: list[Tile]) -> float:
    (ours, a), (theirs, b) = timed(us, tiles), timed(them, tiles)
    largest = float(np.abs(a - b).max())
    print(
        f"{what}: {1e3 * ours / len(tiles):.2f} ms a tile, reference "
        f"{1e3 * theirs / len(tiles):.1f} ms, {theirs / ours:.0f} times as fast, "
        f"largest difference {largest:.1e}"
    )
    if not largest < 1e-9:
        raise SystemExit(f"{what}: the values differ")
    return theirs / ours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=100)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--nuclei", type=int, default=75)
    options = parser.parse_args()
    tiles = [make_tile(seed, options.size, options.nuclei) for seed in range(options.tiles)]
    maps = [(truth, probability) for truth, _, probability in tiles]
    labels = [(truth, found) for truth, found, _ in tiles]
    print(f"{options.tiles} tiles of {options.size} x {options.size}")
    speed = [
        compare("pixel scores and AUC", pixel_by_us, pixel_by_scikit_learn, maps),
        compare("PQ and AJI", instance_by_us, instance_by_loop, labels),
    ]
    if min(speed) < 20:
        raise SystemExit("less than 20 times as fast")


if __name__ == "__main__":
    main()
