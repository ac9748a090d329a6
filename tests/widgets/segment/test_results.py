"""What the segment dock knows of its results, without a window."""

from __future__ import annotations

from weakref import ref

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_snow_unet.base.progress import run
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.stack import segment_stack
from napari_snow_unet.widgets.common.layers import source_of
from napari_snow_unet.widgets.segment.results import Compared, Record, Results, Status


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def made(viewer, discs):
    """Return a function that segments an image and shows the result."""
    results = Results(viewer)

    def make(pixels=None):
        image = viewer.add_image(discs() if pixels is None else pixels, rgb=True, name="A")
        model = classical.model()
        found = run(segment_stack(image.data, model, Options(), rgb=True))
        record = Record(
            image=ref(image),
            source=source_of(image),
            model="classical",
            probability=found.probability,
            planes=found.planes,
            options=Options(),
            floor=model.threshold_floor,
            pixel_size_um=None,
            provenance=found.provenance,
        )
        return results, results.add(record, found.labels), image

    return make


def same(results, layer):
    """Return that the labels of a layer were compared just now and did not differ."""
    return Compared(results.get(layer).changes, differs=False)


def test_nobody_knows_what_labels_are_before_they_were_compared(made):
    results, layer, _ = made()
    assert results.status(layer) is Status.UNKNOWN
    assert results.status(layer, (), same(results, layer)) is Status.UNTOUCHED


def test_a_stroke_shows_at_once_and_its_undo_leaves_it_to_a_comparison(made):
    results, layer, _ = made()
    before = same(results, layer)
    layer.paint((3, 3), 7)
    assert results.status(layer) is results.status(layer, (), before) is Status.EDITED
    layer.undo()
    assert results.status(layer, (), before) is Status.UNKNOWN
    assert results.status(layer, (), same(results, layer)) is Status.UNTOUCHED


def test_a_comparison_says_nothing_of_labels_that_were_exchanged_since(made):
    results, layer, _ = made()
    before = same(results, layer)
    layer.data = layer.data.copy()
    assert results.status(layer, None, before) is Status.UNKNOWN
    layer.data = layer.data[:-1]
    assert results.status(layer, None, same(results, layer)) is Status.EDITED


def test_what_a_script_writes_shows_where_pixels_are_compared(made):
    results, layer, _ = made()
    layer.data[0, 0] = 7  # napari is told nothing
    assert results.status(layer) is Status.UNKNOWN
    assert results.status(layer, ()) is Status.EDITED
    compared = Compared(results.get(layer).changes, differs=True)
    assert results.status(layer, None, compared) is Status.EDITED


def test_only_the_slice_that_is_shown_is_compared_at_once(made, discs):
    results, layer, _ = made(np.stack([discs()] * 2))
    layer.data[1, 0, 0] = 7
    assert results.status(layer, (0,)) is Status.UNKNOWN
    assert results.status(layer, (1,)) is Status.EDITED


def test_what_the_dock_writes_itself_is_no_edit(made):
    results, layer, _ = made()
    layer.paint((3, 3), 7)
    labels = np.zeros_like(layer.data)
    results.rewrite(layer, results.get(layer), labels, [()])
    assert results.status(layer) is Status.UNKNOWN
    assert results.status(layer, None, same(results, layer)) is Status.UNTOUCHED


def test_of_a_layer_that_was_removed_nothing_is_known_until_it_is_back(made, viewer):
    results, layer, image = made()
    assert results.of(image) == [(layer, results.get(layer))]
    viewer.layers.remove(layer)
    assert results.get(layer) is None
    assert results.of(image) == []
    viewer.layers.append(layer)
    assert results.get(layer) is not None
