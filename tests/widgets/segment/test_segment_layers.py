"""What Run makes of the layers of a real napari, and what it leaves alone."""

from __future__ import annotations

import gc
import json
import re
from dataclasses import replace
from weakref import ref

import dask.array as da
import numpy as np
import pytest
from qtpy import API_NAME

from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.messages import NO_NUCLEI, NOT_SHOWN_AS_RGB
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.widgets.common import messages as common_messages
from napari_snow_unet.widgets.common.messages import SIZE_OF_LAYER_LABEL as LAYER
from napari_snow_unet.widgets.opening.messages import opened_as_image
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.region import WHOLE
from napari_snow_unet.widgets.segment.result_names import WHOLE as WHOLE_IMAGE
from napari_snow_unet.widgets.segment.result_names import name_suffix
from napari_snow_unet.widgets.segment.state import SIZE_UNKNOWN
from napari_snow_unet.widgets.train.preview import PreviewLayers

THE_REST = messages.rest_of_stack("").strip()
PLACE_2D = {
    "scale": (0.25, 0.25),
    "translate": (10, -4),
    "rotate": 30,
    "shear": (0.2,),
    "affine": np.array([[1, 0.1, 3], [0, 1.2, 4], [0, 0, 1]]),
    "units": ("um", "um"),
    "axis_labels": ("row", "column"),
}


def placed(layer):
    """Return all that places a layer in the world."""
    corners = np.array(np.meshgrid(*[[0, 7]] * layer.ndim)).reshape(layer.ndim, -1).T
    world = np.array([layer.data_to_world(corner) for corner in corners])
    return world, layer.units, layer.axis_labels


def assert_same_place(layer, other):
    (world, *rest), (other_world, *other_rest) = placed(layer), placed(other)
    np.testing.assert_allclose(world, other_world, rtol=0, atol=1e-12)
    assert rest == other_rest


