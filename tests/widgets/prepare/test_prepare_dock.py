"""The dock that prepares datasets in a real napari: prepare, check, look, stop, go on."""

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.widgets.prepare import dock as dock_module

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


class Dock:
    """The dock of a viewer, and what a person does with it."""

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget(
            "napari-snow-unet", "Prepare a dataset"
        )
        self.form, self.bar, self.findings = (
            getattr(self.widget, name) for name in ("form", "bar", "findings")
        )

    @property
    def message(self):
        return self.bar.message.text()

    def click(self, button):
        self.qtbot.mouseClick(button, LEFT)

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.bar.running)

    def run(self, button):
        self.click(button)
        assert self.bar.running, self.message
        self.wait()

    def rows(self):
        table = self.findings.contents
        return [
            [table.index(row, column).data() for column in range(table.columnCount())]
            for row in range(table.rowCount())
        ]


@pytest.fixture
def dock(make_napari_viewer_proxy, qtbot):
    """Open the dock in a napari whose window is on the screen."""
    opened = Dock(make_napari_viewer_proxy(show=True), qtbot)
    yield opened
    opened.bar.cancel()
    opened.wait()
    opened.viewer = opened.frame = opened.widget = None
    opened.form = opened.bar = opened.findings = None


def test_from_sources_to_a_checked_dataset(dock, snow, tmp_path, notifications):
    dataset = tmp_path / "dataset"
    assert "Add the folders" in dock.message
    assert not dock.bar.run_button.isEnabled()
    drop(dock.form.sources.list, snow)
    assert dock.form.sources.paths == [snow]
    assert "folder for the dataset" in dock.message
    dock.form.target.dataset.value = dataset
    dock.form.fields.train.value, dock.form.fields.val.value = "6", "20%"
    dock.form.fields.test.value = "2"
    dock.run(dock.bar.run_button)

    tiles = read_manifest(dataset)
    assert [tile.name for tile in tiles] == [
        f"seed{number:04}" for number in range(12) if number not in (5, 7)
    ]
    assert sorted(tile.split for tile in tiles) == ["test"] * 2 + ["train"] * 6 + ["val"] * 2
    assert {row[2].rsplit("/")[-1] for row in dock.rows()} == {"seed0005.mat", "seed0007.png"}
    assert "10 tiles (train 6, val 2, test 2), 10 of them new" in dock.message
    assert "2 could not be used" in dock.message

    dock.run(dock.widget.check_button)
    assert dock.message.startswith("10 tiles, no problem")
    dock.run(dock.bar.run_button)
    assert "0 of them new" in dock.message
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
    dock.form.sources.add([snow])
    dock.form.target.dataset.value = tmp_path / "dataset"
    dock.run(dock.bar.run_button)
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
    assert "10 pairs" in dock.message
    stack, masks = list(dock.viewer.layers)[2:]
    assert stack.data.shape == (10, 32, 32, 3)
    assert masks.data.shape == (10, 32, 32)
    assert [layer.visible for layer in dock.viewer.layers] == [False, False, True, True]
    dock.run(dock.widget.sample_button)
    assert [layer.visible for layer in dock.viewer.layers] == [False] * 4 + [True, True]


def test_what_is_opened_is_looked_at_wherever_other_layers_lie(dock, snow, tmp_path):
    dock.viewer.add_image(np.zeros((64, 64)), translate=(5000, 5000))
    dock.form.target.dataset.value = snow
    dock.run(dock.widget.sample_button)
    assert dock.viewer.scene.camera.center[-2:] == pytest.approx((56, 56), abs=1)
    assert dock.viewer.layers[0].visible


def test_check_names_what_is_wrong_in_a_foreign_folder(dock, snow):
    dock.form.target.dataset.value = snow
    dock.run(dock.widget.check_button)
    about = {(row[0], row[1], row[2].rsplit("/")[-1]) for row in dock.rows()}
    assert ("problem", "no partner", "seed0007.png") in about
    assert ("problem", "unreadable", "seed0005.png") in about
    assert "problems" in dock.message


def test_stopped_it_keeps_what_is_done_and_goes_on(dock, tmp_path, held):
    folder, dataset = tmp_path / "SNOW", tmp_path / "dataset"
    for number in range(30):
        write_pair(folder, number)
    dock.form.sources.add([folder])
    dock.form.target.dataset.value = dataset
    dock.form.fields.workers.value = 1
    go_on = held(dock_module, "prepare", 6)
    dock.click(dock.bar.run_button)
    dock.qtbot.waitUntil(lambda: dock.bar.progress.value() == 6)
    dock.click(dock.bar.cancel_button)
    go_on.set()
    dock.wait()
    assert "Prepare again to go on" in dock.message
    done = len(read_manifest(dataset))
    assert 6 <= done <= 7
    dock.run(dock.bar.run_button)
    assert f"30 tiles (train 22, val 2, test 6), {30 - done} of them new" in dock.message


def test_errors_are_told_and_the_dock_goes_on(dock, snow, tmp_path, monkeypatch, notifications):
    dock.form.sources.add([tmp_path / "nowhere"])
    dock.form.target.dataset.value = tmp_path / "dataset"
    dock.run(dock.bar.run_button)
    assert "nowhere" in dock.message
    assert len(notifications()) == 1
    dock.form.sources.list.selectAll()
    dock.qtbot.keyClick(dock.form.sources.list, Qt.Key.Key_Delete)
    assert dock.form.sources.paths == []
    dock.form.sources.add([snow])
    dock.form.fields.train.value = "many"
    dock.click(dock.bar.run_button)
    assert "'many'" in dock.message
    dock.form.fields.train.value = ""

    dock.form.fields.um_per_px.value = 25
    dock.run(dock.bar.run_button)
    with pytest.raises(InputError) as as_in_the_shell:
        check_pixel_size(25)
    assert dock.message == as_in_the_shell.value.reason_first()
    assert not (tmp_path / "dataset").exists()
    dock.form.fields.um_per_px.value = 0

    def fail(*arguments):
        yield from ()
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(dock_module, "prepare", fail)
        dock.run(dock.bar.run_button)
    assert "not enough memory" in dock.message
    dock.run(dock.bar.run_button)
    assert "10 of them new" in dock.message


def test_it_is_low_enough_scrolls_and_can_be_closed(dock, snow, tmp_path, qtbot):
    dock.form.advanced.expand(animate=False)
    dock.form.sources.add([snow])
    dock.form.target.dataset.value = tmp_path / "dataset"
    dock.run(dock.bar.run_button)
    qtbot.small_enough(dock.frame)
    qtbot.close_dock(dock.frame, dock.widget)
    dock.__init__(dock.viewer, dock.qtbot)
    assert "Add the folders" in dock.message
