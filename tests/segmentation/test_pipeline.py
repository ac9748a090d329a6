"""segment() from an array to labels, with networks one can check by eye."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.segmentation import classical, messages
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import label, run, segment
from napari_snow_unet.segmentation.plane.tiling import padded_length


def darkness(pixels):
    return 1 - pixels[..., 0]


DARKNESS = Model(darkness, "darkness", checksum="0" * 64, halo=0)


def discs(shape=(200, 300), pitch=50, radius=9):
    """White image with dark discs; only the red channel is dark."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = (y % pitch - pitch // 2) ** 2 + (x % pitch - pitch // 2) ** 2 <= radius**2
    image = np.full((*shape, 3), 240, np.uint8)
    image[..., 0][inside] = 20
    return image, inside


def test_labels_are_the_dark_discs():
    image, inside = discs()
    result = run(segment(image, DARKNESS))
    assert np.array_equal(result.labels > 0, inside)
    assert result.nuclei == result.labels.max() == 24
    assert result.labels.dtype == np.int32
    assert result.area_fraction == pytest.approx(inside.mean())
    assert result.nuclei_per_mm2 is None
    assert "24 nuclei" in result.summary
    assert np.array_equal(result.probability, np.where(inside, 235, 15))


def test_only_what_lies_inside_is_looked_at():
    image, _ = discs()
    image[:, 150:, 0] = 120  # half-dark: Otsu's threshold of the whole would cut above it
    inside = np.zeros((200, 300), bool)
    inside[50:110, :150] = True
    result = run(segment(image, DARKNESS, pixel_size_um=1.0, inside=inside))
    alone = run(segment(image[50:110, :150], DARKNESS, pixel_size_um=1.0))
    assert np.array_equal(result.labels[50:110, :150], alone.labels)
    assert not result.labels[~inside].any()
    for name in ("threshold", "nuclei", "area_fraction", "nuclei_per_mm2", "summary"):
        assert getattr(result, name) == getattr(alone, name)


@pytest.mark.parametrize("tile", [64, 128, 1024])
def test_progress_has_a_step_for_every_tile(tile):
    image, inside = discs()
    seen = []
    result = run(segment(image, DARKNESS, Options(tile=tile)), seen.append)
    assert [step.done for step in seen] == list(range(1, seen[-1].total + 1))
    assert seen[-1].total == {64: 20, 128: 6, 1024: 1}[tile]
    assert np.array_equal(result.labels > 0, inside)


@pytest.mark.parametrize(("fitting", "windows"), [(1024, 6), (127, 20), (3, 20)])
def test_windows_are_made_smaller_where_memory_may_not_do(fitting, windows):
    image, inside = discs()
    seen = []
    model = replace(DARKNESS, window_that_fits=lambda edge: fitting)
    result = run(segment(image, model, Options(tile=128)), seen.append)
    assert seen[-1].total == windows
    assert np.array_equal(result.labels > 0, inside)


def test_nothing_is_computed_after_the_generator_is_closed():
    calls = []

    def counting(pixels):
        calls.append(pixels.shape)
        return darkness(pixels)

    steps = segment(discs()[0], Model(counting, "counting", halo=0), Options(tile=64))
    next(steps)
    next(steps)
    steps.close()
    assert calls == [(1, 64, 64, 1)] * 2


def test_grey_rgba_lazy_and_other_data_types_give_the_same_labels():
    image, _ = discs()
    rgba = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    expected = run(segment(image, DARKNESS)).labels
    for other in (
        image[..., 0],
        rgba,
        da.from_array(image, chunks=(64, 64, 3)),
        image.astype(np.uint16),
        image.astype(np.int32),
        image / 255,
        image.astype(np.float32),
    ):
        assert np.array_equal(run(segment(other, DARKNESS)).labels, expected)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("model", [DARKNESS, classical.model()], ids=lambda model: model.name)
def test_a_constant_image_has_no_nuclei(value, model):
    result = run(segment(np.full((70, 90, 3), value, np.uint8), model))
    assert not result.labels.any()
    assert messages.NO_NUCLEI in result.messages


def test_faint_texture_is_not_taken_for_nuclei():
    noise = np.random.default_rng(6).normal(230, 4, (128, 128, 3)).clip(0, 255).astype(np.uint8)
    assert run(segment(noise, DARKNESS)).nuclei == 0
    assert run(segment(noise, classical.model())).nuclei == 0


def test_mask_output_is_the_paper_s_binary_image():
    image, inside = discs()
    result = run(segment(image, DARKNESS, Options(output="mask")))
    assert np.array_equal(result.labels, inside)
    assert result.nuclei == 24