def test_the_preview_of_a_training_is_not_taken_for_the_image(dock, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue")
    said = {PLUGIN: {"training": "run", "part": "prediction"}}
    preview = dock.viewer.add_image(discs()[..., 0], name="run prediction", metadata=said)
    dock.viewer.layers.selection.active = None
    dock.field("image").choices = ()  # as in a dock that is opened now
    dock.widget.refresh_layers()
    assert dock.chosen("image").name == image.name
    dock.viewer.layers.selection.active = preview
    assert dock.chosen("image").name == preview.name


@pytest.mark.parametrize("selected", [["other"], ["marks"], ["other", "marks"], []])
def test_a_preview_that_a_training_adds_is_not_followed(dock, discs, tmp_path, selected):
    layers = dock.viewer.layers
    image = dock.viewer.add_image(discs(), rgb=True, name="tissue")
    dock.viewer.add_image(discs(), rgb=True, name="other")
    dock.viewer.add_labels(np.zeros((200, 300), np.uint8), name="marks")
    layers.selection.clear()
    layers.selection.update(layers[name] for name in selected)
    dock.choose(image=image)
    for part in ("image", "truth", "prediction"):
        pixels = np.zeros((8, 10, 3) if part == "image" else (8, 10), np.uint8)
        write_image(tmp_path / "preview" / f"{part}.png", pixels)
    followed = []
    dock.field("image").changed.connect(followed.append)
    PreviewLayers(dock.viewer).show(tmp_path)
    assert len(layers) == 6
    assert followed == []
    assert sorted(layer.name for layer in layers.selection) == sorted(selected)
    layers.selection.active = layers[-1]
    assert dock.chosen("image") == layers[-1]


def test_run_adds_labels_named_after_the_image_with_provenance(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True, name="tissue", **PLACE_2D)
    layer = dock.run()
    found = run(segment(discs(), network.model))
    assert layer.name == f"tissue {name_suffix('nuclei', 'classical')}"
    assert layer.data.dtype == np.int32
    assert layer.data.max() == 24
    assert np.array_equal(layer.data, found.labels)
    facts = layer.metadata["napari-snow-unet"]
    assert facts["image"] == "tissue"
    assert facts["model"] == "classical"
    assert facts["model_checksum"] == "0" * 64
    assert facts["threshold"] == found.threshold
    assert facts["options"]["threshold"] == "otsu"
    assert "numpy" in facts["versions"]
    assert json.loads(json.dumps(facts)) == facts
    assert f"{layer.name}: 24 nuclei" in dock.message


@pytest.mark.parametrize("rgb", [True, False])
def test_the_result_lies_where_the_image_lies(dock, network, discs, rgb):
    """A result must not lose scale, translation, rotation, shear, affine, units, axis labels."""
    data = discs() if rgb else discs()[..., 0]
    image = dock.viewer.add_image(data, rgb=rgb, name="tissue", **PLACE_2D)
    assert_same_place(dock.run(), image)


def test_a_stack_keeps_its_place_too(dock, network, discs):
    turn = np.eye(3)
    turn[1:, 1:] = [[0.8, -0.6], [0.6, 0.8]]
    place = {
        "scale": (2, 0.25, 0.25),
        "translate": (1, 2, 3),
        "rotate": turn,
        "shear": (0, 0, 0.3),
        "affine": np.diag([1, 2, 2, 1]).astype(float),
        "units": ("um", "um", "um"),
        "axis_labels": ("z", "y", "x"),
    }
    stack = np.stack([discs()] * 2)
    image = dock.viewer.add_image(stack, rgb=True, name="stack", **place)
    dock.choose(all_slices=True)
    assert_same_place(dock.run(), image)


@pytest.mark.parametrize(
    ("unit", "scale", "known"),
    [("um", 0.25, True), ("mm", 0.00025, True), ("nm", 250, True), ("pixel", 0.25, False)],
)
def test_the_pixel_size_comes_from_the_layer(dock, network, discs, unit, scale, known):
    dock.viewer.add_image(discs(), rgb=True, scale=(scale, scale), units=(unit, unit))
    assert dock.text_of("pixel_size_um") == (f"0.25 ({LAYER})" if known else SIZE_UNKNOWN)
    found = dock.run().metadata["napari-snow-unet"]["pixel_size_um"]
    assert found == (0.25 if known else None)
    assert ("per mm²" in dock.message) == known


def test_the_pixel_size_in_the_dock_goes_before_that_of_the_layer(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True, scale=(0.25, 0.25), units=("um", "um"))
    dock.choose(pixel_size_um=0.5)
    assert dock.run().metadata["napari-snow-unet"]["pixel_size_um"] == 0.5


SHAPES = {
    "YX": lambda image: (image[..., 0], False),
    "YX3": lambda image: (image, True),
    "YX4": lambda image: (np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]), True),
    "TYX3": lambda image: (np.stack([image] * 3), True),
    "ZYX": lambda image: (np.stack([image[..., 0]] * 3), False),
    "TZYX": lambda image: (np.stack([np.stack([image[..., 0]] * 2)] * 3), False),
    "CYX": lambda image: (np.moveaxis(image, -1, 0), False),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_labels_have_the_shape_of_the_image(dock, network, discs, shape):
    """Axes must not be mixed up, nor the output smashed."""
    data, rgb = SHAPES[shape](discs())
    image = dock.viewer.add_image(data, rgb=rgb, name="tissue")
    dock.viewer.dims.set_point(range(dock.viewer.dims.ndim - 2), [0] * (dock.viewer.dims.ndim - 2))
    layer = dock.run()
    assert layer.data.shape == (data.shape[:-1] if rgb else data.shape)
    assert_same_place(layer, image)
    first = layer.data[(0,) * (layer.ndim - 2)]
    assert first.max() == 24
    assert (layer.data > 0).sum() == (first > 0).sum()  # no other slice was asked for


def test_labels_that_are_opened_as_an_image_are_doubted_by_name(dock, discs):
    tile = generate_tile(1, size=128)
    dock.viewer.add_image(tile.labels.astype(np.uint16), name="mask")
    assert dock.form.image_note == common_messages.looks_like_labels("mask")
    assert dock.bar.run_button.isEnabled()
    dock.run()
    assert "looks like labels" in dock.message
    for image in (tile.image[..., 0].astype(np.uint16) * 16, discs()[..., 0]):
        dock.viewer.add_image(image)
        assert dock.form.image_note == ""
    dock.viewer.add_image(tile.image, rgb=True)
    assert dock.form.image_note == ""
    dock.run()
    assert "looks like labels" not in dock.message


