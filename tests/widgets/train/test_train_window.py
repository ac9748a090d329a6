"""The train dock without a training: its window, its form, its curves, its preview, its text."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_snow_unet.base.options import declared
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.models import find_model
from napari_snow_unet.unet.models.folder import user_folder
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs.folder import COLUMNS
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.options import TrainingOptions, make_options
from napari_snow_unet.unet.runs.process import arguments_to_train, last_error
from napari_snow_unet.widgets.train import device, messages
from napari_snow_unet.widgets.train.at_exit import ExitWatch
from napari_snow_unet.widgets.train.curves import TRAINING, VALIDATION, Look, curves_figure
from napari_snow_unet.widgets.train.last_run import remember
from napari_snow_unet.widgets.train.preview import PreviewLayers
from napari_snow_unet.widgets.train.state import TrainState

DOCK = "Train a U-Net"
NO_GPU = messages.device("cpu", "this one", "", "There is none.")


def history(epochs):
    rng = np.random.default_rng(0)
    rows = [dict(zip(COLUMNS, rng.random(len(COLUMNS)), strict=True)) for _ in range(epochs)]
    return [{**row, "epoch": number} for number, row in enumerate(rows, start=1)]


@pytest.fixture
def tiles(tmp_path):
    """Return a dataset of three blank tiles."""
    for number in range(3):
        write_image(tmp_path / f"tiles/images/t{number}.png", np.full((32, 32, 3), 200, np.uint8))
        write_labels(tmp_path / f"tiles/masks/t{number}.png", np.eye(32, dtype=np.int32))
    return tmp_path / "tiles"


@pytest.fixture
def no_question(monkeypatch):
    """Know the device already, so that no process has to be asked."""
    monkeypatch.setattr(device, "_cached", {("auto", "auto"): device.Answer(NO_GPU)})


@pytest.fixture
def shown(open_dock, make_napari_viewer, qtbot, no_question):
    """Open the dock in a napari whose window is on the screen."""
    opened = open_dock(DOCK, make_napari_viewer(show=True))
    qtbot.settled(opened.widget)
    return opened


def test_the_dock_fits_a_small_screen_scrolls_and_survives_undocking(shown, qtbot):
    frame, form = shown.frame, shown.form
    form.advanced.expand(animate=False)
    shown.follower.rows = history(3)
    shown.choose(epochs=77)
    shown.bar.show_state(TrainState(folder=Path("/a/folder"), running=True))
    qtbot.small_enough(frame)
    frame.setFloating(True)
    frame.resize(frame.minimumSizeHint())
    qtbot.settled(frame)
    scroll = shown.scroll()
    assert scroll.verticalScrollBar().maximum() > 0
    for part in (shown.bar.train_button, shown.bar.stop_button, shown.curves):
        assert part.isVisible()
        assert frame.rect().contains(part.mapTo(frame, part.rect().bottomRight()))
    frame.setFloating(False)
    qtbot.settled(frame)
    assert shown.chosen("epochs") == 77
    assert shown.curves.isVisible()
    for field in form.findChildren(QWidget):
        if field.isVisible() and not field.isWindow():
            right = field.mapTo(form, field.rect().topRight()).x()
            assert right <= scroll.viewport().width(), field


def test_the_device_and_what_becomes_of_a_training_are_told(shown):
    assert shown.form.device.text() == NO_GPU
    assert shown.bar.at_exit.toolTip()


def test_the_device_is_asked_for_in_a_process_of_its_own(qtbot, monkeypatch):
    monkeypatch.setattr(device, "_cached", {})
    parent, answers = QObject(), []
    question = device.DeviceQuestion(parent, lambda: answers.append(question.answer.text))
    question.ask("auto", "cpu")
    qtbot.waitUntil(lambda: any("cores" in text for text in answers), timeout=120_000)
    question.forget()


def test_a_dataset_is_checked_before_anything_starts(shown, tiles, qtbot, notifications):
    form, train = shown.form, shown.bar.train_button
    assert "dataset" in shown.message
    shown.choose(dataset=tiles.parent / "nothing", run_folder=tiles.parent / "run")
    qtbot.waitUntil(lambda: "nothing" in form.tiles.text())
    assert not train.isEnabled()
    shown.choose(dataset=tiles)
    qtbot.waitUntil(lambda: "2 training tiles" in form.tiles.text())
    assert run_messages.few_groups(1) in form.tiles.text()
    assert train.isEnabled()
    write_image(tiles / "images/t3.png", np.full((48, 32, 3), 200, np.uint8))
    write_labels(tiles / "masks/t3.png", np.zeros((48, 32), np.int32))
    shown.choose(preset="paper")  # refuses tiles of several sizes
    qtbot.waitUntil(lambda: "48" in form.tiles.text())
    assert not train.isEnabled()
    shown.choose(crop=24)
    assert "16" in train.toolTip()
    assert not train.isEnabled()
    assert notifications() == []


def test_what_a_field_leaves_open_is_a_word_that_can_be_typed_over(shown):
    fold, left_open = shown.field("fold").native, declared(TrainingOptions)["fold"].option.none
    assert shown.form.options().fold is None
    shown.choose(crop=0)
    for name in ("fold", "crop"):
        assert shown.text_of(name) == declared(TrainingOptions)[name].option.none
    assert re.search("[a-z]", shown.text_of("patience"))  # no number
    fold.lineEdit().end(False)
    QTest.keyClicks(fold, "2")
    assert (fold.text(), shown.form.options().fold) == ("2", 2)
    shown.choose(fold=-1)
    assert fold.text() == left_open


def test_a_preset_fills_the_form_and_the_command_says_the_rest(shown, tmp_path):
    form = shown.form
    for preset in ("paper", "default"):
        shown.choose(preset=preset)
        assert form.options() == make_options(preset)
        assert arguments_to_train(tmp_path, tmp_path / "run", form.options()) == [
            "train", str(tmp_path), "--out", str(tmp_path / "run"), "--preset", preset,
        ]  # fmt: skip
    shown.choose(crop=0, fold=2, loss="bce")
    words = arguments_to_train(tmp_path, tmp_path, form.options(), fine_tune="model")
    assert words[6:] == ["--loss", "bce", "--crop", "0", "--fold", "2", "--fine-tune", "model"]


def test_a_model_to_begin_with_brings_its_architecture(shown):
    model = next(value for value in shown.field("fine_tune").choices if value)
    shown.choose(base_filters=3, fine_tune=model)
    config = json.loads(Path(model, "config.json").read_text(encoding="utf-8"))
    assert shown.chosen("base_filters") == config["base_filters"] != 3
    assert shown.chosen("channel") == config["channel"]
    assert not shown.field("base_filters").enabled
    shown.choose(fine_tune="")
    assert shown.field("base_filters").enabled


def test_a_model_that_broke_since_it_was_listed_holds_train_back(shown, tiles, qtbot):
    form, button, mine = shown.form, shown.bar.train_button, user_folder() / "mine"
    bundled = next(value for value in shown.field("fine_tune").choices if value)
    shutil.copytree(bundled, mine)
    form.list_models()
    (mine / "config.json").write_text("{", encoding="utf-8")
    shown.choose(dataset=tiles, run_folder=tiles.parent / "run")
    qtbot.waitUntil(button.isEnabled)
    shown.choose(fine_tune=str(mine))
    assert not button.isEnabled()
    assert "config.json" in shown.message
    assert form.device.text() == NO_GPU
    shown.choose(fine_tune="")
    assert button.isEnabled()
    assert shown.message == ""


def test_a_run_is_shown_with_the_model_it_started_from_even_if_that_is_gone(
    open_dock, no_question, tiles, tmp_path
):
    from napari_snow_unet.unet.training.start import begin_training

    own, run = tmp_path / "own", tmp_path / "run"
    shutil.copytree(find_model("default"), own)
    begin_training(tiles, run, make_options(epochs=2), fine_tune=own)
    remember(run)
    shown = open_dock(DOCK)
    assert shown.chosen("run_folder") == run
    assert shown.chosen("fine_tune") == str(own)
    assert not shown.field("base_filters").enabled
    assert shown.bar.resume_button.isEnabled()

    shutil.rmtree(own)
    shown.form.list_models()
    shown.choose(run_folder=tmp_path / "other")
    assert shown.chosen("fine_tune") == str(own)
    assert shown.message.startswith(messages.MODEL_GONE.problem)
    assert str(own) in shown.message
    assert not shown.bar.train_button.isEnabled()
    shown.choose(fine_tune="")
    assert str(own) not in shown.message
    assert shown.field("base_filters").enabled


def test_the_curves_show_all_six_quantities_of_both_parts():
    rows = history(4)
    rows[2]["auc"] = None  # undefined: a batch without nuclei
    look = Look(400, 260, 1.0, "#222222", "#eeeeee", "#444444")
    figure = curves_figure(rows, look)
    drawn, (legend,) = figure.axes, figure.legends
    names = ["accuracy", "auc", "precision", "recall", "loss", "dice"]
    assert [axes.get_title().lower() for axes in drawn] == names
    for axes, name in zip(drawn, names, strict=True):
        for line, column, color in zip(
            axes.lines, (name, f"val_{name}"), (TRAINING, VALIDATION), strict=True
        ):
            values = [np.nan if row[column] is None else row[column] for row in rows]
            np.testing.assert_array_equal(line.get_ydata(), values)
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
            assert line.get_color() == color
    assert [text.get_text() for text in legend.texts] == ["training", "validation"]


def test_the_curves_follow_the_theme(shown, qtbot):
    curves = shown.curves
    curves.show_rows(history(2))
    corners = []
    for theme in ("dark", "light"):
        shown.viewer.theme = theme
        before = curves.pixmap().cacheKey()
        qtbot.waitUntil(lambda: curves.pixmap().cacheKey() != before)  # noqa: B023
        corners.append(curves.pixmap().toImage().pixelColor(0, 0).lightness())
    assert corners[0] < 60 < 200 < corners[1]


def write_preview(folder, shade):
    for part in ("image", "truth", "prediction"):
        pixels = np.full((8, 10, 3) if part == "image" else (8, 10), shade, np.uint8)
        write_image(folder / "preview" / f"{part}.png", pixels, overwrite=True)


def test_a_preview_is_brought_up_to_date_beside_what_the_user_has(make_napari_viewer, tmp_path):
    viewer, folder = make_napari_viewer(), tmp_path / "run"
    mine = viewer.add_labels(
        np.ones((20, 30), np.uint8), name="run truth", scale=(2, 2), units="um"
    )
    preview = PreviewLayers(viewer)
    write_preview(folder, 10)
    preview.show(folder)
    image, truth, prediction = viewer.layers[1:]
    edges = [layer.extent.world[:, -1] for layer in (mine, image, truth, prediction)]
    assert all(one[1] < other[0] for one, other in pairwise(edges))
    assert viewer.layers.selection.active is mine
    assert image.units == mine.units  # of different ones napari would use none

    prediction.data = np.full((8, 10), 99, np.uint8)  # somebody works on it
    viewer.layers.remove(truth)
    write_preview(folder, 20)
    preview.show(folder)
    assert list(viewer.layers) == [mine, image, prediction]
    assert (image.data == 20).all()
    assert (prediction.data == 99).all()
    assert (mine.data == 1).all()

    write_preview(folder, 30)
    PreviewLayers(viewer).show(folder)  # of a dock that was closed and opened
    assert (image.data == 30).all()
    assert (prediction.data == 99).all()
    assert len(viewer.layers) == 4  # the new dock does not know what was removed

    (folder / "preview" / "image.png").write_bytes(b"torn")
    preview.show(folder)
    assert (image.data == 30).all()


def test_a_click_goes_to_the_preview_wherever_it_lies(shown, qtbot, tmp_path):
    viewer = shown.viewer
    viewer.add_image(np.ones((2000, 3000)), name="mine")
    folder = tmp_path / "run"
    shown.choose(run_folder=folder)
    assert not shown.bar.preview_button.isEnabled()
    write_preview(folder, 10)
    shown.widget.update_state()
    for _ in range(2):
        shown.click(shown.bar.preview_button)
        image, _, prediction = list(viewer.layers)[1:]
        middle = np.mean([layer.extent.world.mean(0) for layer in (image, prediction)], axis=0)
        np.testing.assert_allclose(viewer.scene.camera.center[-2:], middle, atol=1)
        close = viewer.scene.camera.zoom
        viewer.reset_view()
        assert close > 50 * viewer.scene.camera.zoom, "it is as large as fits"
        viewer.layers.remove(prediction)  # comes back with the next click


OPEN_THE_DOCK = """
import json, sys
import napari
viewer = napari.Viewer(show=False)
before = set(sys.modules)
viewer.window.add_plugin_dock_widget("napari-snow-unet", "Train a U-Net")
heavy = {"tensorflow", "keras", "torch", "jax", "cv2", "matplotlib"}
loaded = sorted(heavy & (set(sys.modules) - before))
viewer.close()
print(json.dumps(loaded))
"""


def test_opening_the_dock_loads_no_network_library_and_nothing_that_draws():
    command = [sys.executable, "-c", OPEN_THE_DOCK]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == []


PROGRAM_THAT_DIES = """
import sys
from pathlib import Path
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.process import TrainingProcess, arguments_to_train
tiles, run = map(Path, sys.argv[1:])
options = make_options(epochs=5000, batch_size=2, crop=32, base_filters=2)
process = TrainingProcess(arguments_to_train(tiles, run, options), run, keep=False, device="cpu")
print(process.pid, flush=True)
sys.stdin.read()
"""


def test_the_process_ends_with_a_program_that_is_killed(tiles, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-c", PROGRAM_THAT_DIES, str(tiles), str(run)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as program:
        pid = int(program.stdout.readline())
        while not (run.is_dir() and training_process(run)):
            assert program.poll() is None
            time.sleep(0.05)
        assert training_process(run) == pid
        program.kill()
    while training_process(run) is not None:  # it would train for hours
        time.sleep(0.05)
    assert "has ended" in (run / "log.txt").read_text()


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ("warning\nError: no tiles; make some.\n", "no tiles; make some."),
        ("Error: one\nError: two\nlines\n", "two lines"),
        ("Traceback (most recent call last):\n  x\nValueError: odd\n", "ValueError: odd"),
        ("Usage: x\n╭─ Error ───╮\n│ Invalid value. │\n╰─────────╯\n", "Invalid value."),
        ("", ""),
    ],
)
def test_the_last_error_is_found_in_what_a_command_prints(printed, message):
    assert last_error(printed) == message


OPEN_AND_CLOSE = """
import gc
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer()
for _ in range(8):
    viewer.window.add_plugin_dock_widget("napari-snow-unet", "Train a U-Net")
    QApplication.processEvents()
    viewer.window.remove_dock_widget("all")
    gc.collect()
    QApplication.processEvents()
