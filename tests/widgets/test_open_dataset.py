"""Open SNOW dataset... from napari's menu."""

from __future__ import annotations

import numpy as np
import pytest
from npe2 import PluginManager
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.data.images import write_image, write_labels

COMMAND = "napari-snow-unet.open_dataset"


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        write_image(
            tmp_path / "images" / f"{number:06}.png", np.full((16, 16, 3), number, np.uint8)
        )
        write_labels(tmp_path / "masks" / f"{number:06}.png", np.full((16, 16), number, np.int32))
    return tmp_path


def run_command():
    return PluginManager.instance().commands.execute(COMMAND)


def test_the_command_adds_two_stacks_with_one_slider(make_napari_viewer, folder, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    run_command()
    image, labels = viewer.layers
    assert image.rgb
    assert image.data.shape == (3, 16, 16, 3)
    assert labels.data.shape == (3, 16, 16)
    assert viewer.dims.nsteps[0] == 3
    viewer.dims.set_point(0, 2)
    assert np.asarray(image.data[2]).max() == 2


def test_a_dialog_left_without_a_choice_changes_nothing(make_napari_viewer, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    run_command()
    assert len(viewer.layers) == 0


def test_a_folder_with_nothing_in_it_is_one_message(make_napari_viewer, tmp_path, monkeypatch):
    viewer = make_napari_viewer()
    told = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr("napari.utils.notifications.show_error", told.append)
    run_command()
    assert len(told) == 1
    assert str(tmp_path) in told[0]
    assert len(viewer.layers) == 0
