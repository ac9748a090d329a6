"""Average Hausdorff distance against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.metrics.scores.boundary import average_hausdorff

MASKS = hnp.arrays(bool, (2, 9, 8))


def loop(found: np.ndarray, truth: np.ndarray, spacing: tuple[float, float]) -> float:
    x, y = np.argwhere(found) * spacing, np.argwhere(truth) * spacing
    there = [min(np.hypot(*(a - b)) for b in y) for a in x]
    back = [min(np.hypot(*(a - b)) for a in x) for b in y]
    return (sum(there) / len(there) + sum(back) / len(back)) / 2


def test_by_hand() -> None:
    truth, found = np.array([[1, 1, 0, 0, 0]]), np.array([[0, 0, 0, 0, 4]])
    assert average_hausdorff(found, truth) == (3 + (4 + 3) / 2) / 2
    assert average_hausdorff(found, truth, spacing=0.5) == (3 + (4 + 3) / 2) / 4
    region = np.array([[0, 1, 1, 1, 1]], bool)
    assert average_hausdorff(found, truth, region=region) == 3


@settings(max_examples=60, deadline=None)
@given(MASKS, st.sampled_from([(1.0, 1.0), (0.5, 2.0), (0.25, 0.25)]))
def test_equals_the_loop(masks: np.ndarray, spacing: tuple[float, float]) -> None:
    found, truth = masks
    got = average_hausdorff(found, truth, spacing=spacing)
    if not found.any() or not truth.any():
        assert got is None
    else:
        assert got == pytest.approx(loop(found, truth, spacing), abs=1e-9)
        assert average_hausdorff(truth, found, spacing=spacing) == pytest.approx(got, abs=1e-12)


def test_solid_masks_equal_the_loop() -> None:
    truth = np.zeros((14, 15), int)
    truth[2:9, 3:8] = 1
    found = np.roll(truth, (3, 4), (0, 1))
    found[0, 14] = 2
    assert average_hausdorff(found, truth) == pytest.approx(loop(found, truth, (1, 1)), abs=1e-9)


def test_equal_masks_touch_and_empty_ones_have_no_distance() -> None:
    full, empty = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    assert average_hausdorff(full, full) == 0
    assert average_hausdorff(full, empty) is None
    assert average_hausdorff(empty, empty) is None
    with pytest.raises(InputError, match=r"\d x \d"):
        average_hausdorff(full, full[:2])
