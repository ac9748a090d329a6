"""Nuclei that a filter takes out of corrected labels and puts back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_snow_unet.segmentation.corrections.filtering import refilter


def filtered(labels, hidden, **options):
    """Return labels and hidden nuclei after a filter."""
    change, hidden = refilter(labels, hidden, **options)
    return change.applied(labels), hidden


def test_small_nuclei_and_those_at_the_border_go_and_come_back():
    labels = np.array([[1, 0, 0, 0], [0, 2, 2, 0], [0, 2, 0, 0], [0, 0, 0, 0]])
    nothing = np.zeros_like(labels)
    without, hidden = filtered(labels, nothing, min_area=2)
    assert np.unique(without).tolist() == [0, 2]
    assert np.array_equal(hidden, np.where(labels == 1, 1, 0))
    without, hidden = filtered(without, hidden, min_area=4)
    assert not without.any()
    without, hidden = filtered(without, hidden, clear_border=True)
    assert np.unique(without).tolist() == [0, 2]
    back, hidden = filtered(without, hidden)
    assert np.array_equal(back, labels)
    assert not hidden.any()


def test_what_was_undone_or_painted_meanwhile_stays():
    labels, hidden = np.array([[5, 5, 0, 3]]), np.array([[0, 2, 2, 3]])
    assert filtered(labels, hidden)[0].tolist() == [[5, 5, 2, 3]]


grid = st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=2, max_size=4)


@given(labels=grid, areas=st.lists(st.integers(0, 9), max_size=4), border=st.booleans())
def test_moving_a_slider_back_restores_everything(labels, areas, border):
    labels = now = np.array(labels)
    hidden = np.zeros_like(labels)
    for area in areas:
        now, hidden = filtered(now, hidden, min_area=area, clear_border=border)
        assert np.array_equal(np.maximum(now, hidden), labels)
        assert not ((now > 0) & (hidden > 0)).any()
    assert np.array_equal(filtered(now, hidden)[0], labels)
