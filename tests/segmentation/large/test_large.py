"""Large images: the labels of the whole, whatever the blocks and windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_snow_unet.base.progress import run
from napari_snow_unet.data.pixels.value_range import EIGHT_BITS
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.large import blocks, segment_large
from napari_snow_unet.segmentation.large import pipeline as large_pipeline
from napari_snow_unet.segmentation.large.blocks import Rules
from napari_snow_unet.segmentation.large.glass import CELL, glass_of
from napari_snow_unet.segmentation.large.labelling import label_blocks
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import segment
from napari_snow_unet.segmentation.plane.nuclei import label_nuclei
from napari_snow_unet.segmentation.plane.touching import _smoothed_distance

MODEL = classical.model()


def mosaic(rows, columns, size=256, seed=0):
    """Return a generated image with glass in one corner."""
    tiles = [
        [generate_tile(seed + row * columns + column, size=size).image for column in range(columns)]
        for row in range(rows)
    ]
    image = np.concatenate([np.concatenate(row, axis=1) for row in tiles])
    image[: size // 2, : size // 2] = 243
    return image


def blobs(shape, seed=0, density=0.5, sigma=3.0):
    """Return a map with touching, holed and nested blobs of all sizes."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).random(shape), sigma)
    level = np.quantile(noise, 1 - density)
    return np.where(noise > level, 200, 20).astype(np.uint8)


def in_blocks(probability, rules, block):
    labels = np.zeros(probability.shape, np.int32)
    found = run(label_blocks(probability, labels, rules, block=block))
    return found.row_major_numbers()[labels], found


def segmented(image, options=None, model=MODEL, block=128, **facts):
    shape = image.shape[:2]
    probability, labels = np.zeros(shape, np.uint8), np.zeros(shape, np.int32)
    final = np.zeros(shape, np.int32)

    def keep(rows, columns, block_labels):
        final[rows, columns] = block_labels

    def new_map(shape):
        return np.zeros(shape, np.uint8)

    options = options or Options()
    steps = segment_large(
        image, model, options, probability, labels, keep, new_map, block=block, **facts
    )
    return final, probability, run(steps)


@pytest.mark.parametrize("block", [64, 100, 333])
@pytest.mark.parametrize("density", [0.1, 0.35, 0.5])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"separate": False, "fill_holes": False},
        {"clear_border": True, "min_area": 40.0},
        {"pixel_size_um": 0.5},
        {"pixel_size_um": 0.17, "min_area": 10.0},
    ],
)
def test_blocks_give_the_labels_of_the_whole(block, density, changes):
    probability = blobs((413, 377), seed=int(100 * density), density=density)
    expected = label_nuclei(probability > 100, **changes)
    found, summary = in_blocks(probability, Rules(100, **changes), block)
    np.testing.assert_array_equal(found, expected)
    assert summary.area == np.count_nonzero(expected)
    assert len(summary.first) == expected.max(initial=0)


@pytest.mark.parametrize("pixel", [0.17, 0.25, 0.5])
def test_the_smoothed_distance_does_not_depend_on_where_a_crop_begins(pixel):
    labels = (blobs((700, 300)) > 100).astype(np.int32)
    whole = _smoothed_distance(labels, 0.25 / pixel)
    for top, left in ((0, 1), (3, 7), (40, 33)):
        crop = _smoothed_distance(labels[top:, left:], 0.25 / pixel)
        seen = np.s_[30 * (top > 0) :, 30 * (left > 0) :]
        np.testing.assert_array_equal(crop[seen], whole[top:, left:][seen])


def test_a_ring_through_many_blocks_is_one_nucleus():
    y, x = np.mgrid[:300, :300]
    radius = np.hypot(y - 150, x - 150)
    probability = np.where((radius > 120) & (radius < 128), 200, 0).astype(np.uint8)
    probability[140:160, 140:160] = 200
    found, _ = in_blocks(probability, Rules(100, separate=False), 32)
    np.testing.assert_array_equal(found, label_nuclei(probability > 100, separate=False))
    assert found.max() == 2


@pytest.mark.parametrize("block", [64, 150])
def test_what_is_longer_than_any_clump_stays_one_label(monkeypatch, block):
    monkeypatch.setattr(blocks, "LARGEST_CLUMP", 100)
    probability = np.zeros((200, 400), np.uint8)
    probability[90:100, 10:390] = 200  # one long band
    probability[95:120, 200:225] = 200  # thick in the middle, and would be split there
    for x in (20, 80, 260):
        probability[40:60, x : x + 20] = 200
    found, summary = in_blocks(probability, Rules(100), block)
    np.testing.assert_array_equal(found, label_nuclei(probability > 100, separate=False))
    assert len(summary.first) == 4
    assert summary.area == np.count_nonzero(probability)


@pytest.mark.parametrize("tile", [128, 256, 1024])
def test_windows_and_blocks_do_not_change_the_labels(tile):
    image = mosaic(2, 3)
    expected, first, result = segmented(image, block=512)
    found, probability, again = segmented(image, Options(tile=tile), block=200)
    np.testing.assert_array_equal(probability, first)
    np.testing.assert_array_equal(found, expected)
    assert again.nuclei == result.nuclei == expected.max()
    assert set(np.unique(expected)) == set(range(expected.max() + 1))


