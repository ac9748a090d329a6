"""Corrections to labels that one can check by eye, and what holds for any labels."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.segmentation.corrections import messages
from napari_snow_unet.segmentation.corrections.adding import Guide, add_at, add_outline
from napari_snow_unet.segmentation.corrections.objects import delete, fill_holes, merge, relabel
from napari_snow_unet.segmentation.corrections.separating import separate


def plane(text):
    """Read labels as they are drawn: a digit per pixel, a dot for background."""
    rows = text.split()
    return np.array([[int(c) if c != "." else 0 for c in row] for row in rows], np.int32)


def drawn(labels):
    """Draw labels as `plane` reads them."""
    return ["".join(str(c) if c else "." for c in row) for row in labels]


def refused(message):
    return pytest.raises(InputError, match=re.escape(message.problem))


TWO = """
.......
.11.22.
.11.22.
......1
"""


def test_all_fragments_of_the_nucleus_are_deleted():
    labels = plane(TWO)
    change = delete(labels, (1.2, 1.4))
    assert drawn(change.applied(labels)) == [".......", "....22.", "....22.", "......."]
    assert (change.kind, change.ids) == ("deleted", (1,))


@pytest.mark.parametrize("point", [(0, 0), (-3, 2), (2, 99)])
def test_a_click_beside_the_nuclei_deletes_nothing(point):
    with refused(messages.NO_NUCLEUS):
        delete(plane(TWO), point)


def test_nuclei_that_touch_become_one_with_the_number_of_the_first():
    labels = plane("11.. 1122 ..22")
    assert drawn(merge(labels, (0, 0), (2, 3)).applied(labels)) == ["11..", "1111", "..11"]
    assert drawn(merge(labels, (2, 3), (0, 0)).applied(labels)) == ["22..", "2222", "..22"]


def test_a_narrow_gap_between_merged_nuclei_is_closed_over_background_only():
    labels = plane(".......... .111..222. .111..222. .111..222. .......... .......3..")
    merged = merge(labels, (2, 2), (2, 7)).applied(labels)
    assert drawn(merged[:5]) == [".........."] + [".11111111."] * 3 + [".........."]
    labels[2, 4] = labels[1, 4] = labels[3, 4] = 4
    assert (merge(labels, (2, 2), (2, 7)).applied(labels)[1:4, 4] == 4).all()


def test_nuclei_far_apart_stay_two_and_the_distance_is_given():
    labels = np.zeros((9, 60), np.int32)
    labels[4, 2], labels[4, 43] = 1, 2
    with refused(messages.too_far_apart(40)):
        merge(labels, (4, 2), (4, 43))
    labels[4, 11] = 3
    assert merge(labels, (4, 2), (4, 11)).ids == (1, 3)  # 8 pixels between them


def test_a_nucleus_is_not_merged_with_itself():
    with refused(messages.SAME_NUCLEUS):
        merge(plane(TWO), (1, 1), (2, 2))


def test_holes_are_filled_and_what_else_is_enclosed_stays():
    labels = plane("11111 1.1.1 11121 1.111 1.111")
    filled = fill_holes(labels, (0, 0)).applied(labels)
    assert drawn(filled) == ["11111", "11111", "11121", "1.111", "1.111"]
    with refused(messages.NO_HOLES):
        fill_holes(filled, (0, 0))


def test_relabelling_closes_gaps_in_the_order_of_the_numbers():
    labels = plane("9.2 9.2 ..5")
    change = relabel(labels)
    assert drawn(change.applied(labels)) == ["3.1", "3.1", "..2"]
    with refused(messages.CONSECUTIVE):
        relabel(change.applied(labels))


BLOCK = """
.........
.1111111.
.1111111.
.1111111.
.........
"""


def test_the_line_goes_to_the_nearer_side_and_no_pixel_is_lost():
    labels = plane(BLOCK)
    change = separate(labels, [(0, 3), (4, 3)], 7)
    assert drawn(change.applied(labels))[1] in (".1177777.", ".7711111.", ".7771111.")
    assert np.array_equal(change.applied(labels) > 0, labels > 0)
    assert change.ids == (1, 7)
    assert np.count_nonzero(change.applied(labels) == 1) >= np.count_nonzero(change.values)


@pytest.mark.parametrize("line", [[(2, 4), (3, 4)], [(1, 4), (2, 4)], [(2.4, 3.6), (2.6, 4.4)]])
def test_a_line_that_ends_inside_is_continued_to_the_rim(line):
    labels = plane(BLOCK)
    assert len(np.unique(separate(labels, line, 2).applied(labels))) == 3


@pytest.mark.parametrize("line", [[(0, 0), (0, 8)], [(4, 4), (4, 4)], [(-9, -9), (-2, 40)]])
def test_a_line_beside_the_nuclei_is_refused(line):
    with refused(messages.LINE_MISSES):
        separate(plane(BLOCK), line, 2)


def test_a_line_along_the_rim_divides_nothing():
    with refused(messages.LINE_DIVIDES_NOTHING):
        separate(plane(BLOCK), [(1, 0), (1, 8)], 2)


def test_only_the_nucleus_with_most_of_the_line_is_separated():
    labels = plane("11222 11222 11222 11222 11222")
    changed = separate(labels, [(2, 1), (2, 4)], 3).applied(labels)
    assert np.array_equal(changed[:, :2], labels[:, :2])
    assert set(np.unique(changed)) == {1, 2, 3}


def test_a_fragment_that_the_line_does_not_meet_keeps_the_number():
    labels = plane(BLOCK)
    labels[0, 0] = 1
    assert separate(labels, [(0, 4), (4, 4)], 2).applied(labels)[0, 0] == 1


def test_a_bent_line_may_give_more_than_two():
    labels = np.ones((12, 30), np.int32)
    change = separate(labels, [(-1, 9), (12, 10), (12, 20), (-1, 20)], 5)
    assert change.ids == (1, 5, 6)


def test_a_number_that_the_labels_cannot_hold_is_refused():
    labels = plane(BLOCK).astype(np.uint8)
    with refused(messages.largest_number(255)):
        separate(labels, [(0, 3), (4, 3)], 256)
    with refused(messages.largest_number(255)):
        add_outline(labels * 0, [(0, 0), (0, 4), (4, 4)], 256)


@st.composite
def blobs(draw):
    """Return labels of a few discs that may touch and overlap, with pixels missing."""
    labels = np.zeros((24, 32), np.int32)
    y, x = np.mgrid[:24, :32]
    for number in range(1, draw(st.integers(1, 5)) + 1):
        row, column = draw(st.integers(0, 23)), draw(st.integers(0, 31))
        radius = draw(st.integers(1, 9))
        labels[(y - row) ** 2 + (x - column) ** 2 <= radius**2] = number
    missing = draw(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 31)), max_size=12))
    for place in missing:
        labels[place] = 0
    return labels


points = st.tuples(st.floats(-4, 28), st.floats(-4, 36))


@given(labels=blobs(), line=st.lists(points, min_size=2, max_size=5))
def test_separating_neither_loses_nor_invents_a_pixel(labels, line):
    try:
        change = separate(labels, line, 9)
    except InputError:
        return
    after = change.applied(labels)
    number, *new = change.ids
    assert np.array_equal(after > 0, labels > 0)
    assert np.array_equal(np.where(np.isin(after, new), number, after), labels)
    assert set(np.unique(after)) == set(np.unique(labels)) | set(new)
    assert new
    undone = after.copy()
    undone[change.indices] = labels[change.indices]
    assert np.array_equal(undone, labels)


@given(labels=blobs(), line=st.lists(points, min_size=2, max_size=4))
def test_what_is_separated_and_merged_again_is_what_it_was(labels, line):
    try:
        change = separate(labels, line, 9)
    except InputError:
        return
    after = change.applied(labels)
    for new in change.ids[1:]:
        one, other = (np.argwhere(after == number)[0] for number in (change.ids[0], new))
        try:
            after = merge(after, one, other).applied(after)
        except InputError:  # two outer sides, with a third one between
            assume(False)
    assert np.array_equal(after, labels)


@given(labels=blobs(), one=points, other=points)
def test_other_nuclei_keep_their_pixels_when_two_are_merged(labels, one, other):
    try:
        change = merge(labels, one, other)
    except InputError:
        return
    after = change.applied(labels)
    rest = ~np.isin(labels, (0, *change.ids))
    assert np.array_equal(after[rest], labels[rest])
    assert (after[np.isin(labels, change.ids)] == change.ids[0]).all()


def test_an_outline_takes_background_only():
    labels = plane("..... .11.. ..... .....")
    change = add_outline(labels, [(-0.5, 0.6), (-0.5, 3.4), (3.4, 3.4), (3.4, 0.6)], 5)
    assert drawn(change.applied(labels)) == [".555.", ".115.", ".555.", ".555."]


def test_outlines_that_hold_no_background_are_refused():
    labels = plane("11 11")
    with refused(messages.OUTLINE_OCCUPIED):
        add_outline(labels, [(-1, -1), (-1, 2), (2, 2), (2, -1)], 2)
    with refused(messages.OUTLINE_TOO_SMALL):
        add_outline(labels, [(0.1, 0.1), (0.2, 0.2)], 2)


def disc(shape, centre, radius):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


SHAPE = (120, 160)


@pytest.fixture
def free():
    return np.zeros(SHAPE, np.int32)


def test_a_nucleus_grows_in_the_map_down_to_the_threshold(free):
    probability = np.zeros(SHAPE, np.uint8)
    probability[disc(SHAPE, (60, 80), 12)] = 120
    probability[disc(SHAPE, (60, 80), 8)] = 220
    for threshold, radius in ((0.4, 12), (0.6, 8)):
        change = add_at(free, (62, 78), 3, Guide(probability, threshold))
        assert np.array_equal(change.applied(free) == 3, disc(SHAPE, (60, 80), radius))


def test_a_nucleus_below_the_threshold_grows_by_its_contrast(free):
    probability = np.full(SHAPE, 5, np.uint8)
    probability[disc(SHAPE, (60, 80), 9)] = 90
    change = add_at(free, (60, 80), 1, Guide(probability, 0.5))
    assert np.array_equal(change.applied(free) > 0, disc(SHAPE, (60, 80), 9))


def test_it_does_not_grow_into_another_nucleus(free):
    probability = np.zeros(SHAPE, np.uint8)
    probability[disc(SHAPE, (60, 80), 10)] = 200
    free[:, 84:] = 7
    after = add_at(free, (60, 78), 8, Guide(probability, 0.5)).applied(free)
    assert np.array_equal(after[:, 84:], free[:, 84:])
    difference = (after == 8)[:, :84] ^ disc(SHAPE, (60, 80), 10)[:, :84]
    assert np.count_nonzero(difference) <= 4  # corners at the neighbour


@pytest.mark.parametrize("pixel_size_um", [0.25, 0.5])
def test_what_is_too_large_is_cut_at_a_higher_threshold(free, pixel_size_um):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    hill = 250 - 1.5 * np.hypot(y - 60, x - 80)
    guide = Guide(hill.astype(np.uint8), 0.1, pixel_size_um=pixel_size_um)
    area = len(add_at(free, (60, 80), 1, guide).values) * pixel_size_um**2
    assert 100 < area <= 300


@pytest.mark.parametrize(
    ("image", "bright"), [("rgb", False), ("grey", False), ("grey", True), ("16 bits", True)]
)
def test_without_a_map_it_grows_in_the_image(free, image, bright):
    inside = disc(SHAPE, (60, 80), 10)
    grey = np.where(inside, 60, 200).astype(np.uint8)
    grey = 255 - grey if bright else grey
    pixels = {
        "rgb": np.stack([grey, np.full(SHAPE, 90, np.uint8), grey], axis=-1),
        "grey": grey,
        "16 bits": grey.astype(np.uint16) * 200,
    }[image]
    grown = add_at(free, (60, 80), 1, Guide(pixels=pixels)).applied(free) > 0
    assert np.count_nonzero(grown ^ inside) < 0.1 * np.count_nonzero(inside)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_where_nothing_stands_out_this_is_said(free, value):
    flat = np.full(SHAPE, value, np.uint8)
    for guide in (Guide(), Guide(flat // 4), Guide(pixels=flat), Guide(pixels=flat * 0.5)):
        with refused(messages.NOTHING_GROWN):
            add_at(free, (60, 80), 1, guide)
    with refused(messages.NOTHING_GROWN):
        add_at(free, (60, 500), 1, Guide(flat))


def test_no_nucleus_is_added_in_a_nucleus():
    with refused(messages.occupied(2)):
        add_at(plane(TWO), (1, 4), 3, Guide())


def test_most_nuclei_of_a_tile_grow_to_what_they_are_without_a_map():
    """Each nucleus that no edge cuts is deleted, and added again by one click in its middle."""
    tile = generate_tile(3, size=256)
    overlaps = []
    for number in np.unique(tile.labels)[1:]:
        truth = tile.labels == number
        rows, columns = np.nonzero(truth)
        edges = (rows.min(), columns.min(), 255 - rows.max(), 255 - columns.max())
        if len(rows) < 150 or not min(edges):
            continue
        without = np.where(truth, 0, tile.labels)
        middle = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
        try:
            change = add_at(without, (rows[middle], columns[middle]), 999, Guide(pixels=tile.image))
        except InputError:
            overlaps.append(0.0)
            continue
        grown = change.applied(without) == 999
        assert not (without[grown] > 0).any()
        overlaps.append((grown & truth).sum() / (grown | truth).sum())
    assert len(overlaps) > 10
    assert np.mean(np.array(overlaps) > 0.5) > 0.45
