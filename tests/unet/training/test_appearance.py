import numpy as np
import pytest
from skimage.color import hed_from_rgb

from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.unet.training import appearance
from napari_snow_unet.unet.training.appearance import (
    add_artefact,
    folded,
    glass_with_debris,
    uneven_light,
    vary_stain,
)

SEEDS = range(40)


@pytest.fixture(scope="module")
def tile():
    return generate_tile(5, size=160, density=2)


def density(pixels):
    return -np.log(np.maximum(pixels, 1) / 255)


def test_nothing_changes_at_strength_0(tile):
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    assert vary_stain(rng, tile.image, 0.0) is tile.image
    assert rng.bit_generator.state == state  # later random numbers stay what they were
    almost = vary_stain(np.random.default_rng(0), tile.image, 1e-6)
    assert np.abs(almost.astype(int) - tile.image).max() <= 1


def test_grey_pixels_have_no_stain(tile):
    grey = tile.image[..., :1]
    assert vary_stain(np.random.default_rng(0), grey, 1.0) is grey


@pytest.mark.parametrize(
    "change",
    [lambda rng, p: vary_stain(rng, p, 1.0), uneven_light, folded],
    ids=["stain", "light", "fold"],
)
def test_a_change_depends_on_its_generator_alone_and_keeps_shape_and_type(tile, change):
    before, results = tile.image.copy(), set()
    for seed in SEEDS:
        one, other = (change(np.random.default_rng(seed), tile.image) for _ in range(2))
        assert np.array_equal(one, other)
        assert (one.shape, one.dtype) == (tile.image.shape, np.uint8)
        results.add(one.tobytes())
    assert len(results) == len(SEEDS)
    assert np.array_equal(tile.image, before)


def test_stains_become_dark_pale_and_pink(tile):
    """The amounts of both stains vary around the present ones, and so does their ratio."""
    tissue = tile.image[tile.labels > 0]
    present = (density(tissue) @ hed_from_rgb).mean(0)
    drawn = np.array(
        [
            (density(vary_stain(np.random.default_rng(s), tissue[None], 1.0)[0]) @ hed_from_rgb)
            for s in range(200)
        ]
    ).mean(1)
    amount = drawn[:, 0] / present[0]
    assert 0.75 < np.median(amount) < 1.15
    assert amount.min() < 0.55
    assert amount.max() > 1.5
    ratio = (drawn[:, 1] / drawn[:, 0]) / (present[1] / present[0])
    assert ratio.min() < 0.75
    assert ratio.max() > 1.5


def test_a_weaker_change_is_smaller(tile):
    def change(strength):
        crops = (vary_stain(np.random.default_rng(s), tile.image, strength) for s in SEEDS)
        return np.mean([np.abs(crop.astype(int) - tile.image).mean() for crop in crops])

    assert change(0.25) < change(0.5) < change(1.0)


def test_light_changes_smoothly(tile):
    flat = np.full_like(tile.image, 180)
    for seed in SEEDS:
        lit = uneven_light(np.random.default_rng(seed), flat)[..., 0].astype(int)
        assert np.abs(np.diff(lit, axis=0)).max() <= 6
        assert np.abs(np.diff(lit, axis=1)).max() <= 6


def test_a_fold_only_darkens_a_band(tile):
    darkened = []
    for seed in SEEDS:
        changed = folded(np.random.default_rng(seed), tile.image).astype(int) - tile.image
        assert changed.max() <= 1
        darkened.append((changed < -8).any(-1).mean())
    assert max(darkened) < 0.7
    assert np.mean(darkened) > 0.05


@pytest.mark.parametrize("planes", [1, 3])
def test_glass_is_bright_with_some_dark_debris(planes):
    for seed in SEEDS:
        glass = glass_with_debris(np.random.default_rng(seed), (96, 80, planes))
        assert (glass.shape, glass.dtype) == ((96, 80, planes), np.uint8)
        assert np.median(glass) > 180
    darkest = [glass_with_debris(np.random.default_rng(s), (96, 80, planes)).min() for s in SEEDS]
    assert np.mean(np.array(darkest) < 150) > 0.3


def test_artefacts_leave_the_truth_or_replace_the_tissue(tile):
    truth, kinds = (tile.labels > 0).astype(np.uint8), set()
    for seed in SEEDS:
        pixels, seen = add_artefact(np.random.default_rng(seed), tile.image, truth)
        kinds.add(bool(seen.any()))
        if seen.any():
            assert np.array_equal(seen, truth)
        else:
            assert np.median(pixels) > 180
    assert kinds == {True, False}


def test_looks_are_shares():
    assert sum(appearance.LOOKS.values()) == pytest.approx(1)