def test_a_mask_that_is_opened_as_an_image_becomes_labels_in_this_dock_too(dock):
    tile = generate_tile(1, size=128)
    dock.viewer.add_image(tile.image, rgb=True, name="tissue")
    mask = ((tile.labels > 0) * 255).astype(np.uint8)
    dock.viewer.add_image(mask, name="mask")
    offer = dock.widget.labels_offer
    assert offer.text.text() == opened_as_image("mask")
    assert dock.chosen("image").name == "tissue"
    offer.button.click()
    assert [type(layer).__name__ for layer in dock.viewer.layers] == ["Image", "Labels"]
    assert np.array_equal(dock.viewer.layers["mask labels"].data, mask)
    assert not offer.text.text()
    assert dock.viewer.layers["mask labels"] in dock.field("truth").choices


def test_colours_that_are_not_shown_as_such_are_refused_before_anything_is_computed(
    dock, network, discs
):
    dock.viewer.add_image(discs(), rgb=False)
    assert not dock.bar.run_button.isEnabled()
    assert dock.message == NOT_SHOWN_AS_RGB.text()
    assert network.calls == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.full((64, 64), -1.0), "not negative"),
        (np.full((64, 64), np.nan), "finite"),
        (np.full((64, 64), 100_000.0), "up to 100000"),
    ],
)
def test_values_of_no_known_range_are_refused_before_anything_is_computed(
    dock, network, notifications, data, said
):
    dock.viewer.add_image(data, contrast_limits=(0, 1))
    dock.press_run()
    dock.wait()
    assert said in dock.message
    assert [str(note.message) for note in notifications()] == [dock.message]
    assert network.calls == 0
    assert dock.bar.run_button.isEnabled()
    assert len(dock.viewer.layers) == 1


