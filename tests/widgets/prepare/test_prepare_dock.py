"""The dock that prepares datasets in a real napari: prepare, check, view, stop, continue."""

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.check.messages import checked
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.widgets.prepare import dock as dock_module
from napari_snow_unet.widgets.prepare import messages

LEFT = Qt.MouseButton.LeftButton


def write_pair(folder, number, *, size=32):
    rng = np.random.default_rng(number)
    image = rng.integers(0, 256, (size, size, 3), np.uint8)
    labels = np.zeros((size, size), np.int32)
    labels[4:12, 4:12], labels[20:28, 16:30] = 1, 2
    image[labels > 0, 0] = number % 256
    write_image(folder / "Image" / f"seed{number:04}.png", image)
    write_hovernet_mat(folder / "Mask" / f"seed{number:04}.mat", labels)


@pytest.fixture
def snow(tmp_path):
    """Twelve pairs, one of them with a broken mask, one orphan, junk."""
    folder = tmp_path / "SNOW"
    for number in range(12):
        write_pair(folder, number)
    (folder / "Mask" / "seed0005.mat").write_text("no matrix")
    (folder / "Mask" / "seed0007.mat").unlink()
    (folder / "Image" / ".DS_Store").write_bytes(b"junk")
    return folder


@pytest.fixture
def dock(open_dock):
    """Open the dock in a napari whose window is on the screen."""
    return open_dock("Prepare a dataset", show=True)


def test_from_sources_to_a_checked_dataset(dock, snow, tmp_path, notifications):
    dataset = tmp_path / "dataset"
    assert dock.message == messages.NO_SOURCE
    assert not dock.bar.run_button.isEnabled()
    drop(dock.sources.list, snow)
    assert dock.sources.paths == [snow]
    assert dock.message == messages.NO_DATASET
    dock.choose(dataset=dataset, train="6", val="20%", test="2")
    dock.run()

    tiles = read_manifest(dataset)
    assert [tile.name for tile in tiles] == [
        f"seed{number:04}" for number in range(12) if number not in (5, 7)
    ]
    assert sorted(tile.split for tile in tiles) == ["test"] * 2 + ["train"] * 6 + ["val"] * 2
    assert {row[2].rsplit("/")[-1] for row in dock.rows()} == {"seed0005.mat", "seed0007.png"}
    assert dock.made() == (10, 10)
    assert dock.message.endswith(messages.skipped_files(2))
    assert dock.told_problem

    dock.run(dock.widget.check_button)
    assert dock.message == checked(10, 0, 0)
    assert "problem" not in {row[0] for row in dock.rows()}
    assert not dock.told_problem
    dock.run()
    assert dock.made() == (10, 0)
    assert notifications() == []


def drop(target, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    target.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
        )
    )


def test_nine_pairs_and_the_stack_are_shown_with_their_own_masks(dock, snow, tmp_path):
    dock.sources.add([snow])
    dock.choose(dataset=tmp_path / "dataset")
    dock.run()
    dock.run(dock.widget.sample_button)
    image, labels = dock.viewer.layers
    assert image.data.shape == (3 * 40 - 8, 3 * 40 - 8, 3)
    assert len(image.metadata["names"]) == 9
    name_of = {tile.index: tile.name for tile in read_manifest(tmp_path / "dataset")}
    for number, name in enumerate(image.metadata["names"]):
        y, x = (40 * place for place in divmod(number, 3))
        cell = np.s_[y : y + 32, x : x + 32]
        assert (labels.data[cell] > 0).sum() == 64 + 8 * 14
        red = image.data[cell][labels.data[cell] > 0][:, 0]
        assert set(red) == {int(name_of[int(name)].removeprefix("seed"))}
    dock.run(dock.widget.open_button)
    assert dock.message == messages.opened_pairs(10)
    stack, masks = list(dock.viewer.layers)[2:]
    assert stack.data.shape == (10, 32, 32, 3)
    assert masks.data.shape == (10, 32, 32)
    assert [layer.visible for layer in dock.viewer.layers] == [False, False, True, True]
    dock.run(dock.widget.sample_button)
    assert [layer.visible for layer in dock.viewer.layers] == [False] * 4 + [True, True]


def test_the_view_moves_to_opened_layers_wherever_others_are(dock, snow, tmp_path):
    dock.viewer.add_image(np.zeros((64, 64)), translate=(5000, 5000))
    dock.choose(dataset=snow)
    dock.run(dock.widget.sample_button)
    assert dock.viewer.scene.camera.center[-2:] == pytest.approx((56, 56), abs=1)
    assert dock.viewer.layers[0].visible


def test_check_names_the_problems_of_a_folder_that_is_no_dataset(dock, snow):
    dock.choose(dataset=snow)
    dock.run(dock.widget.check_button)
    about = {(row[0], row[1], row[2].rsplit("/")[-1]) for row in dock.rows()}
    assert ("problem", "no partner", "seed0007.png") in about
    assert ("problem", "unreadable", "seed0005.png") in about
    assert dock.told_problem


def test_stopped_it_keeps_finished_tiles_and_continues(dock, tmp_path, held):
    folder, dataset = tmp_path / "SNOW", tmp_path / "dataset"
    for number in range(30):
        write_pair(folder, number)
    dock.sources.add([folder])
    dock.choose(dataset=dataset, workers=1)
    go_on = held(dock_module, "prepare", 6)
    dock.press_run()
    dock.qtbot.waitUntil(lambda: dock.bar.progress.value() == 6)
    dock.click(dock.bar.cancel_button)
    go_on.set()
    dock.wait()
    assert dock.message == messages.STOPPED
    done = len(read_manifest(dataset))
    assert 6 <= done <= 7
    dock.run()
    assert dock.made() == (30, 30 - done)


def test_after_errors_the_dock_is_usable(dock, snow, tmp_path, monkeypatch, notifications):
    dock.sources.add([tmp_path / "nowhere"])
    dock.choose(dataset=tmp_path / "dataset")
    dock.run()
    assert "nowhere" in dock.message
    assert len(notifications()) == 1
    dock.sources.list.selectAll()
    dock.qtbot.keyClick(dock.sources.list, Qt.Key.Key_Delete)
    assert dock.sources.paths == []
    dock.sources.add([snow])
    dock.choose(train="many")
    dock.press_run()
    assert "'many'" in dock.message
    dock.choose(train="")

    dock.choose(um_per_px=25)
    dock.run()
    with pytest.raises(InputError) as as_in_the_shell:
        check_pixel_size(25)
    assert dock.message == as_in_the_shell.value.reason_first()
    assert not (tmp_path / "dataset").exists()
    dock.choose(um_per_px=0)

    def fail(*arguments):
        yield from ()
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(dock_module, "prepare", fail)
        dock.run()
    assert "no room" in dock.message
    dock.run()
    assert dock.made() == (10, 10)


def test_it_is_low_enough_scrolls_and_can_be_closed(dock, snow, tmp_path, qtbot):
    dock.form.advanced.expand(animate=False)
    dock.sources.add([snow])
    dock.choose(dataset=tmp_path / "dataset")
    dock.run()
    qtbot.small_enough(dock.frame)
    dock.close()
    dock.reopen()
    assert dock.message == messages.NO_SOURCE
