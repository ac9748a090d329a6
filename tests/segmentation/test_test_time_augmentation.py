"""The mean over mirror images: where a network is asked, and where its answers go."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.batch import Outputs, dask_cluster
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.value_range import EIGHT_BITS
from napari_snow_unet.data.slides.slide import open_slide
from napari_snow_unet.segmentation.large import segment_large
from napari_snow_unet.segmentation.large.windows import WindowPlan
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.segmentation.plane.resample import Resampling
from napari_snow_unet.segmentation.plane.tiling import plan_grid

OPTIONS = Options(test_time_augmentation=True)


def looks_left_and_up(pixels):
    """Answer with the darkness two pixels to the left and one above, which no mirror image has."""
    return np.roll(1 - pixels[..., 0], (1, 2), axis=(1, 2))


MODEL = Model(looks_left_and_up, "looks left and up", halo=0, threshold_floor=0.0)


@pytest.fixture
def image():
    """Return a dark square on white, in one window of the network."""
    image = np.full((128, 192, 3), 255, np.uint8)
    image[40:60, 50:80] = 0
    return image


def four_squares(shape):
    expected = np.zeros(shape)
    for dy in (-1, 1):
        for dx in (-2, 2):
            expected[40 + dy : 60 + dy, 50 + dx : 80 + dx] += 1 / 4
    return np.rint(expected * 255)


def test_the_probability_is_the_mean_of_four_mirror_images(image):
    once = run(segment(image, MODEL))
    assert once.probability[41:61, 52:82].min() == 255
    assert not once.probability[:41].any()
    mean = run(segment(image, MODEL, OPTIONS))
    assert np.abs(mean.probability - four_squares((128, 192))).max() <= 1
    assert mean.provenance["options"]["test_time_augmentation"] is True


def test_large_images_and_workers_average_too(image, tmp_path, monkeypatch):
    path = write_image(tmp_path / "a.tif", np.tile(image, (2, 2, 1)))
    maps = [np.zeros((256, 384), kind) for kind in (np.uint8, np.int32)]
    steps = segment_large(
        open_slide(path).levels[0], MODEL, OPTIONS, *maps, lambda *block: None, np.zeros
    )
    run(steps)
    whole = run(segment(np.tile(image, (2, 2, 1)), MODEL, OPTIONS))
    assert np.array_equal(maps[0], whole.probability)
    monkeypatch.setattr(dask_cluster, "open_model", lambda *names, **facts: MODEL)
    job = dask_cluster.Job("looks left and up", "auto", OPTIONS, Outputs(tmp_path / "out"))
    (tile,) = plan_grid((256, 384), 1024, 0)
    plan = WindowPlan(Resampling.by(1.0, (256, 384)), "red", EIGHT_BITS)
    assert np.array_equal(
        dask_cluster.window_on_worker(str(path), job, plan, tile).probability, whole.probability
    )
