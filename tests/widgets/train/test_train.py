"""The train dock in a real napari, with the real process that trains, on tiny tiles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.models import list_models, open_model
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs import process as runs_process
from napari_snow_unet.unet.runs.folder import open_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.progress import StopRequest, read_progress
from napari_snow_unet.unet.training import loop, start
from napari_snow_unet.widgets.train import messages

MANY = 5000  # epochs: nobody waits for them
DOCK = "Train a U-Net"


def disc_tile(seed, size=64):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for number in range(1, 6):
        center_y, center_x = rng.uniform(4, size - 4, 2)
        labels[(y - center_y) ** 2 + (x - center_x) ** 2 < 30] = number
    image = np.full((size, size, 3), (225, 190, 210), np.uint8)
    image[labels > 0] = (110, 70, 140)
    return image, labels


@pytest.fixture
def tiles(tmp_path):
    """Return a dataset of six tiles with dark discs."""
    folder = tmp_path / "discs"
    for seed in range(6):
        image, labels = disc_tile(seed)
        write_image(folder / "images" / f"d{seed}.png", image)
        write_labels(folder / "masks" / f"d{seed}.png", labels)
    return folder


def fill_in(dock, tiles, **options):
    """Fill in the form for a training that is small; return the folder that it will have."""
    small = {"epochs": 3, "batch_size": 4, "crop": 32, "base_filters": 2, "device": "cpu"}
    dock.choose(dataset=tiles, **{**small, **options})
    dock.qtbot.waitUntil(dock.bar.train_button.isEnabled)
    return dock.form.run_folder


@pytest.fixture(autouse=True)
def _no_process_is_left():
    yield
    for process in list(runs_process._started.values()):
        process._process.kill()
        process._process.wait()
        process.exit_code()


@pytest.fixture
def dock(open_dock, make_napari_viewer):
    """Open the train dock in a real napari."""
    return open_dock(DOCK, make_napari_viewer())


def test_a_training_from_the_form_to_a_model_in_the_list(dock, open_dock, tiles, qtbot, pulse):
    dock.viewer.add_image(np.zeros((9, 9)), name="discs-training prediction")
    segment = open_dock("Segment nuclei", dock.viewer)
    dock.viewer.layers.selection.active = dock.viewer.layers[0]
    folder = fill_in(dock, tiles, precision="float32", loss="bce", seed=7, learning_rate=0.02)
    asked = dock.form.options()
    epochs = []
    dock.bar.epochs.valueChanged.connect(epochs.append)
    dock.click(dock.bar.train_button)
    process = dock.follower.process
    pulse.start()
    assert str(folder) in dock.message
    dock.wait_for_epoch()
    assert str(folder) in dock.message
    assert "cores" in dock.form.device.text()
    assert "float32" in dock.form.device.text()
    dock.wait()

    # The window lived all the time, but for a moment when napari takes in new layers. It looks now
    # and then, when two epochs may be over.
    assert np.quantile(pulse.stop(), 0.99) < 0.25
    epochs = [value for value in epochs if value > 0]
    assert epochs == sorted(set(epochs))
    assert epochs[-1] == 3
    assert process.exit_code() == 0

    # What was asked for is what was done, and where it is was said.
    run = open_run(folder)
    assert run.config().options == asked == dock.form.options()
    assert Path(run.config().dataset) == tiles
    assert len(run.history()) == 3
    assert "Finished" in dock.message
    assert str(folder) in dock.message
    assert not dock.bar.train_button.isEnabled()
    assert dock.message.endswith(messages.TRAIN_AGAIN)
    assert dock.bar.preview_button.isEnabled()
    assert dock.curves.rows == run.history()
    qtbot.waitUntil(lambda: not dock.curves.pixmap().isNull())

    # The preview lies beside the layers of the user, who keeps what is selected.
    for part, side in (("image", (64, 64, 3)), ("truth", (64, 64)), ("prediction", (64, 64))):
        assert dock.part(part).data.shape == side
    assert not dock.viewer.layers["discs-training prediction"].data.any()
    assert dock.part("truth").name == "discs-training ground truth"
    assert dock.viewer.layers.selection.active is dock.viewer.layers[0]
    shown = read_image(folder / "preview" / "prediction.png").array
    np.testing.assert_array_equal(dock.part("prediction").data, shown)

    # The model is in the segment dock's list and predicts what training saw.
    assert "discs-training" in [entry.name for entry in list_models()]
    segment.widget.models.refresh()
    segment.choose(model="discs-training")
    assert segment.form.note == ""
    predict = open_model(folder / "last", precision="float32").predict
    red = dock.part("image").data[None, ..., :1] / np.float32(255)
    np.testing.assert_allclose(predict(red)[0] * 255, shown, atol=0.501)


def test_stop_keeps_everything_resume_goes_on_and_closing_napari_ends_the_process(
    dock, tiles, qtbot, notifications
):
    folder = fill_in(dock, tiles, epochs=MANY, seed=3)
    dock.click(dock.bar.train_button)
    dock.wait_for_epoch()
    process = dock.follower.process
    dock.click(dock.bar.stop_button)
    assert not dock.bar.stop_button.isEnabled()
    dock.wait()
    assert process.exit_code() == 0
    done = len(open_run(folder).history())
    assert 1 <= done == len(dock.curves.rows) < MANY
    assert "Stopped" in dock.message
    assert not dock.bar.train_button.isEnabled()  # it would overwrite this training
    assert "already" in dock.bar.train_button.toolTip()

    dock.choose(seed=4)
    dock.click(dock.bar.resume_button)
    assert dock.form.options().seed == 3, "a resumed training keeps its options"
    assert len(dock.curves.rows) == done
    dock.wait_for_epoch(done + 1)
    process = dock.follower.process
    dock.viewer.close()
    qtbot.waitUntil(lambda: process.exit_code() == 0)
    assert [row["epoch"] for row in open_run(folder).history()] == list(
        range(1, len(open_run(folder).history()) + 1)
    )
    assert read_progress(folder).state == "stopped"
    assert notifications() == []


def test_a_training_that_is_kept_is_followed_by_the_next_napari(
    open_dock, make_napari_viewer, tiles, qtbot
):
    first = open_dock(DOCK, make_napari_viewer())
    folder = fill_in(first, tiles, epochs=MANY)
    first.bar.keep = True
    first.click(first.bar.train_button)
    pid = first.follower.process.pid
    first.wait_for_epoch()
    first.viewer.close()
    kept = runs_process._started.pop(folder)  # the next napari is another program
    done = len(open_run(folder).history())
    qtbot.waitUntil(lambda: len(open_run(folder).history()) > done + 1)
    assert training_process(folder) == pid

    second = open_dock(DOCK, make_napari_viewer())
    assert second.follower.following
    assert second.follower.process is None
    assert second.bar.keep
    assert second.form.run_folder == folder
    assert second.form.options() == open_run(folder).config().options
    assert not second.bar.train_button.isEnabled()
    assert not second.bar.resume_button.isEnabled()
    second.wait_for_epoch(len(second.curves.rows) + 1)
    second.bar.keep = False
    second.viewer.close()
    qtbot.waitUntil(lambda: kept.exit_code() is not None)
    assert kept.exit_code() == 0
    assert read_progress(folder).state == "stopped"


def test_a_dataset_that_broke_since_it_was_checked_is_one_notification(dock, tiles, notifications):
    fill_in(dock, tiles)
    (tiles / "masks" / "d1.png").write_bytes(b"no image")
    (tiles / "images" / "d1.png").unlink()
    for file in list((tiles / "images").iterdir())[1:]:
        file.unlink()
    dock.click(dock.bar.train_button)
    dock.wait()
    (note,) = notifications()
    assert note.message == dock.message
    assert run_messages.ONE_PAIR.problem in note.message
    assert str(tiles) in note.message
    assert not dock.bar.stop_button.isEnabled()
    assert not dock.bar.epochs.isVisibleTo(dock.bar)
    assert dock.form.isEnabled()
    dock.qtbot.waitUntil(lambda: run_messages.ONE_PAIR.problem in dock.form.tiles.text())
    assert not dock.bar.train_button.isEnabled()
    assert dock.told_problem
    dock.choose(run_folder=tiles.parent / "another")  # where nothing has failed
    dock.qtbot.waitUntil(lambda: dock.message == messages.DATASET_UNUSABLE)
    assert not dock.told_problem


def test_stop_right_after_train_ends_a_process_that_has_not_begun(dock, tiles, notifications):
    fill_in(dock, tiles, epochs=MANY)
    dock.bar.keep = True
    dock.click(dock.bar.train_button)
    dock.click(dock.bar.stop_button)
    dock.wait()
    assert "Stopped" in dock.message
    assert notifications() == []


@pytest.mark.slow
def test_a_training_stopped_before_its_first_epoch_can_be_begun_again(dock, tiles):
    folder = fill_in(dock, tiles, epochs=MANY)
    stopped = StopRequest(None)
    stopped.ask("Ctrl-C")
    loop.train(start.begin_training(tiles, folder, dock.form.options())[0], stop=stopped)
    dock.choose(run_folder=folder.parent / "other")
    dock.choose(run_folder=folder, epochs=1)
    dock.click(dock.bar.train_button)
    dock.wait()
    assert "Finished" in dock.message
    assert open_run(folder).config().options.epochs == 1


@pytest.mark.skipif(sys.platform == "win32", reason="knows no signals")
def test_a_process_that_is_killed_is_one_notification_and_can_be_resumed(
    dock, tiles, notifications, qtbot
):
    folder = fill_in(dock, tiles, epochs=MANY)
    dock.click(dock.bar.train_button)
    qtbot.waitUntil(lambda: folder.is_dir() and training_process(folder) is not None)
    os.kill(dock.follower.process.pid, 9)
    dock.wait()
    (note,) = notifications()
    assert "signal 9" in note.message
    assert "Resume" in note.message
    assert dock.bar.resume_button.isEnabled()
    assert dock.form.isEnabled()


def test_a_dock_that_is_opened_again_has_what_was_chosen_for_napari_s_end(dock, tiles, qtbot):
    folder = fill_in(dock, tiles, epochs=MANY)
    dock.bar.keep = True
    dock.click(dock.bar.train_button)
    qtbot.waitUntil(lambda: folder.is_dir() and training_process(folder) is not None)
    dock.bar.keep = False
    dock.close()
    dock.reopen()
    dock.choose(run_folder=folder)
    qtbot.waitUntil(lambda: dock.follower.following)
    assert not dock.bar.keep
    process = dock.follower.process
    dock.viewer.close()
    qtbot.waitUntil(lambda: process.exit_code() is not None)
