"""File > IO Utilities > Open SNOW dataset..., in real napari."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from npe2 import PluginManager
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages, stack
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pairs.messages import layout
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.widgets.opening.dataset import open_snow_dataset

COMMAND = "napari-snow-unet.open_dataset"


@pytest.fixture
def folder(tmp_path):
    for number in range(12):
        image = np.full((16, 18, 3), number, np.uint8)
        write_image(tmp_path / "SNOW_Image" / f"seed{number}.png", image)
        labels = np.full((16, 18), number, np.int32)
        write_hovernet_mat(tmp_path / "mask_0_5000" / "mat" / f"seed{number}.mat", labels)
    return tmp_path


def choose(monkeypatch, folder):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))


def run_command():
    return PluginManager.instance().commands.execute(COMMAND)


def test_the_menu_offers_it(make_napari_viewer):
    make_napari_viewer()
    from napari._app_model import get_app_model

    items = get_app_model().menus.get_menu("napari/file/io_utilities")
    assert COMMAND in [item.command.id for item in items if hasattr(item, "command")]


def test_the_command_adds_two_stacks_with_one_slider(make_napari_viewer, folder, monkeypatch):
    viewer = make_napari_viewer()
    choose(monkeypatch, folder)
    run_command()
    image, labels = viewer.layers
    assert image.rgb
    assert (image.data.shape, labels.data.shape) == ((12, 16, 18, 3), (12, 16, 18))
    assert viewer.dims.ndim == 3
    assert viewer.dims.nsteps[0] == 12
    assert labels.metadata["names"][:3] == ["seed0", "seed1", "seed2"]
    assert labels.metadata["sources"][10].endswith("seed10.mat")


def test_only_the_tile_shown_is_read(make_napari_viewer, folder, monkeypatch):
    read = []
    for function in ("read_image", "read_mask_file"):
        original = getattr(stack, function)

        def counting(path, *more, original=original, **how):
            read.append(path.name)
            return original(path, *more, **how)

        monkeypatch.setattr(stack, function, counting)
    viewer = make_napari_viewer()
    image, labels = open_snow_dataset(viewer, folder)
    assert viewer.dims.current_step[0] == 0
    assert {"seed0.png", "seed0.mat"} <= set(read)
    assert len(set(read)) <= 4  # napari itself looks at the middle first
    read.clear()
    viewer.dims.set_current_step(0, 9)
    assert set(read) == {"seed9.png", "seed9.mat"}
    for layer in (image, labels):
        assert layer._slice.image.raw.max() == 9


def test_what_has_no_partner_is_told_once(make_napari_viewer, folder):
    for name in ("lonely1", "lonely2"):
        write_image(folder / "SNOW_Image" / f"{name}.png", np.zeros((16, 18, 3), np.uint8))
    viewer = make_napari_viewer()
    told = []
    notification_manager.notification_ready.connect(lambda event: told.append(event.message))
    open_snow_dataset(viewer, folder)
    lonely = messages.unpaired(("lonely1.png", "lonely2.png"))
    assert told == [f"{lonely} {layout('SNOW')}"]
    assert len(viewer.layers) == 2


def test_a_damaged_tile_leaves_the_viewer_usable(make_napari_viewer, folder):
    (folder / "SNOW_Image" / "seed7.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    viewer = make_napari_viewer()
    image, labels = open_snow_dataset(viewer, folder)
    with pytest.warns(UserWarning, match=r"seed7\.png"):
        viewer.dims.set_current_step(0, 7)
    assert image._slice.image.raw.max() == 0
    assert labels._slice.image.raw.max() == 7
    viewer.dims.set_current_step(0, 8)
    assert image._slice.image.raw.max() == 8


def test_a_dialog_left_without_a_choice_changes_nothing(make_napari_viewer, monkeypatch):
    viewer = make_napari_viewer()
    choose(monkeypatch, "")
    run_command()
    assert len(viewer.layers) == 0


def test_a_folder_without_pairs_is_one_message(make_napari_viewer, tmp_path, monkeypatch):
    viewer = make_napari_viewer()
    told = []
    monkeypatch.setattr("napari_snow_unet.widgets.opening.dataset.show_error", told.append)
    choose(monkeypatch, tmp_path)
    run_command()
    assert len(told) == 1
    assert str(tmp_path) in told[0]
    assert len(viewer.layers) == 0
    with pytest.raises(InputError):
        open_snow_dataset(viewer, tmp_path)