def test_thresholds():
    image, _ = discs()
    assert run(segment(image, DARKNESS, Options(threshold=0.5))).threshold == 127 / 255
    assert run(segment(image, DARKNESS, Options(threshold=0.01))).labels.all()
    assert not run(segment(image, DARKNESS, Options(threshold=0.99))).labels.any()


def test_relabelling_the_kept_probability_equals_a_fresh_run():
    image, _ = discs()
    kept = run(segment(image, DARKNESS)).probability
    for options in (Options(threshold=0.3), Options(min_area=300), Options(clear_border=True)):
        again = label(kept, options, floor=DARKNESS.threshold_floor)
        fresh = run(segment(image, DARKNESS, options))
        assert np.array_equal(again.labels, fresh.labels)
        assert again.threshold == fresh.threshold


def test_smallest_area_in_micrometres():
    image, inside = discs()
    area = inside[:50, :50].sum() * 0.5**2
    for smallest, count in ((area * 0.99, 24), (area * 1.01, 0)):
        options = Options(min_area_um2=smallest)
        assert run(segment(image, DARKNESS, options, pixel_size_um=0.5)).nuclei == count
    with pytest.raises(InputError, match="pixel size"):
        run(segment(image, DARKNESS, Options(min_area_um2=1)))


def test_density_counts_square_millimetres():
    image, _ = discs()
    result = run(segment(image, DARKNESS, pixel_size_um=0.5))
    assert result.nuclei_per_mm2 == pytest.approx(24 / (200 * 300 * 0.25e-6))


@pytest.mark.parametrize(("pixel", "working"), [(0.1, 0.2), (0.2, None), (0.3, None), (0.8, 0.4)])
def test_an_image_outside_the_models_scale_is_resampled_and_comes_back(pixel, working):
    shapes = []

    def noting(pixels):
        shapes.append(pixels.shape)
        return darkness(pixels)

    model = Model(noting, "noting", halo=0, pixel_size_um=(0.2, 0.4))
    image, inside = discs()
    result = run(segment(image, model, Options(min_area_um2=1), pixel_size_um=pixel))
    assert result.labels.shape == inside.shape
    assert result.nuclei == 24
    assert np.mean((result.labels > 0) != inside) < 0.02
    factor = 1 if working is None else pixel / working
    rows, columns = (padded_length(round(length * factor)) for length in inside.shape)
    assert shapes == [(1, rows, columns, 1)]
    assert result.provenance["network_pixel_size_um"] == pytest.approx(working or pixel)
    assert bool(result.messages) == (working is not None)


def test_unknown_scale_is_noted_and_the_option_overrides_the_file():
    model = Model(darkness, "scaled", halo=0, pixel_size_um=(0.2, 0.4))
    image, _ = discs()
    (note,) = run(segment(image, model)).messages
    assert note == messages.unknown_pixel_size(0.2, 0.4)
    chosen = run(segment(image, model, Options(pixel_size_um=0.3), pixel_size_um=9.0))
    assert chosen.provenance["pixel_size_um"] == 0.3
    assert chosen.messages == ()
    plain = Model(darkness, "plain", halo=0, pixel_size_um=None)
    (doubt,) = run(segment(image, plain, Options(pixel_size_um=20))).messages
    assert "20 µm" in doubt


def test_provenance_is_plain_and_complete():
    result = run(segment(discs()[0], DARKNESS, Options(threshold=0.4)))
    facts = json.loads(json.dumps(result.provenance))
    assert facts["model"] == "darkness"
    assert facts["model_checksum"] == "0" * 64
    assert facts["options"]["threshold"] == 0.4
    assert facts["threshold"] == result.threshold
    assert {"napari-snow-unet", "numpy", "opencv-python-headless"} <= set(facts["versions"])


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (Options(threshold=1.5), "1.5"),
        (Options(output="outline"), "outline"),
        (Options(channel="infrared"), "infrared"),
        (Options(channel="rgb"), re.escape(messages.other_channel("rgb", "red").problem)),
        (Options(tile=100), "100"),
        (Options(min_area=-1), "-1"),
        (Options(pixel_size_um=-0.5), "-0.5"),
    ],
)
def test_bad_options_are_refused_before_anything_is_computed(options, names):
    def never(pixels):
        raise AssertionError("the network was called")

    with pytest.raises(InputError, match=names):
        run(segment(discs()[0], Model(never, "never", halo=0), options))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 20, 30, 3), messages.not_a_plane((5, 20, 30, 3))),
        ((4, 20, 30), messages.not_a_plane((4, 20, 30))),
        ((20,), messages.no_pixels((20,))),
    ],
)
def test_what_is_not_a_plane_is_refused(shape, message):
    with pytest.raises(InputError) as refused:
        run(segment(np.zeros(shape, np.uint8), DARKNESS))
    assert refused.value.message == message
