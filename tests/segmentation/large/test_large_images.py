"""Images larger than one window: bounded memory, and a network that does not show its tiles."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment

MOST_GB = 2.5
MEASURED = """
import dask.array as da, numpy as np
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.pipeline import run, segment
tile = generate_tile(1).image
image = da.tile(da.from_array(tile, chunks=tile.shape), (16, 16, 1))
result = run(segment(image, classical.model()))
print(*image.shape, result.nuclei, peak() / 1e9)
"""


def test_a_lazy_image_of_8192_pixels_a_side_stays_under_a_fixed_amount_of_memory(measured):
    *shape, nuclei, peak = measured(MEASURED)
    assert shape == [8192, 8192, 3]
    assert nuclei > 10_000
    assert peak < MOST_GB


@pytest.mark.parametrize(("name", "mean"), [("default", 0), ("default", 1), ("classical", 0)])
def test_tiles_of_any_size_give_the_same_probability_up_to_rounding(name, mean):
    image = generate_tile(4, size=700).image[:, :620]
    model = open_model(name)
    whole = run(segment(image, model, Options(tile=1024, test_time_augmentation=bool(mean))))
    for tile in (256, 448):
        tiled = run(segment(image, model, Options(tile=tile, test_time_augmentation=bool(mean))))
        difference = np.abs(tiled.probability.astype(int) - whole.probability)
        assert difference.max() <= 1
        assert np.mean((tiled.labels > 0) != (whole.labels > 0)) < 1e-3
