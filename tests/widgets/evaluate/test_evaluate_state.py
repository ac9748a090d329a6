"""What the dock Compare with ground truth allows and shows, without a window."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_snow_unet.base.progress import run
from napari_snow_unet.metrics.scores.tile import compare
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common import messages as common_messages
from napari_snow_unet.widgets.common.scoring import compare as compare_layers
from napari_snow_unet.widgets.evaluate import messages
from napari_snow_unet.widgets.evaluate.state import Chosen, EvaluateState, look, preselected

OPTIONS = {"threshold": 0.5, "all_slices": True, "masks_are": None, "pixel_by_pixel": False}


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def looked(viewer):
    """Return a function that looks at layers, with the usual options or others."""

    def at(prediction=None, truth=None, region=None, **options):
        chosen = Chosen(prediction, truth, region, OPTIONS | options)
        return look(viewer, chosen, "", outdated=False)

    return at


def squares(slices=()):
    labels = np.zeros((*slices, 30, 40), np.int32)
    labels[..., 3:9, 3:9], labels[..., 15:25, 20:30] = 1, 2
    return labels


def test_the_hint_says_what_is_missing(viewer, looked):
    assert looked().hint == messages.NO_LABELS
    truth = viewer.add_labels(squares())
    assert looked(truth, truth).hint == messages.ONE_LAYER
    other = viewer.add_labels(squares()[:20])
    assert looked(truth, truth).hint == messages.SAME_LAYER
    assert "20 x 40" in looked(other, truth).hint
    assert looked(viewer.add_labels(squares()), truth).hint == ""


def test_an_image_that_holds_labels_is_named_with_the_way_to_convert_it(viewer, looked):
    image = viewer.add_image(squares(), name="ids")
    note = common_messages.labels_as_images(["ids"])
    assert looked().hint == f"{messages.NO_LABELS} {note}"
    state = looked(image, viewer.add_labels(squares()))
    assert state.hint == common_messages.labels_as_image("ids")
    assert state.images == [image]
    assert state.counted == ()


def test_only_what_the_live_scores_depend_on_counts_a_map_anew(viewer, looked):
    truth = viewer.add_labels(squares((2,)))
    grey = viewer.add_image(np.where(squares((2,)) > 0, 200, 20).astype(np.uint8))
    state = looked(grey, truth)
    assert state.of_map
    assert state.is_stack
    assert looked(grey, truth, threshold=0.3).counted == state.counted
    assert looked(grey, truth, masks_are="binary").counted != state.counted
    assert looked(grey, truth, truth).counted != state.counted
    one = looked(grey, truth, all_slices=False)
    viewer.dims.set_current_step(0, 1 - one.plane[0])
    assert looked(grey, truth, all_slices=False).counted != one.counted != state.counted
    assert looked(grey, truth).counted == state.counted
    assert looked(truth, truth).counted == ()


def test_the_slice_shown_is_the_one_compared_and_3d_has_none(viewer, looked):
    truth, found = squares((3,)), squares((3,))
    found[2, 15:25] = 0
    layers = viewer.add_labels(found), viewer.add_labels(truth)
    viewer.dims.set_current_step(0, 2)
    assert len(looked(*layers).comparison().planes) == 3
    state = looked(*layers, all_slices=False)
    assert state.comparison().planes == [(2,)]
    viewer.dims.ndisplay = 3
    assert looked(*layers, all_slices=False).hint == common_messages.NO_SINGLE_SLICE.text()
    assert looked(*layers).hint == ""


def test_a_comparison_is_what_the_run_measures(viewer, looked):
    truth, found = squares(), squares()
    found[15:25] = 0
    layers = viewer.add_labels(found, scale=(2, 2)), viewer.add_labels(truth, scale=(2, 2))
    (counts,) = run(compare_layers(looked(*layers).comparison())).counts.values()
    assert counts.scores() == compare(found, truth, spacing=1.0).scores()


def test_results_of_the_plugin_and_names_decide_what_is_preselected(viewer):
    made = {"metadata": {PLUGIN: {"model": "default"}}}
    names = "my ground truth", "other", "nuclei"
    drawn, other, result = (
        viewer.add_labels(squares(), name=name, **(made if name == "nuclei" else {}))
        for name in names
    )
    assert preselected([drawn, other]) == (other, drawn)
    assert preselected([drawn, other, result]) == (result, drawn)
    assert preselected([result, other]) == (result, other)


def test_a_caption_says_that_a_layer_has_changed_since():
    assert EvaluateState(compared="a with b.").caption == "a with b."
    outdated = EvaluateState(compared="a with b.", outdated=True).caption
    assert outdated == f"a with b. {messages.OUTDATED}"
