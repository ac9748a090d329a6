"""Live scores in the segment dock, with a truth layer beside the result."""

import numpy as np
import pytest

from napari_snow_unet.metrics.document import shown
from napari_snow_unet.metrics.pixel import count_pixels, scores
from napari_snow_unet.widgets._watched_layers import SETTLED_MS


@pytest.fixture
def truth(discs):
    image = discs()
    return image, (image[..., 0] < 100).astype(np.int32)


def wait(dock):
    dock.qtbot.waitUntil(lambda: not dock.form.live.counting, timeout=30_000)


def test_dice_follows_the_threshold(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    assert not dock.form.truth.native.isVisibleTo(dock.form)
    labels[20:60, 20:60] = 1  # not all of it is dark
    true_layer = dock.viewer.add_labels(labels, name="truth")
    dock.run()
    assert [layer.name for layer in dock.form.truth.choices[1:]] == ["truth"]
    dock.form.truth.value = true_layer
    wait(dock)
    live = dock.form.live
    assert live.mark.value is not None
    probability = dock.widget.layer_job.results.get(dock.widget.layer_job.current).probability
    for threshold in (0.03, 0.5):
        dock.form.nuclei.threshold.value = threshold
        expected = scores(count_pixels(probability > threshold * 255, labels))
        for key in ("dice", "precision", "recall"):
            assert (
                f"{key.replace('dice', 'Dice')}\u00a0{shown(key, expected[key])}"
                in live.text.text()
            )
        assert live.text.text().startswith("Pixels above the threshold: ")
        dock.settle()
    assert not live.counting
    for part in (dock.form.truth.native, live):
        dock.form.source.kind.value = "folder"
        assert not part.isVisibleTo(dock.form)
        dock.form.source.kind.value = "layer"
        assert part.isVisibleTo(dock.form)
    dock.form.truth.value = "none"
    assert not live.isVisibleTo(dock.form)


def test_scores_follow_what_is_painted_in_the_truth(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    layer = dock.viewer.add_labels(labels, name="truth")
    dock.run()
    dock.form.truth.value = layer
    wait(dock)
    live = dock.form.live
    said = [live.text.text()]
    for change in (lambda: layer.paint((110, 40), 5), layer.undo, layer.redo):
        change()
        assert not live.text.text()  # no scores of the past
        dock.qtbot.waitUntil(lambda: "Dice" in live.text.text(), timeout=10_000)
        said.append(live.text.text())
    assert said[0] == said[2] != said[1] == said[3]
    dock.form.truth.value = "none"
    layer.paint((110, 40), 7)
    dock.qtbot.wait(2 * SETTLED_MS)
    assert live.counts is None


def test_a_truth_that_does_not_fit_is_named_with_both_shapes(dock, network, truth):
    image, labels = truth
    dock.viewer.add_image(image, rgb=True, name="A")
    small = dock.viewer.add_labels(labels[:100], name="small")
    dock.run()
    dock.form.truth.value = small
    assert "100 x 300" in dock.form.live.text.text()
    assert "200 x 300" in dock.form.live.text.text()
    dock.viewer.layers.remove(small)
    apart = dock.viewer.add_labels(labels, name="apart", translate=(50, 0))
    dock.form.truth.value = apart
    assert dock.form.live.text.text().endswith("Give them the same transform.")
    dock.viewer.layers.remove(apart)
    assert dock.form.truth.value == "none"
