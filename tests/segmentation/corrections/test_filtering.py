"""Nuclei that a filter takes out of corrected labels and puts back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_snow_unet.segmentation.corrections.filtering import refilter


def filtered(labels, hidden, **options):
    """Return labels after a filter, and the hidden nuclei."""
    change, hidden = refilter(labels, hidden, **options)
    return change.applied(labels), hidden


def drawn(hidden, shape):
    """Return hidden nuclei as labels."""
    return hidden.applied(np.zeros(shape, int))


def test_small_nuclei_and_those_at_the_border_go_and_come_back():
    labels = np.array([[1, 0, 0, 0], [0, 2, 2, 0], [0, 2, 0, 0], [0, 0, 0, 0]])
    without, hidden = filtered(labels, None, min_area=2)
    assert np.unique(without).tolist() == [0, 2]
    assert np.array_equal(drawn(hidden, labels.shape), np.where(labels == 1, 1, 0))
    without, hidden = filtered(without, hidden, min_area=4)
    assert not without.any()
    without, hidden = filtered(without, hidden, clear_border=True)
    assert np.unique(without).tolist() == [0, 2]
    back, hidden = filtered(without, hidden)
    assert np.array_equal(back, labels)
    assert not len(hidden.values)


def test_a_nucleus_comes_back_only_where_there_is_room():
    labels = np.array([[1, 1, 1, 0, 2, 2, 2, 2]])
    _, hidden = refilter(labels, None, min_area=9)
    painted = np.array([[0, 0, 9, 9, 9, 9, 0, 0]])
    back, hidden = filtered(painted, hidden)
    assert back.tolist() == [[1, 1, 9, 9, 9, 9, 0, 0]]
    assert drawn(hidden, labels.shape).tolist() == [[0, 0, 0, 0, 2, 2, 2, 2]]
    assert filtered(np.zeros_like(labels), hidden)[0].tolist() == [[0, 0, 0, 0, 2, 2, 2, 2]]


grid = st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=2, max_size=4)


@given(labels=grid, areas=st.lists(st.integers(0, 9), max_size=4), border=st.booleans())
def test_moving_a_slider_back_restores_everything(labels, areas, border):
    labels = now = np.array(labels)
    hidden = None
    for area in areas:
        now, hidden = filtered(now, hidden, min_area=area, clear_border=border)
        assert np.array_equal(np.maximum(now, drawn(hidden, labels.shape)), labels)
        assert not now[hidden.indices].any()
    assert np.array_equal(filtered(now, hidden)[0], labels)
