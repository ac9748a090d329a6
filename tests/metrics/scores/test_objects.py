"""The error map and the object table on cases one can check by eye."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_snow_unet.metrics.scores import instance, objects

IMAGES = hnp.arrays(np.int32, (2, 7, 8), elements=st.integers(0, 4))


def rows(table: dict) -> list[tuple]:
    names = ("layer", "id", "status", "partner")
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def test_error_map_codes() -> None:
    found, truth = np.array([[5, 0, 5, 0]]), np.array([[1, 2, 0, 0]])
    assert objects.error_map(found, truth).tolist() == [[1, 3, 2, 0]]
    region = np.array([[0, 1, 0, 0]], bool)
    assert objects.error_map(found, truth, region=region).tolist() == [[0, 3, 0, 0]]
    assert objects.error_map(found, truth).dtype == np.uint8


def test_every_status() -> None:
    truth = np.zeros((5, 8), int)
    found = np.zeros((5, 8), int)
    truth[0, :4], found[0, :3] = 11, 21  # matched
    truth[1, 6:] = 12  # missed
    found[2, 6:] = 22  # spurious
    truth[3, :6], found[3, :2], found[3, 2:6] = 13, 23, 24  # split, its larger part matches
    truth[4, :2], truth[4, 2:4], found[4, :5] = 14, 15, 25  # merged
    table = objects.object_table(found, truth)
    assert rows(table) == [
        ("truth", 11, "matched", 21),
        ("truth", 12, "missed", 0),
        ("truth", 13, "split", 24),
        ("truth", 14, "missed", 25),
        ("truth", 15, "missed", 25),
        ("prediction", 22, "spurious", 0),
        ("prediction", 23, "spurious", 13),
        ("prediction", 25, "merged", 14),
    ]
    assert table["iou"].tolist() == [3 / 4, 0, 4 / 6, 2 / 5, 2 / 5, 0, 2 / 6, 2 / 5]
    assert table["area"].tolist() == [4, 2, 6, 2, 2, 2, 2, 5]
    assert table["centroid"][0].tolist() == [0, 1.5]
    assert table["centroid"][6].tolist() == [3, 0.5]


def test_spacing_scales_areas_and_leaves_centroids() -> None:
    labels = np.array([[0, 3, 3]])
    table = objects.object_table(labels, labels, spacing=(0.5, 0.25))
    assert table["area"].tolist() == [0.25]
    assert table["centroid"].tolist() == [[0, 1.5]]


def test_region_leaves_out_what_it_cuts() -> None:
    labels = np.array([[4, 4, 0, 9, 9]])
    region = np.array([[0, 1, 1, 1, 1]], bool)
    assert rows(objects.object_table(labels, labels, region=region)) == [("truth", 9, "matched", 9)]


def test_nothing_at_all() -> None:
    table = objects.object_table(np.zeros((3, 3), int), np.zeros((3, 3), int))
    assert rows(table) == []
    assert table["centroid"].shape == (0, 2)


@settings(max_examples=60, deadline=None)
@given(IMAGES)
def test_rows_add_up_to_the_counts(images: np.ndarray) -> None:
    found, truth = images
    table, counts = objects.object_table(found, truth), instance.count_instances(found, truth)
    status, layer = table["status"], table["layer"]
    assert (layer == "truth").sum() == counts.n_truth
    assert (status == "split").sum() == counts.n_split
    assert (status == "merged").sum() == counts.n_merged
    assert ((layer == "truth") & (table["iou"] > 0.5)).sum() == counts.n_matched
    listed = (layer == "prediction") & (table["iou"] <= 0.5)
    assert listed.sum() == counts.n_prediction - counts.n_matched
    for name, number, centre in zip(layer, table["id"], table["centroid"], strict=True):
        labels = truth if name == "truth" else found
        np.testing.assert_allclose(centre, np.argwhere(labels == number).mean(axis=0))