def test_without_glass_the_labels_are_those_of_the_small_way():
    image = mosaic(2, 2)
    image[:128, :128] = generate_tile(9, size=128).image
    whole = run(segment(image, MODEL, Options()))
    found, probability, result = segmented(image)
    np.testing.assert_array_equal(probability, whole.probability)
    np.testing.assert_array_equal(found, whole.labels)
    assert (result.nuclei, result.threshold) == (whole.nuclei, whole.threshold)
    assert result.area_fraction == pytest.approx(whole.area_fraction)
    assert result.provenance["options"] == whole.provenance["options"]


def test_glass_has_the_probability_0_and_is_not_computed():
    image = np.full((512, 512, 3), 243, np.uint8)
    image[200:300, 220:330] = generate_tile(3, size=128).image[:100, :110]
    seen = []

    def count(pixels):
        seen.append(pixels.shape)
        return np.full(pixels.shape[:3], 0.9, np.float32)

    model = replace(MODEL, predict=count, halo=0)
    _, probability, result = segmented(image, Options(tile=64), model=model)
    cells = glass_of(image, EIGHT_BITS)
    assert 0.8 < result.glass_fraction == cells.mean() < 1
    assert len(seen) == np.count_nonzero(~cells)
    assert result.computed_pixels == 64 * 64 * len(seen)
    for row, column in np.argwhere(cells):
        assert not probability[row * CELL :, column * CELL :][:CELL, :CELL].any()
    assert probability[200:300, 220:330].min() > 200


@pytest.mark.parametrize("seed", range(6))
def test_no_nucleus_lies_on_glass(seed):
    tile = generate_tile(seed, size=256)
    cells = np.kron(glass_of(tile.image, EIGHT_BITS), np.ones((CELL, CELL), bool))
    assert not tile.labels[cells[:256, :256]].any()


SCALED = replace(MODEL, pixel_size_um=(0.2, 0.4))


@pytest.mark.parametrize("pixel", [0.47, 0.9, 0.13])
def test_beyond_the_models_scale_the_labels_are_those_of_the_small_way(pixel):
    image = np.minimum(mosaic(2, 2, seed=30), 200)  # no glass, which only large images know
    whole = run(segment(image, SCALED, Options(), pixel_size_um=pixel))
    found, probability, result = segmented(image, model=SCALED, pixel_size_um=pixel)
    assert result.provenance["network_pixel_size_um"] == pytest.approx(0.4 if pixel > 0.4 else 0.2)
    assert result.messages == whole.messages
    np.testing.assert_array_equal(probability, whole.probability)
    np.testing.assert_array_equal(found, whole.labels)
    assert result.nuclei > 20


@pytest.mark.parametrize("tile", [128, 192, 320])
@pytest.mark.parametrize("pixel", [0.47, 0.13])
def test_windows_of_a_resampled_image_do_not_change_the_labels(monkeypatch, tile, pixel):
    image = mosaic(2, 3, seed=40)
    expected, first, result = segmented(image, model=SCALED, pixel_size_um=pixel)
    assert 0 < result.glass_fraction < 1
    monkeypatch.setattr(large_pipeline, "BLOCK", 150)
    found, probability, again = segmented(
        image, Options(tile=tile), model=SCALED, pixel_size_um=pixel
    )
    assert np.abs(probability.astype(int) - first).max() <= 1
    assert again.glass_fraction == result.glass_fraction
    assert np.mean((found > 0) != (expected > 0)) < 1e-4
    assert again.nuclei == pytest.approx(result.nuclei, abs=1)


def test_a_part_of_a_resampled_image_is_that_of_a_small_one():
    image = np.minimum(mosaic(2, 3, seed=20), 200)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    inside = np.hypot(y - 300, x - 350) < 120
    options = Options(tile=192)
    expected = run(segment(image, SCALED, options, inside=inside, pixel_size_um=0.5))
    final, _, found = segmented(image, options, SCALED, inside=inside, pixel_size_um=0.5)
    np.testing.assert_array_equal(final, expected.labels)
    everything = segmented(image, options, SCALED, pixel_size_um=0.5)[2]
    assert found.computed_pixels < everything.computed_pixels


def test_an_unknown_pixel_size_is_said():
    image = mosaic(1, 1)
    assert "unknown" in " ".join(segmented(image, model=SCALED)[2].messages)
    assert segmented(image, model=SCALED, pixel_size_um=0.3)[2].messages == ()


def test_one_mask_is_one_label():
    found, _, result = segmented(mosaic(1, 2), Options(output="mask"))
    assert set(np.unique(found)) == {0, 1}
    assert result.nuclei > 1


def test_a_part_of_a_large_image_is_that_of_a_small_one():
    image = np.minimum(mosaic(2, 3, seed=20), 200)  # no glass, which only large images know
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    inside = np.hypot(y - 300, x - 350) < 180
    options = Options(tile=192)
    expected = run(segment(image, MODEL, options, inside=inside))
    final, probability, found = segmented(image, options, inside=inside)
    assert found.glass_fraction == 0
    np.testing.assert_array_equal(final, expected.labels)
    assert (found.nuclei, found.threshold) == (expected.nuclei, expected.threshold)
    assert found.area_fraction == pytest.approx(expected.area_fraction)
    assert not probability[~inside].any()
    assert found.computed_pixels < segmented(image, options)[2].computed_pixels
