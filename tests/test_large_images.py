"""Images larger than one window: bounded memory, and a network that does not show its tiles."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment

MOST_GB = 2.5
MEASURED = """
import resource, sys
import dask.array as da, numpy as np
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.pipeline import run, segment
tile = generate_tile(1).image
image = da.tile(da.from_array(tile, chunks=tile.shape), (16, 16, 1))
result = run(segment(image, classical.model()))
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
print(*image.shape, result.nuclei, peak)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_a_lazy_image_of_8192_pixels_a_side_stays_under_a_fixed_amount_of_memory():
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True, timeout=280
    )
    *shape, nuclei, peak = (float(word) for word in done.stdout.split())
    assert shape == [8192, 8192, 3]
    assert nuclei > 10_000
    assert peak < MOST_GB


@pytest.mark.parametrize("name", ["default", "classical"])
def test_tiles_of_any_size_give_the_same_probability_up_to_rounding(name):
    image = generate_tile(4, size=700).image[:, :620]
    model = open_model(name)
    whole = run(segment(image, model, Options(tile=1024)))
    for tile in (256, 448):
        tiled = run(segment(image, model, Options(tile=tile)))
        difference = np.abs(tiled.probability.astype(int) - whole.probability)
        assert difference.max() <= 1
        assert np.mean((tiled.labels > 0) != (whole.labels > 0)) < 1e-3
