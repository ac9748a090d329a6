import sys
from subprocess import run
from types import SimpleNamespace

import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.segmentation import watershed as public

from napari_snow_unet.segmentation.plane.watershed import watershed

shapes = array_shapes(min_dims=2, max_dims=2, max_side=12)


@given(data=st.data(), shape=shapes, corners=st.booleans())
def test_it_floods_as_the_public_function_of_scikit_image(data, shape, corners):
    heights = data.draw(arrays(np.float32, shape, elements=st.integers(-9, 9)))
    markers = data.draw(arrays(np.int32, shape, elements=st.integers(0, 3)))
    inside = data.draw(arrays(np.bool_, shape))
    expected = public(heights, markers, connectivity=1 + corners, mask=inside)
    np.testing.assert_array_equal(
        watershed(heights, markers, inside, across_corners=corners), expected
    )


@pytest.mark.parametrize("other", [SimpleNamespace(), SimpleNamespace(watershed_raveled=len)])
def test_another_version_of_scikit_image_is_used_by_its_public_function(monkeypatch, other):
    heights = np.array([[0, 2, 0, 1]], np.float32)
    markers, inside = np.array([[1, 0, 2, 0]], np.int32), np.ones((1, 4), bool)
    with_compiled = watershed(heights, markers, inside)
    calls = []
    monkeypatch.setattr(skimage.segmentation, "_watershed_cy", other)
    monkeypatch.setattr(
        skimage.segmentation, "watershed", lambda *a, **k: calls.append(a) or public(*a, **k)
    )
    np.testing.assert_array_equal(watershed(heights, markers, inside), with_compiled)
    assert calls


def test_touching_nuclei_are_separated_without_loading_scipy():
    code = (
        "import sys, numpy as np\n"
        "from napari_snow_unet.segmentation.plane.watershed import watershed\n"
        "flat = np.zeros((3, 3), np.float32)\n"
        "watershed(flat, np.eye(3, dtype=np.int32), flat == 0)\n"
        "print([name for name in ('scipy.ndimage', 'scipy.spatial') if name in sys.modules])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
