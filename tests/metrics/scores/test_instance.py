"""Instance scores against cases done by hand and against loops written from the definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.metrics.scores import instance

IMAGES = hnp.arrays(np.int32, (2, 8, 9), elements=st.integers(0, 5))


@st.composite
def blobs(draw: st.DrawFn) -> np.ndarray:
    """Two label images of rectangles, like nuclei that meet, split and merge."""
    images = np.zeros((2, 12, 12), np.int32)
    for image in images:
        for label in range(1, draw(st.integers(0, 6)) + 1):
            y, x = draw(st.integers(0, 10)), draw(st.integers(0, 10))
            height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
            image[y : y + height, x : x + width] = label
    return images


PAIRS = st.one_of(IMAGES, blobs())


def objects(labels: np.ndarray) -> list[np.ndarray]:
    """Masks of the nuclei, in reading order."""
    ids, first = np.unique(labels, return_index=True)
    return [labels == i for i in ids[np.argsort(first)] if i]


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def loop_panoptic(found: np.ndarray, truth: np.ndarray) -> tuple[float, float | None, float]:
    values = [jaccard(t, p) for t in objects(truth) for p in objects(found)]
    matched = [value for value in values if value > 0.5]
    half = (len(objects(truth)) + len(objects(found))) / 2
    quality = sum(matched) / len(matched) if matched else None
    return len(matched) / half, quality, sum(matched) / half


def loop_aji(found: np.ndarray, truth: np.ndarray) -> float:
    predictions, used = objects(found), set()
    above = below = 0
    for true in objects(truth):
        values = [jaccard(true, p) for p in predictions]
        best = int(np.argmax(values)) if values else -1
        if best < 0 or values[best] == 0:
            below += true.sum()
            continue
        above += (true & predictions[best]).sum()
        below += (true | predictions[best]).sum()
        used.add(best)
    return above / (below + sum(p.sum() for k, p in enumerate(predictions) if k not in used))


def choices(n_truth: int, n_prediction: int) -> itertools.chain:
    """Every largest way to give true nuclei predictions, one to one."""
    if n_truth <= n_prediction:
        ways = itertools.permutations(range(n_prediction), n_truth)
        return itertools.chain(list(enumerate(way)) for way in ways)
    ways = itertools.permutations(range(n_truth), n_prediction)
    return itertools.chain([(t, p) for p, t in enumerate(way)] for way in ways)


def loop_best(found: np.ndarray, truth: np.ndarray) -> tuple[list[int], set[float]]:
    """Most pairs at each IoU threshold, and AJI+ of every assignment with the highest IoU sum."""
    trues, predictions = objects(truth), objects(found)
    area = sum(m.sum() for m in trues) + sum(m.sum() for m in predictions)
    table = np.array([[jaccard(t, p) for p in predictions] for t in trues])
    most, best_sum, values = [0] * 10, -1.0, set()
    for way in choices(len(trues), len(predictions)):
        ious = [table[t, p] for t, p in way]
        for k, threshold in enumerate(instance.IOU_THRESHOLDS):
            most[k] = max(most[k], sum(iou >= threshold for iou in ious))
        shared = sum(int((trues[t] & predictions[p]).sum()) for t, p in way)
        if sum(ious) > best_sum + 1e-9:
            best_sum, values = sum(ious), set()
        if sum(ious) > best_sum - 1e-9:
            values.add(shared / (area - shared))
    return most, values


def of(found: np.ndarray, truth: np.ndarray) -> dict:
    return instance.instance_scores(instance.count_instances(found, truth))


def test_scores_as_fractions() -> None:
    truth = np.array([[1, 1, 1, 1, 0, 0, 0, 2], [0, 0, 0, 0, 0, 3, 3, 0]])
    found = np.array([[9, 9, 9, 0, 0, 0, 0, 0], [0, 0, 0, 0, 8, 8, 0, 4]])
    got = of(found, truth)
    assert got == {
        "detection_precision": 1 / 3,
        "detection_recall": 1 / 3,
        "detection_f1": 1 / 3,
        "dq": 1 / 3,
        "sq": 3 / 4,
        "pq": 1 / 4,
        "aji": (3 + 1) / (4 + 3 + 1 + 1),
        "aji_plus": (3 + 1) / (4 + 3 + 1 + 1),
        "ap_50": 1 / 5,
        "ap_75": 1 / 5,
        "ap_50_95": pytest.approx(6 / 10 / 5),  # a mean of ten, summed as NumPy pleases
        "n_truth": 3,
        "n_prediction": 3,
        "n_split": 0,
        "n_merged": 0,
    }


def test_a_match_needs_more_than_half_and_detection_half() -> None:
    got = of(np.array([[1, 0]]), np.array([[1, 1]]))
    assert (got["detection_f1"], got["ap_50"]) == (1, 1)
    assert (got["dq"], got["sq"], got["pq"]) == (0, None, 0)


def test_a_prediction_over_two_halves_counts_once() -> None:
    got = of(np.array([[7, 7]]), np.array([[1, 2]]))
    assert got["detection_f1"] == 2 / 3
    assert got["aji"] == 2 / 4
    assert got["aji_plus"] == 1 / 3


def test_split_and_merged() -> None:
    whole, parts = np.array([[1, 1, 1, 1, 1]]), np.array([[2, 2, 0, 3, 3]])
    assert (of(parts, whole)["n_split"], of(parts, whole)["n_merged"]) == (1, 0)
    assert (of(whole, parts)["n_split"], of(whole, parts)["n_merged"]) == (0, 1)
    halves = np.array([[1, 1, 2, 2, 2], [3, 3, 3, 4, 4]])
    columns = np.array([[0, 5, 5, 0, 0], [0, 0, 0, 0, 0]])
    assert of(columns, halves)["n_split"] == 0  # half of its area is not more than half


@pytest.mark.parametrize(
    ("found", "truth", "n", "expected"),
    [([[0, 0]], [[0, 0]], 0, None), ([[0, 0]], [[1, 0]], 1, 0.0), ([[3, 0]], [[0, 0]], 1, 0.0)],
)
def test_empty_cases(found: list, truth: list, n: int, expected: float | None) -> None:
    got = of(np.array(found), np.array(truth))
    assert got["n_truth"] + got["n_prediction"] == n
    assert got["sq"] is None
    keys = ("detection_f1", "dq", "pq", "aji", "aji_plus", "ap_50", "ap_75", "ap_50_95")
    assert [got[key] for key in keys] == [expected] * len(keys)
    assert got["detection_recall"] == (0.0 if np.any(truth) else None)
    assert got["detection_precision"] == (0.0 if np.any(found) else None)


@settings(max_examples=150, deadline=None)
@given(PAIRS)
def test_scores_equal_the_loops(images: np.ndarray) -> None:
    found, truth = images
    if not found.any() and not truth.any():
        return
    got, loop = of(found, truth), loop_panoptic(found, truth)
    assert (got["dq"], got["sq"], got["pq"]) == pytest.approx(loop, abs=1e-12)
    assert got["aji"] == pytest.approx(loop_aji(found, truth), abs=1e-12)
    most, aji_plus = loop_best(found, truth)
    assert instance.count_instances(found, truth).n_pairs == tuple(most)
    assert any(got["aji_plus"] == pytest.approx(value, abs=1e-12) for value in aji_plus)
    nuclei = got["n_truth"] + got["n_prediction"]
    precision = [n / (nuclei - n) for n in most]
    assert (got["ap_50"], got["ap_75"]) == (precision[0], precision[5])
    assert got["ap_50_95"] == pytest.approx(np.mean(precision), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(PAIRS)
def test_split_and_merged_equal_the_loops(images: np.ndarray) -> None:
    def held(outer: np.ndarray, inner: np.ndarray) -> int:
        return sum(
            sum((o & i).sum() > i.sum() / 2 for i in objects(inner)) >= 2 for o in objects(outer)
        )

    found, truth = images
    got = of(found, truth)
    assert got["n_split"] == held(truth, found)
    assert got["n_merged"] == held(found, truth)


@settings(max_examples=100, deadline=None)
@given(PAIRS, st.permutations(range(1, 7)), st.integers(1, 2**31 - 7))
def test_relabelling_changes_nothing(images: np.ndarray, order: list[int], offset: int) -> None:
    found, truth = images
    ids = np.array([0, *order])
    far = np.where(ids, ids + offset, 0)
    assert of(far[found], ids[truth]) == of(found, truth)


@settings(deadline=None)
@given(PAIRS)
def test_swapping_swaps_precision_and_recall(images: np.ndarray) -> None:
    one, other = of(images[0], images[1]), of(images[1], images[0])
    assert one["detection_precision"] == other["detection_recall"]
    assert one["n_split"] == other["n_merged"]
    for key in ("detection_f1", "dq", "sq", "pq", "ap_50_95"):
        assert one[key] == pytest.approx(other[key], abs=1e-12)


@settings(deadline=None)
@given(st.one_of(st.tuples(IMAGES, IMAGES), st.tuples(blobs(), blobs())))
def test_tiles_pooled_equal_the_mosaic(tiles: tuple[np.ndarray, np.ndarray]) -> None:
    one, two = tiles
    pooled = instance.count_instances(*one) + instance.count_instances(*two)
    mosaic = np.concatenate([one, np.where(two, two + 100, 0)], axis=2)
    assert instance.instance_scores(pooled) == pytest.approx(of(*mosaic), abs=1e-12)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.uint64])
def test_every_integer_type(dtype: type) -> None:
    truth = np.array([[1, 1, 0], [0, 0, 1]], dtype)
    assert of(truth, truth)["pq"] == 1


def test_ids_of_any_size_and_sign() -> None:
    truth = np.array([[2**62, 2**62, 0, -5]])
    assert of(np.array([[1, 1, 0, 2]]), truth)["pq"] == 1
    assert of(np.array([[1, 1, 0, 2]]), truth.astype(np.uint64))["n_truth"] == 2


def test_region_drops_what_its_edge_cuts_with_its_other_side() -> None:
    truth = np.array([[1, 1, 1, 0, 2, 2, 0, 3, 3, 3]])
    found = np.array([[0, 8, 8, 0, 9, 0, 0, 0, 7, 7]])
    region = np.array([[0, 1, 1, 1, 1, 1, 1, 1, 1, 0]], bool)
    counts = instance.count_instances(found, truth, region=region)
    assert (counts.n_truth, counts.n_prediction) == (1, 1)
    everywhere = instance.count_instances(found, truth, region=np.ones_like(region))
    assert everywhere == instance.count_instances(found, truth)
    nowhere = instance.count_instances(found, truth, region=np.zeros_like(region))
    assert nowhere == instance.InstanceCounts()


def test_masks_become_components() -> None:
    mask = np.array([[255, 0, 0, 255], [0, 255, 0, 255]], np.uint8)
    assert instance.as_instances(mask).tolist() == [[1, 0, 0, 2], [0, 1, 0, 2]]
    assert instance.as_instances(mask // 255).max() == 2
    assert instance.as_instances(mask > 0).max() == 2
    for value in (7, 128, 510):
        assert instance.as_instances((mask > 0) * value).max() == 2
    one = np.array([[7, 7, 0]])
    for labels in (np.array([[1, 0, 255]]), np.array([[7, 0, 7, 8]]), one, np.zeros((1, 2), int)):
        assert instance.as_instances(labels) is labels


def test_a_hundred_thousand_nuclei_far_apart_in_id() -> None:
    truth = np.zeros((1600, 1600), np.int32)
    ids = np.random.default_rng(0).choice(2**31 - 1, 102_400, replace=False).reshape(320, 320)
    for dy, dx in itertools.product(range(4), range(4)):
        truth[dy::5, dx::5] = ids
    got = of(np.roll(truth, 1, axis=1), truth)
    assert got["n_truth"] == 102_400
    assert got["sq"] == pytest.approx(0.6, abs=1e-3)


def test_refusals_name_what_came() -> None:
    with pytest.raises(InputError, match="float64"):
        instance.count_instances(np.zeros((2, 2)), np.zeros((2, 2), int))
    with pytest.raises(InputError, match="3 x 2"):
        instance.count_instances(np.zeros((2, 2), int), np.zeros((3, 2), int))
