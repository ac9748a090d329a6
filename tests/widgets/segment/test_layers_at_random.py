"""Layers that are added, renamed, moved and removed at random while all docks are open."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from qtpy.QtWidgets import QApplication

from napari_snow_unet.widgets.segment.region import SHOWN, WHOLE

DOCKS = ("Segment nuclei", "Compare with ground truth", "Train a U-Net", "Prepare a dataset")
KINDS = ("rgb", "grey", "stack", "pyramid", "labels", "stack of labels", "shapes", "points")
NAMES = ("A", "A [1]", "ü", "", "(rot) <b>x</b>")


def add(viewer, kind):
    pixels = np.random.default_rng(0).integers(0, 255, (2, 40, 40, 3), dtype=np.uint8)
    if kind == "labels":
        viewer.add_labels(np.eye(40, dtype=np.int32), name="A")
    elif kind == "stack of labels":
        viewer.add_labels(np.stack([np.eye(40, dtype=np.int32)] * 2), name="A")
    elif kind == "shapes":
        viewer.add_shapes([[[3, 3], [30, 20]]], shape_type="rectangle", name="A")
    elif kind == "points":
        viewer.add_points(np.zeros((2, 2)), name="A")
    elif kind == "pyramid":
        viewer.add_image([pixels[0], pixels[0][::2, ::2]], rgb=True, multiscale=True, name="A")
    elif kind == "grey":
        viewer.add_image(pixels[0, ..., 0], name="A")
    else:
        viewer.add_image(pixels if kind == "stack" else pixels[0], rgb=True, name="A")


def same(found, wanted):
    return {id(layer) for layer in found} == {id(layer) for layer in wanted}


class Layers(RuleBasedStateMachine):
    """One napari serves all examples; every step ends with the docks held to the layers."""

    viewer = segment = measure = wait = None

    @initialize()
    def begin(self):
        self.viewer.layers.clear()
        self.hold()

    @precondition(lambda self: len(self.viewer.layers) < 9)
    @rule(kind=st.sampled_from(KINDS))
    def add(self, kind):
        add(self.viewer, kind)
        self.hold()

    @precondition(lambda self: len(self.viewer.layers))
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def rename(self, data, name):
        self.any_layer(data).name = name
        self.hold()

    @precondition(lambda self: len(self.viewer.layers))
    @rule(data=st.data())
    def remove(self, data):
        self.viewer.layers.remove(self.any_layer(data))
        self.hold()

    @precondition(lambda self: len(self.viewer.layers) > 1)
    @rule(data=st.data())
    def move(self, data):
        last = st.integers(0, len(self.viewer.layers) - 1)
        self.viewer.layers.move(data.draw(last), data.draw(last))
        self.hold()

    @precondition(lambda self: len(self.viewer.layers))
    @rule(data=st.data())
    def look_at(self, data):
        self.viewer.layers.selection.active = self.any_layer(data)
        self.hold()

    @rule(data=st.data())
    def choose_a_part(self, data):
        part = self.segment.form.roi
        part.value = data.draw(
            st.sampled_from(range(len(part.choices))).map(part.choices.__getitem__)
        )
        self.hold()

    @precondition(lambda self: self.segment.bar.run_button.isEnabled())
    @rule(removed=st.booleans())
    def run(self, removed):
        image = self.segment.form.image.value
        self.segment.bar.run_button.click()
        if removed:
            self.viewer.layers.remove(image)
        self.wait(lambda: not self.segment.bar.running)
        self.hold()

    def any_layer(self, data):
        return data.draw(st.sampled_from(list(self.viewer.layers)))

    def hold(self):
        """Hold every list of layers in a dock to the layers that are there."""
        QApplication.processEvents()
        layers = [getattr(layer, "__wrapped__", layer) for layer in self.viewer.layers]
        kinds = {
            kind: [x for x in layers if type(x).__name__ == kind] for kind in ("Image", "Labels")
        }
        form = self.segment.form
        assert same(form.image.choices, kinds["Image"])
        assert form.image.value in kinds["Image"] if kinds["Image"] else form.image.value is None
        texts, marks = form.roi.choices[:2], form.roi.choices[2:]
        assert texts == (WHOLE, SHOWN)
        own = [x for x in kinds["Labels"] if "napari-snow-unet" in x.metadata]
        shapes = [x for x in layers if type(x).__name__ == "Shapes"]
        assert same(marks, [*shapes, *(x for x in kinds["Labels"] if x not in own)])
        assert form.roi.value in (WHOLE, SHOWN) or form.roi.value in layers
        for box in (self.measure.form.prediction, self.measure.form.truth):
            chosen = [x for x in box.choices if x is not None and not isinstance(x, str)]
            assert {id(x) for x in chosen} <= {id(x) for x in layers}


def test_docks_follow_layers_that_come_and_go_at_random(
    make_napari_viewer_proxy, qtbot, network, capsys
):
    viewer = make_napari_viewer_proxy()
    opened = {
        name: viewer.window.add_plugin_dock_widget("napari-snow-unet", name)[1] for name in DOCKS
    }

    class Opened(Layers):
        pass

    Opened.viewer, Opened.wait = viewer, staticmethod(qtbot.waitUntil)
    Opened.segment, Opened.measure = opened[DOCKS[0]], opened[DOCKS[1]]
    Opened.segment.form.model.value = "classical"
    try:
        run_machine(
            Opened,
            settings=settings(
                max_examples=8,
                stateful_step_count=20,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        Opened.viewer = Opened.segment = Opened.measure = Opened.wait = None
    assert "Traceback" not in capsys.readouterr().err
