"""Images in every form in, labels out; what is refused, and how far it is."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import napari_snow_unet as snow
from napari_snow_unet.api import messages
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, run
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.segmentation.messages import NO_NUCLEI, unknown_pixel_size
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import segment as deep_segment


def test_it_finds_what_the_pipeline_finds(tile, place):
    model = snow.load_model()
    result = snow.segment(tile.image, model, threshold=0.4, min_area=30)
    expected = run(deep_segment(tile.image, model, Options(threshold=0.4, min_area=30)))
    assert np.array_equal(result.labels, expected.labels)
    assert np.array_equal(result.probability, expected.probability)
    assert result.messages == expected.messages
    assert (result.nuclei, result.threshold) == (expected.nuclei, expected.threshold)
    assert result.provenance == expected.provenance
    assert result.summary in repr(result)


def test_an_image_is_an_array_a_file_or_what_was_read(tile, place, result):
    for image in (tile.image, "tile.png", Path("tile.png"), snow.read_image("tile.png")):
        same = snow.segment(image, "classical", pixel_size_um=0.25)
        assert np.array_equal(same.labels, result.labels)
        assert same.pixel_size_um == 0.25
    listed = snow.segment(tile.image[:64, :64, 0].tolist(), "classical", white=255)
    assert listed.labels.shape == (64, 64)


def test_a_layer_of_napari_brings_its_pixel_size(tile, result):
    from napari.layers import Image, Labels

    layer = Image(tile.image, rgb=True, scale=(0.25, 0.25), units=("um", "um"))
    found = snow.segment(layer, "classical")
    assert found.pixel_size_um == 0.25
    assert np.array_equal(found.labels, result.labels)
    pyramid = Image([tile.image, tile.image[::2, ::2]], rgb=True, multiscale=True)
    assert snow.segment(pyramid, "classical").labels.shape == tile.image.shape[:2]
    with pytest.raises(InputError, match=re.escape(messages.NOT_AN_IMAGE_LAYER.problem)):
        snow.segment(Labels(tile.labels), "classical")


def test_the_pixel_size_of_a_layer_may_stand_in_its_file(tile, place):
    import tifffile
    from napari.layers import Image

    facts = {"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite("a.ome.tif", tile.image, photometric="rgb", metadata=facts)
    layer = Image(tile.image, rgb=True, metadata={"source": "a.ome.tif"})
    assert snow.segment(layer, "classical").pixel_size_um == 0.5
    assert snow.segment("a.ome.tif", "classical").pixel_size_um == 0.5
    assert snow.segment("a.ome.tif", "classical", pixel_size_um=0).pixel_size_um is None


def test_planes_of_a_stack(tile):
    stack = np.stack([tile.image, tile.image[::-1], np.full_like(tile.image, 240)])
    result = snow.segment(stack, "classical", planes=[(1,), (2,)])
    assert not result.labels[0].any()
    assert result.labels[1].any()
    assert result.messages[0].endswith(NO_NUCLEI)
    again = result.relabel(threshold=0.9)
    assert again.labels.shape == stack.shape[:3]
    assert not again.labels[0].any()
    assert result._repr_html_().startswith("<img")


def test_the_value_that_is_white_can_be_given(tile):
    deep = tile.image.astype(np.uint16) * 16
    values = {white: snow.segment(deep, "classical", white=white) for white in (4095.0, 65535.0)}
    assert {one.provenance["white"] for one in values.values()} == set(values)


def test_another_threshold_needs_no_network(result, monkeypatch):
    again = snow.relabel(result, threshold=0.7, separate=False)
    assert again.threshold == pytest.approx(0.7, abs=1 / 255)
    assert again.provenance["options"]["threshold"] == 0.7
    assert again.provenance["model"] == "classical"
    assert again.nuclei != result.nuclei
    fresh = snow.segment("tile.png", "classical", threshold=0.7, separate=False, pixel_size_um=0.25)
    assert np.array_equal(again.labels, fresh.labels)
    of_map = snow.relabel(result.probability, threshold=0.7, separate=False, pixel_size_um=0.25)
    assert np.array_equal(of_map.labels, fresh.labels)
    assert "<img" in of_map._repr_html_()
    assert result.relabel(threshold=1.0).messages[0] == NO_NUCLEI
    assert result.relabel(threshold=1.0).relabel(threshold=0.7).messages == again.messages


def test_a_pixel_size_that_is_given_later_counts(tile, place):
    """The same labels, densities, notes and areas as if it had been given at once."""
    at_once = snow.segment(tile.image, pixel_size_um=0.25)
    unknown = snow.segment(tile.image)
    assert unknown.messages == (unknown_pixel_size(*unknown.trained_um),)
    later = unknown.relabel(pixel_size_um=0.25)
    assert (later.summary, later.messages) == (at_once.summary, at_once.messages)
    for name in ("pixel_size_um", "network_pixel_size_um", "options"):
        assert later.provenance[name] == at_once.provenance[name]
    files = [
        snow.write_labels(f"{one.nuclei}{n}.csv", one) for n, one in enumerate((later, at_once))
    ]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert later.relabel(pixel_size_um=0).messages == unknown.messages
    far = unknown.relabel(pixel_size_um=1.0)
    assert messages.seen_at_other_scale(*unknown.trained_um) in far.messages
    resampled = snow.segment(tile.image, pixel_size_um=1.0)
    assert resampled.relabel(threshold=0.5).messages == resampled.messages


def test_an_array_whose_colours_come_first_is_doubted(tile):
    stack = np.moveaxis(tile.image, -1, 0)
    result = snow.segment(stack, "classical")
    assert messages.may_be_channels(stack.shape, 3) in result.messages
    assert not snow.segment(tile.image[None], "classical").messages


def test_what_only_the_network_can_follow_is_refused(result):
    with pytest.raises(InputError) as error:
        result.relabel(channel="green")
    assert error.value.message == messages.not_for_relabel("channel")
    with pytest.raises(InputError, match=re.escape(messages.NOT_A_MAP.problem)):
        snow.relabel(result.probability / 255)


@pytest.mark.parametrize(
    ("call", "name", "meant"),
    [
        (lambda: snow.segment("tile.png", treshold=0.5), "treshold", "threshold"),
        (lambda: snow.segment_steps("tile.png", treshold=0.5), "treshold", "threshold"),
        (lambda: snow.evaluate("a", "b", regions="c"), "regions", "region"),
        (lambda: snow.write_labels("a.png", "b", overwrit=True), "overwrit", "overwrite"),
        (lambda: snow.load_model("classical", devise="cpu"), "devise", "device"),
        (lambda: snow.read_labels("a.png", shap=(1, 1)), "shap", "shape"),
        (lambda: snow.split("dataset", trian=1), "trian", "train"),
        (lambda: snow.segment("tile.png", progres=print), "progres", "progress"),
        (lambda: snow.relabel(np.zeros((9, 9), np.uint8), min_are=1), "min_are", "min_area"),
        (lambda: snow.segment_folder("images", "out", format="png"), "format", "formats"),
        (lambda: snow.prepare("images", "out", pixelsize_um=1), "pixelsize_um", "pixel_size_um"),
        (lambda: snow.check("images", worker=1), "worker", "workers"),
        (lambda: snow.evaluate_folder("a", "b", sub_set="test"), "sub_set", "subset"),
        (lambda: snow.segment("tile.png", zzz=1), "zzz", ""),
    ],
)
def test_a_keyword_that_is_not_there_is_refused_before_anything(call, name, meant, place):
    with pytest.raises(TypeError) as error:
        call()
    assert str(error.value) == messages.unknown_keyword(name, meant, "segment")
    assert sorted(path.name for path in place.iterdir()) == [
        "images", "masks", "tile.png", "truth.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        lambda: snow.segment("no.png", "classical"),
        lambda: snow.segment("tile.png", "no such model"),
        lambda: snow.segment("tile.png", "classical", threshold=2),
        lambda: snow.segment("tile.png", "classical", tile=100),
        lambda: snow.segment_folder("nothing", "out", "classical"),
        lambda: snow.load_model("classicl"),
        lambda: snow.load_model(Path("classical")),
        lambda: snow.load_model("classical", device="cuda"),
        lambda: snow.segment(["a.png", "b.png"], "classical"),
        lambda: snow.segment("images", "classical"),
        lambda: snow.evaluate("images", "masks"),
        lambda: snow.evaluate(None, "truth.png"),
        lambda: snow.segment_folder("images", "out", "classical", formats=("jpg",)),
        lambda: snow.segment_folder([np.zeros((9, 9))], "out", "classical"),
        lambda: snow.segment(np.zeros((64, 64, 1), np.uint8), "classical"),
        lambda: snow.segment(np.zeros((64, 64), np.uint8), 3),
        lambda: snow.relabel(np.zeros((9, 9), np.uint8), pixel_size_um=-1),
        lambda: snow.train(["images", "masks"], "run"),
        lambda: snow.train("images", folder=["run"]),
        lambda: snow.evaluate_folder(["a.png", "b.png"], "masks"),
        lambda: snow.check(["images", "masks"]),
        lambda: snow.write_labels(np.zeros((9, 9), int), "a.png"),
        lambda: snow.segment_steps("tile.png", "classical").result,
    ],
)
def test_what_cannot_be_used_is_an_input_error(call, place):
    with pytest.raises(InputError):
        call()


def test_one_format_may_be_given_as_it_is(place):
    done = snow.segment_folder("images", "out", "classical", formats="tif")
    assert len(list(Path("out").glob("*.tif"))) == len(done.results) == 8
    assert not done.failed


def test_a_folder_is_resumed_with_its_own_options(place):
    first = snow.segment_folder("images", "out", "classical", formats="tif", threshold=0.3)
    Path(first.results[0].labels).unlink()
    again = snow.segment_folder("images", "out", "classical", resume=True)
    assert not again.failed
    assert len(list(Path("out").glob("*.tif"))) == 8
    with pytest.raises(InputError):
        snow.segment_folder("images", "out", "classical", resume=True, threshold=0.4)


def test_a_name_that_means_two_models_is_refused_and_a_path_means_the_folder(place):
    bundled = snow.load_model("default")
    assert snow.load_model(snow.list_models()[0]).checksum == bundled.checksum
    listed = Path(os.environ["NAPARI_SNOW_UNET_MODELS"], "run")
    for folder in (listed, Path("run")):
        shutil.copytree(next(e.path for e in snow.list_models() if e.kind == "bundled"), folder)
    with pytest.raises(InputError) as error:
        snow.load_model("run")
    folders = str(listed.resolve()), str(Path("run").absolute())
    assert error.value.message == messages.two_models("run", *folders)
    assert snow.load_model(Path("run")).checksum == bundled.checksum
    assert snow.load_model("./run").folder == folders[1]


def test_an_image_that_was_read_is_an_array_to_numpy(place):
    image = snow.read_image("tile.png")
    assert np.asarray(image).shape == image.array.shape
    assert snow.evaluate(snow.read_image("truth.png"), "truth.png")["dice"] == 1


def test_progress_is_a_callable_or_a_bar(tile, capsys):
    seen = []
    snow.segment(tile.image, "classical", progress=seen.append, tile=128)
    assert [(step.done, step.total) for step in seen] == [
        (number, len(seen)) for number in range(1, len(seen) + 1)
    ]
    assert len(seen) > 1
    snow.segment(tile.image, "classical", progress=True, tile=128)
    shown = capsys.readouterr().err
    assert f"{len(seen)}/{len(seen)}" in shown
    assert not re.search(r"(?<![\d.])0it", shown)  # a bar without a total
    snow.segment(tile.image, "classical", tile=128)
    assert capsys.readouterr() == ("", "")


def test_steps_can_be_stopped_between_two_windows(tile):
    steps = snow.segment_steps(tile.image, "classical", tile=128)
    assert isinstance(next(steps), Progress)
    steps.close()
    with pytest.raises(InputError):
        steps.result  # noqa: B018


def test_steps_have_their_result_at_the_end(tile):
    steps = snow.segment_steps(tile.image, "classical", tile=128)
    with pytest.raises(AttributeError) as error:
        steps.labels  # noqa: B018
    assert str(error.value) == messages.steps_have_no("segment_steps", "labels")
    assert len(list(steps)) > 1
    assert np.array_equal(steps.result.labels, snow.segment(tile.image, "classical").labels)
    assert list(steps) == []
    assert steps.result.nuclei


def test_an_error_of_the_callable_closes_the_steps(tile):
    def fail(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snow.segment(tile.image, "classical", progress=fail)


def test_a_folder_is_segmented_and_one_bad_file_does_not_stop_it(place):
    (place / "images" / "bad.png").write_bytes(b"not an image")
    done = snow.segment_folder("images", "out", "classical", formats=("geojson", "png"))
    assert len(done.results) == 9
    assert [Path(path).name for path in done.failed] == ["bad.png"]
    assert len(list(Path("out").glob("*.geojson"))) == 8
    assert "<td>bad.png</td>" in done._repr_html_()
    (reason,) = done.failed.values()
    for shown in (repr(done), done._repr_html_()):
        assert messages.failed_label(1, 9, reason)[:40] in shown
    one = snow.segment_folder(Path("tile.png"), "one", "classical", pixel_size_um=0.5)
    assert one.results[0].pixel_size_um == 0.5
    assert not one.failed


def test_a_folder_of_which_no_image_could_be_segmented_is_an_error(place):
    """As in the shell, whose exit code is 1 then."""
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(b"not an image")
    with pytest.raises(InputError) as error:
        snow.segment_folder(["a.png", "b.png"], "out", "classical")
    assert error.value.message.problem.startswith(
        messages.all_failed(2, "a.png").problem.removesuffix(".")
    )
    snow.segment_folder("tile.png", "one", "classical")
    with pytest.raises(InputError):
        snow.segment_folder("tile.png", "one", "classical")
    assert Path("one/tile.png").exists()


def test_a_notebook_shows_the_outlines_and_escapes_what_files_say(tile, place):
    write_image("<b>.png", np.full((64, 64, 3), 240, np.uint8))
    shown = snow.segment("tile.png", "classical")._repr_html_()
    assert shown.startswith('<img alt="')
    assert len(shown) < 100_000
    done = snow.segment_folder("<b>.png", "out", "classical")
    assert "&lt;b&gt;.png" in done._repr_html_()
    assert "<b>" not in done._repr_html_()
