"""Adding a tile to a dataset from Python: results, files, arrays and layers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from napari.layers import Labels

import napari_snow_unet as snow
from napari_snow_unet.api import messages
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.messages import favours
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.metrics.files.reading import read_tile


@pytest.fixture
def tile(tmp_path):
    return write_image(tmp_path / "slide1.png", generate_tile(3, size=128).image)


def test_a_corrected_result_states_its_model_and_what_was_edited(tile, tmp_path):
    result = snow.segment(tile, "classical")
    first, *_, last = np.unique(result.labels)[1:]
    labels = np.where(result.labels == last, 0, result.labels)
    folder = tmp_path / "mine"
    added = snow.add_to_dataset(folder, tile, labels, prediction=result, pixel_size_um=0.25)
    row = added.tile
    assert (row.name, row.truth, row.truth_model) == ("slide1", "prediction", "classical")
    assert (row.truth_edits, row.um_per_px) == ("1 deleted", 0.25)
    assert (row.nuclei, first) == (result.nuclei - 1, 1)
    task = make_task(folder / row.mask, folder / row.mask)
    assert favours("classical") in [str(note) for note in read_tile(task, "000000").notes]


def test_files_arrays_and_layers_are_taken_and_state_where_they_came_from(tile, tmp_path):
    result = snow.segment(tile, "classical")
    folder, written = tmp_path / "mine", snow.write_labels(tmp_path / "slide1 nuclei.png", result)
    facts = {"napari-snow-unet": result.provenance}
    for labels in (written, result, Labels(result.labels, metadata=facts)):
        row = snow.add_to_dataset(folder, tile, labels, replace=folder.exists()).tile
        assert (row.truth, row.truth_edits, row.nuclei) == ("prediction", "", result.nuclei)
    image, region = snow.read_image(tile).array, result.labels > 0
    drawn = snow.add_to_dataset(
        folder, image, result.labels, name="b", drawn=True, region=region, replace=True
    )
    assert (drawn.replaced, drawn.tile.truth, drawn.tile.truth_model) == (True, "drawn", "")
    assert (folder / "regions/000000.png").exists()


def test_what_is_no_labels_is_refused(tile, tmp_path):
    with pytest.raises(InputError, match=re.escape(messages.NOT_LABELS.problem)):
        snow.add_to_dataset(tmp_path / "mine", tile, np.zeros((128, 128)))
    with pytest.raises(InputError):
        snow.add_to_dataset(tmp_path / "mine", tile, np.zeros((12, 12), int), drawn=True)
    assert not (tmp_path / "mine").exists()
