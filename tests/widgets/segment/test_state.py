"""What the segment dock shows of what is chosen, without a window."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_snow_unet.data.pixels.pixel_size import doubt_pixel_size
from napari_snow_unet.data.slides import slide
from napari_snow_unet.models import ModelEntry
from napari_snow_unet.segmentation.messages import NOT_SHOWN_AS_RGB
from napari_snow_unet.segmentation.plane.areas import PIXELS, UM2
from napari_snow_unet.widgets.common.messages import SIZE_OF_LAYER_LABEL as LAYER
from napari_snow_unet.widgets.common.messages import looks_like_labels
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.region import WHOLE
from napari_snow_unet.widgets.segment.state import (
    SIZE_OF_EACH,
    SIZE_UNKNOWN,
    Chosen,
    SegmentState,
    look,
)

IN_UM = {"scale": (0.25, 0.25), "units": ("um", "um")}
NETWORK = ModelEntry("darkness", "bundled", pixel_size_um=(0.2, 0.55))


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def looked(viewer):
    """Return a function that looks at an image of these pixels, or at what else is chosen."""

    def at(pixels=None, *, model=None, problem="", placed=None, **chosen):
        rgb = pixels is not None and pixels.shape[-1] == 3
        image = None if pixels is None else viewer.add_image(pixels, rgb=rgb, **(placed or {}))
        known = {"of_layer": True, "image": image, "roi": WHOLE, "folder": None, "results": None}
        return look(viewer, Chosen(**{**known, "typed_um": 0.0, **chosen}), model, problem)

    return at


def test_no_window_is_needed():
    asked = (
        "import sys; from napari_snow_unet.widgets.segment import results, state; "
        "sys.exit(bool({'qtpy', 'magicgui', 'napari'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_an_image_can_be_segmented_as_it_is(looked, discs):
    state = looked(discs(), placed=IN_UM)
    assert (state.hint, state.tip, state.image_doubt) == ("", messages.RUN_LAYER, "")
    assert not state.is_stack
    assert not state.writes_files
    assert (state.size_in_words, state.area_unit) == (f"0.25 ({LAYER})", UM2)
    assert state.size_note == ""


def test_without_an_image_run_says_what_to_do(looked):
    state = looked()
    assert state.hint == messages.NO_IMAGE
    assert (state.size_in_words, state.size_note) == (SIZE_UNKNOWN, "")


def test_pixels_that_are_no_image_are_told_before_run(looked):
    assert looked(np.zeros((9, 9, 4), np.uint8)).hint == NOT_SHOWN_AS_RGB.text()


def test_a_stack_offers_its_slices(looked, discs):
    assert looked(np.stack([discs()] * 2)).is_stack


def test_a_mask_is_doubted(looked, discs):
    state = looked((discs()[..., 0] < 100).astype(np.uint8) * 255)
    assert state.image_doubt == looks_like_labels(state.image.name)
    assert state.hint == ""  # the person may know better


@pytest.mark.parametrize(
    ("typed", "model", "said"),
    [
        (0.0, None, messages.unknown_size(None, None)),
        (0.0, NETWORK, messages.unknown_size((0.2, 0.55), None)),
        (0.25, NETWORK, ""),
        (20.0, NETWORK, doubt_pixel_size(20.0)),
    ],
)
def test_what_an_unknown_pixel_size_means(looked, discs, typed, model, said):
    state = looked(discs(), typed_um=typed, model=model)
    assert state.size_note == said
    assert state.area_unit is (UM2 if typed else PIXELS)


def test_what_is_large_is_written_to_files_unless_a_small_part_is_chosen(
    looked, viewer, discs, monkeypatch
):
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    part = viewer.add_shapes([[[10, 10], [30, 30]]], shape_type="rectangle")
    assert looked(discs()).writes_files
    assert not looked(discs(), roi=part).writes_files
    beside = viewer.add_shapes([[[900, 900], [950, 950]]], shape_type="rectangle")
    assert not looked(discs(), roi=beside).is_large  # Run says that nothing is there


def test_a_folder_needs_one_for_its_results(looked, tmp_path):
    hints = [
        looked(of_layer=False, **chosen).hint
        for chosen in (
            {},
            {"folder": tmp_path / "gone"},
            {"folder": tmp_path},
            {"folder": tmp_path, "results": tmp_path / "nuclei"},
        )
    ]
    assert hints == [messages.NO_FOLDER, messages.NO_FOLDER, messages.NO_RESULTS, ""]


def test_a_folder_leaves_the_chosen_image_alone(looked, discs, tmp_path):
    state = looked(discs(), of_layer=False, folder=tmp_path, typed_um=20.0)
    assert state.image is None
    assert state.writes_files
    assert (state.size_in_words, state.tip) == (SIZE_OF_EACH, messages.RUN_FOLDER)
    assert state.size_note == doubt_pixel_size(20.0)


def test_a_model_that_is_damaged_holds_run_back():
    damaged = ModelEntry("mine", "user", problem="Damaged.")
    assert SegmentState(model=damaged).hint == "Damaged."
    assert SegmentState(model=damaged, why_not=messages.NO_IMAGE).hint == messages.NO_IMAGE