viewer.close()
print("well")
"""


def test_the_dock_may_be_closed_while_it_asks_for_the_device():
    command = [sys.executable, "-c", OPEN_AND_CLOSE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["well"]


THE_PROGRAM_ENDS_AFTER_THE_DOCK = """
import gc
from pathlib import Path
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QWidget
from napari_snow_unet.widgets.train.at_exit import ExitWatch

class Process:
    keep = True
    def exit_code(self):
        return None
    def end(self):
        print("ended")

application, run = QApplication([]), Path("a run").resolve()
for keep, closed in ((True, True), (False, False), (False, True)):
    dock = QWidget()
    end = ExitWatch(dock)
    print(end.chosen(run, "as usual"))
    end.follow(run, Process(), keep=True)
    end.choose(keep)
    if closed:
        end.dock_closed()
    del dock, end
    gc.collect()
    print("gone")
QTimer.singleShot(100, application.quit)
application.exec()
"""


def test_what_was_chosen_for_napari_s_end_outlives_the_dock():
    command = [sys.executable, "-c", THE_PROGRAM_ENDS_AFTER_THE_DOCK]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        *("as usual", "gone"),
        *("True", "ended", "gone"),  # with its window
        *("as usual", "gone", "ended"),
    ]


def test_a_training_that_has_a_folder_and_does_not_train_yet_is_ended_too(tiles, tmp_path, qapp):
    from napari_snow_unet.unet.training.start import begin_training

    class Process:
        keep, ended = True, False

        def exit_code(self):
            return None

        def end(self):
            self.ended = True

    run, dock, process = tmp_path / "run", QWidget(), Process()
    begin_training(tiles, run, make_options(epochs=2))
    end = ExitWatch(dock)
    end.follow(run, process, keep=True)
    end.choose(False)
    dock.deleteLater()
    QApplication.sendPostedEvents(dock, QEvent.Type.DeferredDelete)
    assert process.ended


def shown_again(shown):
    shown.frame.hide()
    shown.frame.show()


def window_active(shown):
    QApplication.sendEvent(shown.widget.window(), QEvent(QEvent.Type.WindowActivate))


def same_folder_chosen(shown):
    field = shown.field("dataset")
    field._show_file_dialog = lambda *args, **kwargs: field.value
    field.choose_btn.native.click()


@pytest.mark.parametrize("back", [shown_again, window_active, same_folder_chosen])
def test_folders_that_were_mended_elsewhere_are_looked_at_again(shown, tiles, qtbot, back):
    button, run = shown.bar.train_button, tiles.parent / "run"
    (tiles / "masks").rename(tiles / "not yet")
    shown.choose(dataset=tiles, run_folder=run)
    qtbot.waitUntil(lambda: button.toolTip() == messages.DATASET_UNUSABLE)
    (tiles / "not yet").rename(tiles / "masks")
    back(shown)
    qtbot.waitUntil(button.isEnabled)
    run.mkdir()
    (run / "notes.txt").write_text("mine")
    shown.widget.update_state()
    assert not button.isEnabled()
    (run / "notes.txt").unlink()
    back(shown)
    qtbot.waitUntil(button.isEnabled)