def test_a_stack_gives_one_layer_of_equal_length(dock, network, discs, every_step):
    """Time is not depth: every slice by itself, with its own numbers and its own threshold."""
    stack = np.stack([discs(), discs(pitch=40), discs(radius=5), discs() // 2])
    dock.viewer.add_image(stack, rgb=True, name="stack")
    dock.choose(all_slices=True)
    seen = []
    dock.bar.progress.valueChanged.connect(seen.append)
    layer = dock.run()
    assert dock.nuclei() == [layer]
    assert layer.data.shape == (4, 200, 300)
    for plane, image in zip(layer.data, stack, strict=True):
        assert np.array_equal(plane, run(segment(image, network.model)).labels)
    assert [value for value in seen if value > 0] == [1, 2, 3, 4]
    planes = layer.metadata["napari-snow-unet"]["planes"]
    assert [plane["index"] for plane in planes] == [[0], [1], [2], [3]]
    assert len({plane["threshold"] for plane in planes}) > 1
    assert "4 slices" in dock.message
    assert THE_REST not in dock.message
    assert "same number" in dock.field("all_slices").tooltip.replace("\n", " ")


def test_slices_segmented_one_by_one_come_together_in_one_layer(dock, network, discs):
    stack = np.stack([discs()] * 3)
    dock.viewer.add_image(stack, rgb=True, name="stack", scale=(5, 1, 1), translate=(100, 0, 0))
    dock.viewer.dims.set_point(0, 110)
    layer = dock.run()
    assert messages.rest_of_stack("slice 2 (of 0 to 2)") in dock.message
    dock.viewer.dims.set_point(0, 100)
    assert dock.run() == layer
    assert messages.rest_of_stack("2 of 3 slices") in dock.message
    assert [plane.max() for plane in layer.data] == [24, 0, 24]
    assert len(layer.metadata["napari-snow-unet"]["planes"]) == 2


def test_no_slice_is_guessed_where_the_viewer_shows_none(dock, network, discs):
    dock.viewer.add_image(np.stack([discs()[..., 0]] * 3))
    dock.viewer.dims.ndisplay = 3
    dock.press_run()
    assert not dock.bar.running
    assert dock.told_problem
    assert dock.message == common_messages.NO_SINGLE_SLICE.text()


@pytest.mark.parametrize(
    "convert",
    [
        lambda image: image.astype(np.uint16),
        lambda image: image.astype(np.int32),
        lambda image: image / 255,
        lambda image: image.astype(np.float32),
    ],
    ids=["uint16", "int32", "float to 1", "float to 255"],
)
def test_data_types_do_not_change_the_labels(dock, network, discs, convert):
    dock.viewer.add_image(discs()[..., 0], name="bytes")
    expected = dock.run().data.copy()
    dock.viewer.add_image(convert(discs()[..., 0]), name="other", contrast_limits=(0, 255))
    assert np.array_equal(dock.run().data, expected)
    assert expected.max() == 24


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_image_without_nuclei_gives_empty_labels_and_a_message(dock, value):
    dock.viewer.add_image(np.full((80, 90, 3), value, np.uint8), rgb=True)
    layer = dock.run()
    assert layer.data.shape == (80, 90)
    assert not layer.data.any()
    assert NO_NUCLEI in dock.message


def test_lazy_and_multiscale_images_give_the_labels_of_the_finest_level(dock, network, discs):
    image = discs()
    expected = run(segment(image, network.model)).labels
    lazy = da.from_array(image, chunks=(64, 64, 3))
    dock.viewer.add_image(lazy, rgb=True, name="lazy")
    assert np.array_equal(dock.run().data, expected)
    levels = [image, image[::2, ::2], image[::4, ::4]]
    layer = dock.viewer.add_image(levels, rgb=True, multiscale=True, name="levels")
    result = dock.run()
    assert np.array_equal(result.data, expected)
    assert_same_place(result, layer)
    assert not result.multiscale


def test_tiles_give_what_the_whole_gives(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True)
    whole = dock.run().data.copy()
    dock.choose(tile=64)
    assert np.array_equal(dock.run().data, whole)
    assert network.calls == 1 + 4 * 5


def test_large_results_lie_on_disk(dock, network, discs, monkeypatch):
    from napari_snow_unet.base import scratch

    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100_000)
    dock.viewer.add_image(np.stack([discs()] * 2), rgb=True)
    dock.choose(all_slices=True)
    layer = dock.run()
    assert isinstance(layer.data, np.memmap)
    assert [plane.max() for plane in layer.data] == [24, 24]
    layer.paint((0, 3, 3), 77)
    assert layer.data[0, 3, 3] == 77


def test_the_image_list_follows_layers_as_they_are_added_renamed_and_removed(dock, network, discs):
    """A list of names goes stale; layers are addressed as objects."""

    def listed():
        native = dock.field("image").native
        return [native.itemText(number) for number in range(native.count())]

    assert listed() == []
    first = dock.viewer.add_image(discs(), rgb=True, name="first")
    second = dock.viewer.add_image(discs()[:100], rgb=True, name="second")
    assert sorted(listed()) == ["first", "second"]
    assert dock.chosen("image") == second
    first.name = "renamed"
    assert sorted(listed()) == ["renamed", "second"]
    assert dock.chosen("image") == second
    second.name = "chosen"
    assert dock.chosen("image") == second
    assert dock.field("image").native.currentText() == "chosen"
    layer = dock.run()
    assert layer.name.startswith("chosen ")
    assert layer.data.shape == (100, 300)
    dock.viewer.layers.remove("chosen")
    assert listed() == ["renamed"]
    assert dock.chosen("image") == first
    dock.viewer.layers.clear()
    assert listed() == []
    assert dock.chosen("image") is None


def test_two_layers_that_swap_names_are_not_mixed_up(dock, network, discs):
    small = dock.viewer.add_image(discs()[:100], rgb=True, name="a")
    large = dock.viewer.add_image(discs(), rgb=True, name="b")
    dock.viewer.layers.selection.active = small
    small.name, large.name = "c", "a"
    assert dock.chosen("image") == small
    assert dock.run().data.shape == (100, 300)


def test_the_list_follows_the_active_image(dock, network, discs):
    first = dock.viewer.add_image(discs(), rgb=True, name="first")
    second = dock.viewer.add_image(discs(), rgb=True, name="second")
    dock.viewer.layers.selection.active = first
    assert dock.chosen("image") == first
    points = dock.viewer.add_points([[1, 2]])
    dock.viewer.layers.selection.active = points
    assert dock.chosen("image") == first
    dock.viewer.layers.selection.active = second
    assert dock.chosen("image") == second


def test_a_mask_that_is_opened_as_an_image_takes_no_image_away(dock):
    tile = generate_tile(1, size=128)
    tissue = dock.viewer.add_image(tile.image, rgb=True, name="tissue")
    mask = dock.viewer.add_image(np.where(tile.labels > 0, 255, 0).astype(np.uint8), name="mask")
    assert dock.viewer.layers.selection.active == mask
    assert dock.chosen("image") == tissue
    assert dock.form.image_note == ""
    dock.choose(image=mask)  # by hand it can be chosen
    assert dock.form.image_note == common_messages.looks_like_labels("mask")


@pytest.mark.parametrize("kind", ["nothing", "labels", "points", "shapes"])
def test_without_an_image_run_says_what_to_do(dock, network, notifications, kind):
    """A missing or wrong layer gives a sentence, not a traceback."""
    if kind == "labels":
        dock.viewer.add_labels(np.zeros((5, 5), int))
    elif kind == "points":
        dock.viewer.add_points([[1, 2]])
    elif kind == "shapes":
        dock.viewer.add_shapes([[0, 0], [1, 1]])
    assert not dock.bar.run_button.isEnabled()
    assert dock.message == messages.NO_IMAGE
    dock.widget.run()
    assert not dock.bar.running
    assert notifications() == []


def test_an_image_that_comes_later_takes_the_hint_away(dock, network, discs):
    assert dock.message == messages.NO_IMAGE
    dock.viewer.add_image(discs(), rgb=True)
    assert dock.message == ""
    assert dock.bar.run_button.isEnabled()


def test_the_result_belongs_to_the_image_that_was_chosen_when_run_was_clicked(dock, network, discs):
    """Switching to another image meanwhile must not put the result on that one."""
    network.pause = 0.3
    first = dock.viewer.add_image(discs(), rgb=True, name="A", **PLACE_2D)
    second = dock.viewer.add_image(discs()[:50], rgb=True, name="B", scale=(7, 7))
    dock.viewer.layers.selection.active = first
    dock.press_run()
    dock.viewer.layers.selection.active = second
    first.name = "A renamed meanwhile"
    dock.wait()
    (layer,) = dock.nuclei()
    assert layer.name.startswith("A nuclei")
    assert layer.metadata["napari-snow-unet"]["image"] == "A"
    assert_same_place(layer, first)
    assert layer.data.shape == first.data.shape[:2]


def test_an_image_that_is_deleted_meanwhile_still_gets_its_result(dock, network, discs):
    network.pause = 0.3
    image = dock.viewer.add_image(discs(), rgb=True, name="A", **PLACE_2D)
    where = placed(image)
    dock.press_run()
    dock.viewer.layers.remove(image)
    dock.wait()
    (layer,) = dock.nuclei()
    assert layer.name.startswith("A nuclei")
    np.testing.assert_allclose(placed(layer)[0], where[0])
    assert placed(layer)[1:] == where[1:]


def test_layers_of_the_user_are_not_overwritten_hidden_or_renamed(dock, network, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="A")
    name = f"A {name_suffix('nuclei', 'classical')}"
    theirs = dock.viewer.add_labels(np.full((200, 300), 5), name=name, visible=False)
    shown = dock.viewer.add_points([[1, 2]], name="points")
    dock.viewer.layers.selection.active = image
    before = [
        (layer.name, layer.visible, np.array(layer.data).copy()) for layer in dock.viewer.layers
    ]
    layer = dock.run()
    assert layer.name == f"{name} [1]"
    after = [other for other in dock.viewer.layers if other != layer]
    assert after == [image, theirs, shown]
    for other, (named, visible, data) in zip(after, before, strict=True):
        assert (other.name, other.visible) == (named, visible)
        assert np.array_equal(other.data, data)


def test_run_again_brings_the_result_up_to_date_and_another_model_gets_its_own(
    dock, network, discs
):
    dock.viewer.add_image(discs(), rgb=True, name="A")
    layer = dock.run()
    dock.choose(clear_border=True)
    dock.settle()
    assert dock.run() == layer
    assert dock.nuclei() == [layer]
    dock.choose(model="he-breast-nuclei")
    other = dock.run()
    assert other.name == "A nuclei"
    assert "classical" in layer.name
    assert other.metadata["napari-snow-unet"]["model"] == "he-breast-nuclei"
    dock.choose(model="classical")
    dock.run()
    assert dock.nuclei() == [layer, other]


def test_names_of_results_say_how_they_differ(dock, network, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="A")
    dock.run()
    dock.choose(pixel_size_um=0.5)
    dock.run()
    dock.choose(test_time_augmentation=True)
    dock.run()
    dock.choose(test_time_augmentation=False, channel="green")
    last = dock.run()
    names = [layer.name for layer in dock.nuclei()]
    assert all(name.startswith("A nuclei (classical") for name in names)
    for said, tell in (
        ("0.5 µm", [0, 1, 1, 1]),
        ("augmentation", [0, 0, 1, 1]),
        ("no test-time", [0, 0, 0, 1]),
        ("green", [0, 0, 0, 1]),
    ):
        assert [said in name for name in names] == tell
    dock.viewer.layers.selection.active = image
    assert dock.run() == last
    dock.viewer.layers.selection.clear()
    for layer in dock.nuclei():
        dock.viewer.layers.remove(layer)
    assert dock.run().name == names[0]  # there is nothing to tell it from


def test_names_of_results_say_of_which_part_they_are(dock, network, discs):
    image = dock.viewer.add_image(discs(), rgb=True, name="A")
    marks = np.zeros((200, 300), np.uint8)
    marks[0, 0] = marks[199, 299] = 1  # the part is as large as the image
    marked = dock.viewer.add_labels(marks, name="tumour")
    dock.viewer.layers.selection.active = image
    dock.choose(roi=marked)
    part = dock.run()
    dock.choose(roi=WHOLE)
    whole = dock.run()
    assert [WHOLE_IMAGE in layer.name for layer in (part, whole)] == [False, True]
    assert part.data.max() < whole.data.max() == 24
    moved = np.zeros_like(marks)
    moved[50, 100] = moved[149, 299] = 1
    marked.data = moved
    dock.choose(roi=marked)
    name = dock.run().name
    assert "tumour" in name
    assert re.findall(r"\d+", name) == ["50", "149", "100", "299"]


def test_the_pixel_size_of_the_layer_typed_again_is_no_other_one(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True, name="A", scale=(0.5, 0.5), units=("um", "um"))
    layer = dock.run()
    dock.choose(pixel_size_um=0.5)
    assert dock.run() == layer
    assert len(dock.nuclei()) == 1


def test_options_of_the_form_reach_the_pipeline(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True, name="A")
    chosen = {
        "output": "mask",
        "separate": False,
        "threshold": 0.25,
        "fill_holes": False,
        "clear_border": True,
        "channel": "green",
        "tile": 128,
    }
    dock.choose(min_area_um2=100, **chosen)
    assert dock.form.options() == Options(min_area=100, **chosen)
    layer = dock.run()
    assert layer.name == f"A {name_suffix('mask', 'classical')}"
    assert layer.metadata["napari-snow-unet"]["options"]["channel"] == "green"


def test_the_range_of_values_is_that_of_the_whole_stack_for_every_slice(dock, network, discs):
    """A dark slice of a 16-bit stack is dark, also where it is segmented by itself."""
    stack = np.stack([discs()[..., 0].astype(np.uint16) * 250, discs()[..., 0]])
    dock.viewer.add_image(da.from_array(stack, chunks=(1, 200, 300)), name="stack")
    dock.choose(threshold=0.6)
    for number in (0, 1):
        dock.viewer.dims.set_point(0, number)
        dock.run()
    (layer,) = dock.nuclei()
    assert layer.data[0].max() == 24
    assert (layer.data[1] > 0).all()


def test_the_range_is_found_anew_when_the_data_are_exchanged(dock, network, discs):
    image = dock.viewer.add_image(discs()[..., 0].astype(np.uint16) * 250)
    assert dock.run().data.max() == 24
    image.data = discs()[..., 0].astype(np.uint16)
    assert dock.run().data.max() == 24


def test_the_slice_shown_is_found_whatever_units_the_viewer_uses(dock, network, discs):
    stack = np.stack([discs()] * 4)
    units = ("nm", "nm", "nm")
    dock.viewer.add_image(stack, rgb=True, name="A", scale=(2000, 250, 250), units=units)
    dock.viewer.add_labels(
        np.zeros((80, 50, 75), int), scale=(0.1, 1, 1), units=("um", "um", "um"), name="other"
    )
    dock.viewer.layers.units = ("um", "um", "um")
    dock.viewer.dims.set_point(0, 6)  # um: the fourth slice
    assert [plane.max() for plane in dock.run().data] == [0, 0, 0, 24]


def test_an_image_of_another_scale_is_resampled_and_the_message_says_so(dock, network, discs):
    network.model = replace(network.model, pixel_size_um=(0.2, 0.3))
    place = {"scale": (0.6, 0.6), "units": ("um", "um")}
    dock.viewer.add_image(discs(), rgb=True, name="A", **place)
    layer = dock.run()
    assert layer.data.shape == (200, 300)
    assert layer.data.max() == 24
    assert re.search(r"[Rr]esampled.* 0\.6 .* 0\.3 ", dock.message)
    assert layer.metadata["napari-snow-unet"]["network_pixel_size_um"] == pytest.approx(0.3)


def test_a_result_does_not_keep_the_pixels_of_a_deleted_image_in_memory(dock, network, discs):
    pixels = discs()
    known = ref(pixels)
    dock.viewer.add_image(pixels, rgb=True, name="A")
    layer = dock.run()
    dock.viewer.layers.remove("A")
    del pixels
    gc.collect()
    assert known() is None or API_NAME == "PySide6"  # with which napari itself keeps it
    dock.viewer.layers.selection.active = layer
    dock.choose(threshold=0.99)
    dock.settle()
    assert not layer.data.any()


@pytest.mark.parametrize("shape", [(1, 200, 300), (200, 300, 1), (200, 1, 300), (1, 200, 300, 1)])
def test_a_layer_with_axes_of_length_1_is_one_plane(dock, discs, tmp_path, shape):
    grey = discs()[..., 0]
    image = dock.viewer.add_image(grey.reshape(shape), rgb=False, name="tissue")
    layer = dock.run()
    expected = run(segment(grey, classical.model())).labels
    assert layer.data.shape == shape
    assert np.array_equal(layer.data.reshape(grey.shape), expected)
    assert_same_place(layer, image)
    assert "24 nuclei" in dock.message
    dock.menu.save_as(tmp_path / "a.geojson", overwrite=False)
    dock.wait()
    assert np.array_equal(read_labels(tmp_path / "a.geojson", grey.shape) > 0, expected > 0)
    dock.choose(threshold=0.99)
    dock.settle()
    assert layer.data.shape == shape
    assert not layer.data.any()


def test_what_is_transparent_holds_no_nuclei(dock, discs):
    rgba = np.dstack([discs(), np.full((200, 300), 255, np.uint8)])
    rgba[:, 150:] = 0
    dock.viewer.add_image(rgba, rgb=True, name="tissue")
    layer = dock.run()
    assert layer.data.max() == 12
    assert not layer.data[:, 150:].any()


def test_what_is_taken_for_white_is_said_and_decided_for_the_whole_layer(dock, discs):
    twelve = discs().astype(np.uint16) * 16
    twelve[:100] //= 8
    twelve[0, 0] = 65535
    dock.viewer.add_image(twelve, rgb=True, name="tissue")
    dock.choose(roi=dock.viewer.add_shapes([[0, 0], [0, 299], [99, 299], [99, 0]]))
    layer = dock.run()
    assert "4,095 " in dock.message
    assert layer.metadata[PLUGIN]["white"] == 4095


def test_a_layer_that_napari_does_not_turn_says_so_in_what_is_saved(dock, discs, tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "photo.png"
    Image.fromarray(discs()).save(path, exif=exif)
    dock.viewer.open(path, plugin="napari")
    layer = dock.run()
    assert layer.data.shape == (200, 300)  # as stored
    assert "orientation tag (6)" in dock.message
    assert layer.metadata[PLUGIN]["unturned"] == 6
    dock.menu.save_as(tmp_path / "photo_nuclei.png", overwrite=False)
    dock.wait()
    assert "photo_nuclei.png" in dock.message
    assert "orientation tag (6)" in dock.message
    dock.menu.refresh()
    assert not dock.menu.python.isEnabled()
    assert "orientation 6" in dock.menu.python.toolTip()
