import numpy as np
import pytest

from napari_snow_unet.data.pixels.channels import CHANNELS
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.training.augment import augment_crop, needs_colour
from napari_snow_unet.unet.training.tile_reader import IGNORED, TrainingArrays

KINDS = ("none", "standard", "strong")


def arrays(colour=False, size=96):
    """Return bright ground with dark discs."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    truth = np.zeros((size, size), np.uint8)
    for center_y, center_x in rng.uniform(4, size - 4, (8, 2)):
        truth[(y - center_y) ** 2 + (x - center_x) ** 2 < 40] = 1
    image = np.where(truth[..., None] > 0, (110, 70, 140), (225, 190, 210))
    image = (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    return TrainingArrays(image if colour else np.ascontiguousarray(image[..., :1]), truth)


def crop(seed, tile, kind, channel="red", size=(32, 32), **more):
    options = make_options(augment=kind, channel=channel, **more)
    return augment_crop(np.random.default_rng(seed), tile, size, options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_shape_type_and_range(kind, channel):
    tile = arrays(colour=True)
    for seed in range(30):
        pixels, truth = crop(seed, tile, kind, channel, (32, 48))
        assert pixels.shape == (32, 48, 3 if channel == "rgb" else 1)
        assert pixels.dtype == np.float32
        assert truth.shape == (32, 48)
        assert truth.dtype == np.uint8
        assert 0 <= pixels.min() <= pixels.max() <= 1
        assert set(np.unique(truth)) <= {0, 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_crop_depends_on_its_generator_alone(kind):
    tile = arrays()
    for a, b in zip(crop(3, tile, kind), crop(3, tile, kind), strict=True):
        assert np.array_equal(a, b)
    others = {crop(seed, tile, kind)[0].tobytes() for seed in range(20)}
    assert len(others) == 20


def test_none_cuts_and_changes_nothing():
    tile = arrays()
    pixels, truth = crop(1, tile, "none")
    windows = np.lib.stride_tricks.sliding_window_view(tile.truth, (32, 32))
    places = np.argwhere((windows == truth).all((2, 3)))
    unit = tile.pixels[..., 0].astype(np.float32) / np.float32(255)
    assert any(np.array_equal(unit[y : y + 32, x : x + 32], pixels[..., 0]) for y, x in places)


@pytest.mark.parametrize("kind", KINDS)
def test_truth_stays_with_the_nuclei_wherever_the_crop_is_turned(kind):
    """Where the truth says nucleus it is darker than where it does not, in every crop."""
    tile, told_apart = arrays(), 0
    for seed in range(40):
        pixels, truth = crop(seed, tile, kind, size=(64, 64))
        if 50 < truth.sum() < truth.size - 50:
            inside, outside = (pixels[..., 0][truth == t].mean() for t in (1, 0))
            told_apart += 1
            assert inside < outside
    assert told_apart > 20


def test_standard_turns_mirrors_and_scales():
    """A wedge in the middle is seen pointing all ways and in sizes from 0.6 to 1.5."""
    truth = np.zeros((128, 128), np.uint8)
    truth[54:74, 44:84] = 1
    tile = TrainingArrays(truth[..., None] * 200, truth)
    areas = np.array([crop(s, tile, "standard", size=(128, 128))[1].sum() for s in range(200)])
    zoom = np.sqrt(areas / truth.sum())
    assert 0.55 < zoom.min() < 0.75
    assert 1.3 < zoom.max() < 1.55


def test_a_tile_smaller_than_the_crop_is_mirrored():
    tile = arrays(size=24)
    for kind in KINDS:
        pixels, truth = crop(0, tile, kind, size=(64, 64))
        assert pixels.shape[:2] == truth.shape == (64, 64)
    pixels, truth = crop(0, tile, "none", size=(64, 64))
    assert np.array_equal(truth[20:44, 20:44], tile.truth)
    assert np.array_equal(truth[19, 20:44], tile.truth[1])
    assert np.array_equal(pixels[44, 20:44, 0] * 255, tile.pixels[22, :, 0])


def test_crops_lie_where_somebody_has_annotated():
    tile = arrays(size=256)
    region = np.full_like(tile.truth, IGNORED)
    region[20:40, 200:220] = tile.truth[20:40, 200:220]
    part = TrainingArrays(tile.pixels, region)
    for kind in ("none", "standard"):
        for seed in range(20):
            assert (crop(seed, part, kind, size=(64, 64))[1] != IGNORED).any()


def test_a_whole_tile_stays_in_place_although_it_is_annotated_in_part():
    tile = arrays(size=64)
    region = tile.truth.copy()
    region[:, 30:] = IGNORED
    pixels, truth = crop(5, TrainingArrays(tile.pixels, region), "none", size=(64, 64))
    assert np.array_equal(truth, region)
    assert np.array_equal(np.rint(pixels * 255), tile.pixels)


def test_empty_fields_are_shown_now_and_then_and_have_no_nuclei():
    tile = TrainingArrays(arrays().pixels, np.ones((96, 96), np.uint8))
    empty = sum(not crop(seed, tile, "strong")[1].any() for seed in range(300))
    assert 3 <= empty <= 30


def test_colour_is_needed_only_where_channels_are_mixed_or_stains_changed():
    def needed(kind, channel, **more):
        return needs_colour(make_options(augment=kind, channel=channel, **more))

    assert needed("strong", "red")
    assert not needed("strong", "rgb", stain=1.0)
    assert not needed("standard", "red")
    assert needed("standard", "red", stain=0.1)
    assert needed("standard", "red", artefacts=0.1)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("kind", ["standard", "strong"])
def test_stain_is_changed_before_the_channel_is_taken(kind, channel):
    tile = arrays(colour=True)
    for seed in range(10):
        usual, where = crop(seed, tile, kind, channel)
        pixels, truth = crop(seed, tile, kind, channel, stain=1.0, stain_share=1.0)
        assert pixels.shape == usual.shape
        assert 0 <= pixels.min() <= pixels.max() <= 1
        if where.any():  # not an empty field
            assert np.array_equal(truth, where)
            assert not np.array_equal(pixels, usual)


def test_as_many_crops_are_changed_as_wanted():
    """A grey tile gets colours where stains are changed; glass has no nuclei."""
    tile = TrainingArrays(np.full((64, 64, 3), 128, np.uint8), np.ones((64, 64), np.uint8))

    def crops(**more):
        return [crop(seed, tile, "standard", "rgb", **more) for seed in range(120)]

    stained = sum(np.ptp(pixels, axis=-1).max() > 0 for pixels, _ in crops(stain=1.0))
    assert 40 <= stained <= 80
    assert 12 <= sum(not truth.any() for _, truth in crops(artefacts=0.6)) <= 40
