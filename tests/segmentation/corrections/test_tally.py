"""What is read off corrected labels: net differences that follow every way there and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_snow_unet.segmentation.corrections.objects import delete, merge, relabel
from napari_snow_unet.segmentation.corrections.separating import separate
from napari_snow_unet.segmentation.corrections.tally import Areas, Edits, Pairs, compare


def edits(before, now):
    before, now = np.asarray(before), np.asarray(now)
    return compare(Areas.of(before), Pairs.of(before, now))


def nuclei():
    """Return four nuclei of 4 by 6 pixels, 1 to 4 from the left."""
    labels = np.zeros((8, 40), np.int32)
    for number in range(1, 5):
        labels[2:6, 10 * number - 8 : 10 * number - 2] = number
    return labels


def test_nothing_done_is_no_edit():
    assert edits(nuclei(), nuclei()) == Edits(4, 4)
    assert not Edits(4, 4).edited


def test_deleted_added_separated_and_merged_nuclei_are_listed():
    labels = nuclei()
    after = delete(labels, (3, 3)).applied(labels)
    after = separate(after, [(0, 15), (8, 15)], 5).applied(after)
    after[2:6, 28:32] = 3  # the gap to the next
    after = merge(after, (3, 23), (3, 33)).applied(after)
    after[0, 0:5] = 6
    assert edits(labels, after) == Edits(4, 4, (6,), (1,), (2,), (3,))
    assert edits(labels, after).as_numbers() == {
        "n_automatic": 4,
        "n_now": 4,
        "added": 1,
        "deleted": 1,
        "separated": 1,
        "merged": 1,
        "reshaped": 0,
    }


def test_a_nucleus_that_gains_pixels_is_reshaped():
    after = nuclei()
    after[1, 3] = 1
    after[2, 13] = 0
    assert edits(nuclei(), after) == Edits(4, 4, reshaped=(1, 2))


def test_numbers_do_not_matter():
    labels = nuclei() * 7
    assert edits(labels, relabel(labels).applied(labels)) == Edits(4, 4)
    assert edits(labels, np.where(labels == 7, 99, labels)) == Edits(4, 4)


def test_a_stroke_far_away_with_an_old_number_is_no_new_nucleus():
    after = nuclei()
    after[0, 30:35] = 1
    assert edits(nuclei(), after) == Edits(4, 4, reshaped=(1,))


def test_numbers_too_large_to_count_are_sorted():
    before = nuclei().astype(np.int64) * 10**9
    assert edits(before, np.where(before == 10**9, 0, before)) == Edits(4, 3, deleted=(10**9,))


small = st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=1, max_size=4)


@given(before=small, seed=st.integers(0, 10**6))
def test_windows_add_up_and_the_areas_of_before_come_back(before, seed):
    before = np.array(before)
    now = np.random.default_rng(seed).permuted(before, axis=1)
    whole = Pairs.of(before, now)
    halves = (np.s_[:, :2], np.s_[:, 2:])
    parts = Pairs.together([Pairs.of(before[half], now[half]) for half in halves])
    for name in ("before", "now", "pixels"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    back = Areas.of(now).before(whole)
    assert np.array_equal(back.ids, Areas.of(before).ids)
    assert np.array_equal(back.areas, Areas.of(before).areas)
    found = compare(back, whole)
    assert found.n_now == len(np.unique(now[now > 0]))
    assert found.n_automatic == len(np.unique(before[before > 0]))
    assert set(found.added) <= set(now.ravel().tolist())
    assert set(found.deleted) <= set(before.ravel().tolist())
