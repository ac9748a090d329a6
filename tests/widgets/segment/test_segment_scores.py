"""Live scores in the segment dock, with a truth layer beside the result."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from skimage.measure import label

from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
from napari_snow_unet.widgets.common.live_scores import SHOWN
from napari_snow_unet.widgets.segment.current_result import OUTLINE
from napari_snow_unet.widgets.segment.form import NO_TRUTH


@pytest.fixture
def truth(discs):
    image = discs()
    return image, (image[..., 0] < 100).astype(np.int32)


def wait(dock):
    dock.qtbot.waitUntil(lambda: not dock.form.live.counting)


def test_dice_follows_the_threshold(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    assert not dock.offers("truth")
    labels[20:60, 20:60] = 1  # not all of it is dark
    true_layer = dock.viewer.add_labels(labels, name="truth")
    dock.run()
    assert [layer.name for layer in dock.field("truth").choices[1:]] == ["truth"]
    dock.choose(truth=true_layer)
    wait(dock)
    live = dock.form.live
    assert live.mark.value is not None
    probability = dock.widget.current.results.get(dock.result()).probability
    for threshold in (0.03, 0.5):
        dock.choose(threshold=threshold)
        expected = pixel_scores(count_pixels(probability > threshold * 255, labels))
        assert dock.live_scores() == [score_in_words(key, expected[key]) for key in SHOWN]
        dock.settle()
    assert not live.counting
    for part in (dock.field("truth").native, live):
        dock.choose(kind="folder")
        assert not part.isVisibleTo(dock.form)
        dock.choose(kind="layer")
        assert part.isVisibleTo(dock.form)
    dock.choose(truth=NO_TRUTH)
    assert not live.isVisibleTo(dock.form)


def test_scores_follow_what_is_painted_in_the_truth(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    layer = dock.viewer.add_labels(labels, name="truth")
    dock.run()
    dock.choose(truth=layer)
    wait(dock)
    said = [dock.live_scores()]
    for change in (lambda: layer.paint((110, 40), 5), layer.undo, layer.redo):
        change()
        assert not dock.form.live.text.text()  # no scores of the past
        said.append(dock.next_live_scores())
    assert said[0] == said[2] != said[1] == said[3]
    dock.choose(truth=NO_TRUTH)
    layer.paint((110, 40), 7)
    dock.nothing_due()
    wait(dock)
    assert dock.form.live.counts is None


def test_scores_come_back_although_labels_are_made_anew_meanwhile(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    layer = dock.viewer.add_labels(labels, name="truth")
    dock.run()
    dock.choose(truth=layer)
    wait(dock)
    said = dock.live_scores()
    dock.choose(threshold=0.5)
    layer.paint((110, 40), 5)
    dock.settle()  # mostly before the stroke counts as ended
    assert dock.next_live_scores() != said


def test_a_truth_that_does_not_fit_is_named_with_both_shapes(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    small = dock.viewer.add_labels(labels[:100], name="small")
    dock.run()
    dock.choose(truth=small)
    told = dock.form.live.text
    assert all(said in told.text() for said in ("'small'", "100 x 300", "200 x 300"))
    dock.viewer.layers.remove(small)
    apart = dock.viewer.add_labels(labels, name="apart", translate=(50, 0))
    dock.choose(truth=apart)
    assert all(said in told.text() for said in ("'apart'", "scale or position"))
    dock.viewer.layers.remove(apart)
    assert dock.chosen("truth") == NO_TRUTH


def colours_of(layer):
    """Return the colours in which a layer draws its nuclei."""
    return {tuple(layer.get_color(number)) for number in np.unique(layer.data)[1:].tolist()}


def test_outlines_of_a_result_and_its_truth_are_told_apart_by_colour(dock, network, truth):
    image, mask = truth
    labels = label(mask)
    dock.viewer.add_image(image, rgb=True, name="A")
    true_layer = dock.viewer.add_labels(labels, name="truth")
    other = dock.viewer.add_labels(labels[::-1].copy(), name="other truth")
    result = dock.run()
    looks = [(layer.colormap, layer.contour) for layer in (result, true_layer, other)]
    assert len(colours_of(result)) > 9
    dock.choose(truth=true_layer)
    assert [layer.contour for layer in (result, true_layer)] == [0, 0]
    box = dock.field("outlines").native
    at = QPoint(8, box.height() // 2)
    dock.qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=at)
    assert [layer.contour for layer in (result, true_layer)] == [OUTLINE, OUTLINE]
    (found,), (right,) = colours_of(result), colours_of(true_layer)
    assert found != right
    assert dock.form.which.isVisibleTo(dock.form)
    dock.choose(threshold=0.5)
    dock.settle()
    assert colours_of(result) == {found}
    dock.choose(truth=other)  # the first one is drawn as before
    assert (true_layer.colormap, true_layer.contour) == looks[1]
    assert colours_of(other) == {right}
    dock.qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=at)
    for layer, look in zip((result, true_layer, other), looks, strict=True):
        assert (layer.colormap, layer.contour) == look
    assert not dock.form.which.isVisibleTo(dock.form)


def test_colours_are_given_back_when_the_dock_is_closed_but_not_over_those_of_the_user(
    dock, network, truth, qtbot
):
    image, mask = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    true_layer = dock.viewer.add_labels(label(mask), name="truth")
    result = dock.run()
    former = colours_of(true_layer)
    dock.choose(truth=true_layer)
    dock.choose(outlines=True)
    assert len(colours_of(result)) == 1
    result.new_colormap()
    chosen = colours_of(result)
    dock.viewer.window.remove_dock_widget(dock.frame)
    qtbot.waitUntil(lambda: true_layer.contour == 0)
    assert colours_of(true_layer) == former
    assert colours_of(result) == chosen
    assert len(chosen) > 9
