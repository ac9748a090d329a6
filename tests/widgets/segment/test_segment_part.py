"""Segmenting a part of an image, and images whose results are files: shown by a real napari."""

from __future__ import annotations

import threading

import dask.array as da
import numpy as np
import pytest
from tifffile import imwrite

from napari_snow_unet.batch.messages import RESULT_EXISTS
from napari_snow_unet.data.slides import slide
from napari_snow_unet.data.slides.slide import open_slide
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.widgets.common.messages import TOO_LATE
from napari_snow_unet.widgets.segment import jobs, messages, region

PLACE = {"scale": (0.25, 0.25), "translate": (10, -4), "rotate": 30, "units": ("um", "um")}


def world_of(layer, *pixel):
    return np.array(layer.data_to_world(pixel))


def assert_lies_at(result, image, box):
    """Assert that a result covers a rectangle of the image."""
    top, left, bottom, right = box
    assert result.data.shape == (bottom - top, right - left)
    np.testing.assert_allclose(world_of(result, 0, 0), world_of(image, top, left), atol=1e-9)
    np.testing.assert_allclose(
        world_of(result, 5, 9), world_of(image, top + 5, left + 9), atol=1e-9
    )


def test_inside_shapes_only_what_they_enclose_is_segmented(dock, network, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue", **PLACE)
    outline = np.array([[0, 0], [0, 99], [149, 99]]) - 0.5  # a triangle: below it nothing counts
    drawn = dock.viewer.add_shapes([outline], shape_type="polygon", name="tumour", **PLACE)
    dock.choose(image=image, roi=drawn)
    result = dock.run()
    assert_lies_at(result, image, (0, 0, 149, 99))
    y, x = np.mgrid[:149, :99]
    assert not result.data[y > 1.6 * x + 5].any()
    whole = run(segment(discs(), network.model)).labels[:149, :99] > 0
    above = y < 1.4 * x - 5
    np.testing.assert_array_equal(result.data[above] > 0, whole[above])
    assert result.metadata["napari-snow-unet"]["part"] == [0, 0, 149, 99]


def test_density_and_area_go_by_the_part(dock, network, discs):
    place = PLACE | {"rotate": 0, "scale": (1.0, 1.0)}
    image = dock.viewer.add_image(discs((200, 200)), rgb=True, name="tissue", **place)
    marks = np.zeros((200, 200), np.uint8)
    marks[50:100, 100:200] = 1  # two discs in 5,000 µm²
    marked = dock.viewer.add_labels(marks, name="marks", **place)
    dock.choose(image=image, roi=marked)
    result = dock.run()
    assert_lies_at(result, image, (50, 100, 100, 200))
    assert result.data.max() == 2
    assert "2 nuclei (400 " in dock.message
    dock.choose(threshold=0.5)  # labelled anew, by the part as well
    dock.settle()
    assert "2 nuclei (400 " in dock.message


def zoom(dock, layer, factor):
    """Zoom, and wait until napari has drawn it."""
    dock.qtbot.settled(dock.widget)
    before = np.array(layer.corner_pixels)
    dock.viewer.scene.camera.zoom *= factor
    dock.qtbot.waitUntil(lambda: not np.array_equal(layer.corner_pixels, before))
    dock.qtbot.settled(dock.widget)


def test_what_is_shown_is_segmented_and_again_after_moving_on(shown_dock, network, discs):
    image = shown_dock.viewer.add_image(discs((2000, 3000)), rgb=True, name="tissue", **PLACE)
    zoom(shown_dock, image, 5)
    shown_dock.choose(roi=region.SHOWN)
    corners = np.asarray(image.corner_pixels)  # now: the message of the run resizes the canvas
    first = shown_dock.run()
    top, left, bottom, right = box = first.metadata["napari-snow-unet"]["part"]
    assert 0 < top < bottom < 2000
    assert 0 < left < right < 3000
    assert_lies_at(first, image, box)
    assert np.abs(corners - [[top, left], [bottom, right]]).max() <= 1
    zoom(shown_dock, image, 1 / 100)
    shown_dock.choose(image=image)
    second = shown_dock.run()
    assert second is not first
    assert second.data.shape == (2000, 3000)
    assert "part" not in second.metadata["napari-snow-unet"]


def test_the_view_of_a_pyramid_is_that_of_its_finest_level(shown_dock, network, discs):
    tissue = discs((4096, 4096))
    plain = shown_dock.viewer.add_image(tissue[..., 0], name="plain")  # napari tells its corners
    levels = [da.from_array(tissue[::step, ::step]) for step in (1, 4, 16)]
    image = shown_dock.viewer.add_image(levels, rgb=True, multiscale=True, name="slide")
    zoom(shown_dock, plain, 3)
    shown_dock.choose(roi=region.SHOWN)
    corners = np.asarray(plain.corner_pixels)
    result = shown_dock.run()
    box = result.metadata["napari-snow-unet"]["part"]
    assert_lies_at(result, image, box)
    assert np.abs(corners - np.reshape(box, (2, 2))).max() <= 1
    assert corners[0].min() > 0
    assert result.data.max() > 0.9 * result.data.size / 50**2  # a disc every 50 pixels


def test_a_part_without_the_image_is_one_sentence(dock, network, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue")
    beside = dock.viewer.add_shapes([[[500, 500], [600, 600]]], shape_type="rectangle", name="far")
    empty = dock.viewer.add_labels(np.zeros((200, 300), np.uint8), name="empty")
    other = dock.viewer.add_labels(np.ones((20, 30), np.uint8), name="small")
    dock.choose(image=image)
    for layer, said in (
        (beside, messages.outside_image("far").text()),
        (empty, messages.nothing_marked("empty").text()),
        (other, "200 x 300"),
    ):
        dock.choose(roi=layer)
        dock.press_run()
        assert not dock.bar.running
        assert said in dock.message
    assert not dock.nuclei()


def test_choices_follow_the_layers_and_leave_results_out(dock, network, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue")
    drawn = dock.viewer.add_shapes(name="tumour")
    dock.choose(image=image)
    result = dock.run()
    assert list(dock.field("roi").choices) == [region.WHOLE, region.SHOWN, drawn]
    assert result not in dock.field("roi").choices
    dock.choose(roi=drawn)
    drawn.name = "invasive"
    assert dock.chosen("roi") == drawn
    dock.viewer.layers.remove("invasive")
    assert dock.chosen("roi") == region.WHOLE


def test_a_part_is_saved_with_its_pixels_and_has_no_text(dock, network, discs, tmp_path):
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue")
    marks = np.zeros((200, 300), np.uint8)
    marks[50:100, 100:200] = 1
    dock.viewer.add_labels(marks, name="marks")
    dock.choose(image=image, roi=dock.viewer.layers["marks"])
    dock.run()
    menu = dock.menu
    menu.refresh()
    assert not menu.python.isEnabled()
    assert menu.reason.text() == messages.REGION_ONLY
    menu.save_as(tmp_path / "part.csv", overwrite=False)
    dock.wait()
    header, *rows = (tmp_path / "part.csv").read_text().splitlines()
    column = next(n for n, name in enumerate(header.split(",")) if "red" in name)
    assert len(rows) == 2
    assert all(float(row.split(",")[column]) == 20 for row in rows)


@pytest.fixture
def large(monkeypatch):
    """Let images count as large that a test can compute."""
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 500_000)


def test_a_large_pyramid_gives_a_pyramid_of_labels_backed_by_files(
    dock, network, discs, large, tmp_path
):
    tissue = discs((1000, 1200))
    levels = [da.from_array(tissue[::step, ::step], chunks=(256, 256, 3)) for step in (1, 2, 4)]
    image = dock.viewer.add_image(levels, rgb=True, multiscale=True, name="my slide [1]", **PLACE)
    assert dock.offers("results")
    dock.press_run()
    assert dock.message == messages.no_folder_for_large(1_200_000).text()
    assert dock.label_of("results") == messages.RESULTS_LABEL
    dock.choose(results=tmp_path / "found", probability=True)
    layer = dock.run() or dock.nuclei()[0]
    assert layer.multiscale
    assert layer.name.startswith(image.name)
    np.testing.assert_allclose(world_of(layer, 7, 9), world_of(image, 7, 9))
    expected = run(segment(tissue, network.model, Options(), pixel_size_um=0.25)).labels
    np.testing.assert_array_equal(np.asarray(layer.data[0]), expected)
    written = tmp_path / "found" / "my_slide_1_.zarr"
    facts = layer.metadata["napari-snow-unet"]
    assert facts["labels"] == str(written)
    assert facts["image"] == "my slide [1]"
    assert "source" not in facts
    np.testing.assert_array_equal(np.asarray(open_slide(written).levels[0]), expected)
    assert (written.parent / "my_slide_1__probability.tif").is_file()
    assert f"{expected.max()} nuclei" in dock.message

    name = layer.name
    dock.press_run()  # nothing is replaced without being told
    dock.wait()
    assert RESULT_EXISTS.problem in dock.message
    dock.choose(overwrite=True)
    dock.choose(min_area_um2=40)  # a disc has 16
    image.translate = np.asarray(image.translate) + 30
    dock.run()
    assert dock.nuclei() == [layer]
    assert layer.name == name
    np.testing.assert_allclose(world_of(layer, 7, 9), world_of(image, 7, 9))
    assert not np.asarray(layer.data[0]).any()
    layer.name = "mine"
    dock.run()
    assert layer.name == "mine"  # still the result of the same image and model


def test_a_large_part_is_written_where_it_lies(dock, network, discs, large, tmp_path):
    tissue = discs((1000, 1200))
    image = dock.viewer.add_image(tissue, rgb=True, name="tissue", **PLACE)
    marks = np.zeros((1000, 1200), np.uint8)
    marks[100:900, 200:1100] = 1
    marks[100:500, 200:600] = 0
    dock.viewer.add_labels(marks, name="marks", **PLACE)
    dock.choose(image=image, roi=dock.viewer.layers["marks"], results=tmp_path)
    dock.run()
    (layer,) = dock.nuclei()
    inside = marks[100:900, 200:1100] > 0
    steps = segment(
        tissue[100:900, 200:1100], network.model, Options(), pixel_size_um=0.25, inside=inside
    )
    np.testing.assert_array_equal(np.asarray(layer.data[0]), run(steps).labels)
    np.testing.assert_allclose(world_of(layer, 0, 0), world_of(image, 100, 200))
    assert (tmp_path / "tissue_y100_x200.zarr").is_dir()


def test_a_large_file_of_a_folder_opens_as_pyramids(dock, network, discs, large, tmp_path):
    tissue = discs((1000, 1200))
    (tmp_path / "images").mkdir()
    imwrite(tmp_path / "images" / "a.tif", tissue, tile=(256, 256), photometric="rgb")
    dock.choose(kind="folder", folder=tmp_path / "images", results=tmp_path / "out")
    dock.run()
    assert dock.message.startswith("1 of 1 ")
    dock.open_row(0)
    image, labels = dock.viewer.layers
    assert labels.multiscale
    assert labels.metadata["napari-snow-unet"]["model"] == "classical"
    expected = run(segment(tissue, network.model)).labels
    np.testing.assert_array_equal(np.asarray(labels.data[0]), expected)
    assert image.data.shape[:2] == (1000, 1200)


def test_a_cancelled_large_run_leaves_nothing(dock, network, discs, large, tmp_path):
    network.hold(2)
    dock.viewer.add_image(discs((1000, 1200)), rgb=True, name="tissue")
    dock.choose(tile=128, results=tmp_path / "found")
    dock.press_run()
    dock.qtbot.waitUntil(lambda: network.calls >= 2)
    dock.click(dock.bar.cancel_button)
    network.go_on.set()
    dock.wait()
    assert list((tmp_path / "found").iterdir()) == []
    assert not dock.nuclei()


def test_a_large_run_that_is_cancelled_while_files_are_written_shows_them(
    dock, network, discs, large, tmp_path, monkeypatch
):
    writing, cancelled, opened = threading.Event(), threading.Event(), jobs.open_slide

    def slow(path):
        writing.set()
        assert cancelled.wait(60)
        return opened(path)

    monkeypatch.setattr(jobs, "open_slide", slow)  # comes after the files
    dock.viewer.add_image(discs((1000, 1200)), rgb=True, name="tissue")
    dock.choose(results=tmp_path)
    dock.press_run()
    dock.qtbot.waitUntil(writing.is_set)
    dock.click(dock.bar.cancel_button)
    cancelled.set()
    dock.wait()
    assert (tmp_path / "tissue.zarr").is_dir()
    (layer,) = dock.nuclei()
    assert dock.message.startswith(f"{TOO_LATE} {layer.name}: ")


def test_labels_that_lie_elsewhere_mark_no_part_and_name_no_box_of_another_dock(
    dock, network, discs
):
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue", **PLACE)
    dock.viewer.add_labels(np.ones((200, 300), np.uint8), name="marks", scale=(0.25, 0.25))
    dock.choose(image=image, roi=dock.viewer.layers["marks"])
    dock.press_run()
    assert all(said in dock.message for said in ("'marks'", "'tissue'", "scale or position"))
    assert "tick" not in dock.message
