"""Training in this process: what the folder holds afterwards, and how it ends early."""

import csv
import errno
import os
import re
import shutil

import numpy as np
import pytest
import tifffile

from model_folders import save_model
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.adding import NewTile, add_tile
from napari_snow_unet.data.datasets.messages import corrected
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.truth_origin import TruthOrigin
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.models import list_models, open_model
from napari_snow_unet.segmentation.pipeline import run as drain
from napari_snow_unet.segmentation.pipeline import segment
from napari_snow_unet.unet.models import store
from napari_snow_unet.unet.runs.checkpoint import TrainingState
from napari_snow_unet.unet.runs.folder import COLUMNS, open_run
from napari_snow_unet.unet.runs.lock import run_locked, training_process
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.progress import (
    ProgressWriter,
    StopRequest,
    read_progress,
    request_stop,
)
from napari_snow_unet.unet.training import fitting, loop, messages
from napari_snow_unet.unet.training import start as training_begin

SMALL = {"crop": 32, "batch_size": 4, "base_filters": 4, "levels": 2, "precision": "float32"}


def begin(discs, folder, preset="default", **more):
    return training_begin.begin_training(discs, folder, make_options(preset, **{**SMALL, **more}))[
        0
    ]


@pytest.fixture(scope="module")
def trained(discs, tmp_path_factory):
    """Return a finished training and what was heard of it."""
    run = begin(discs, tmp_path_factory.mktemp("trained") / "run", epochs=3, dropout=0.1)
    heard = []
    state = loop.train(run, listen=heard.append, listed=False)
    return run, state, heard


def test_the_folder_holds_what_was_promised(trained):
    run, state, _ = trained
    names = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*")}
    assert names >= {
        "config.json",
        "tiles.csv",
        "history.csv",
        "progress.json",
        "curves.png",
        "preview.png",
        "preview/image.png",
        "preview/truth.png",
        "preview/prediction.png",
        "log.txt",
        "best/config.json",
        "best/model.safetensors",
        "last/config.json",
        "last/model.safetensors",
        "checkpoints/000003",
    }
    assert not [name for name in names if ".writing" in name]
    assert state.epoch == 3
    assert training_process(run.folder) is None


def test_the_history_has_every_epoch_once_and_all_columns(trained):
    run, state, _ = trained
    with (run.folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        assert float(row["val_loss"]) > 0
        assert 0 <= float(row["accuracy"]) <= 1
        assert float(row["seconds"]) >= 0
    rates = [float(row["learning_rate"]) for row in rows]
    assert rates[0] > rates[1] > rates[2] == 0  # cosine
    assert state.best_score == min(row["val_loss"] for row in state.history)


def test_progress_is_heard_after_every_batch(trained):
    _, _, heard = trained
    batches = heard[-1].batches
    steps = [(p.epoch, p.batch) for p in heard if p.state in ("training", "validating")]
    assert list(dict.fromkeys(steps)) == [(e, b) for e in (1, 2, 3) for b in range(batches + 1)]
    assert heard[0].state == "starting"
    assert heard[-1].state == "finished"
    left = [p.seconds_left for p in heard if p.state == "training" and p.seconds_left is not None]
    assert left[0] > left[-1]
    assert any(p.device and p.backend and p.precision == "float32" for p in heard)


def test_the_folder_of_a_training_is_a_model(trained):
    run, _, _ = trained
    image = read_image(run.folder / "preview" / "image.png").array
    pixels = np.pad(image[None, ..., :1], ((0, 0), (0, 16), (0, 16), (0, 0))) / np.float32(255)
    by_run, by_best = (open_model(path) for path in (run.folder, run.best))
    assert by_run.name == by_best.name == "run"
    assert np.array_equal(by_run.predict(pixels), by_best.predict(pixels))
    assert by_run.channel == "red"


def test_the_stored_model_predicts_what_the_trained_network_did(discs, tmp_path):
    """Compare with the network in the memory of the training, before it is gone."""
    from napari_snow_unet.unet.training.fitting import Fitting

    pixels = np.random.default_rng(0).random((2, 64, 64, 1), np.float32)
    run = begin(discs, tmp_path / "run", epochs=2)
    config = run.config()
    fitting = Fitting(run, config, run.tiles(), "float32", workers=0, listed=False)
    try:
        fitting.begin(None)
        fitting.fit(TrainingState(), StopRequest(), ProgressWriter(run))
        trained = np.asarray(fitting.network(pixels))[..., 0]
    finally:
        fitting.close()
    stored = open_model(run.last, precision="float32")
    loaded = np.concatenate([stored.predict(plane[None]) for plane in pixels])
    assert np.ptp(trained) > 1e-3
    assert np.allclose(loaded, trained, rtol=0, atol=1e-5)


def test_what_training_previewed_is_what_the_stored_model_predicts(trained):
    run, _, _ = trained
    image = read_image(run.folder / "preview" / "image.png").array
    probability = open_model(run.last, precision="float32").predict(
        image[None, ..., :1] / np.float32(255)
    )[0]
    shown = read_image(run.folder / "preview" / "prediction.png").array
    assert np.abs(shown / 255 - probability).max() <= 0.5 / 255 + 1e-5
    truth = read_image(run.folder / "preview" / "truth.png").array
    assert set(np.unique(truth)) == {0, 255}
    together = read_image(run.folder / "preview.png").array
    assert together.shape == (48, 3 * 48 + 16, 3)


def test_a_finished_training_stays_as_it_is(trained):
    run, state, _ = trained
    before = {p: p.read_bytes() for p in (run.checkpoints / "000003").iterdir()}
    assert loop.train(open_run(run.folder), listed=False) == state
    assert {p: p.read_bytes() for p in (run.checkpoints / "000003").iterdir()} == before


def test_everything_that_is_derived_is_made_again(trained, tmp_path):
    run, _, _ = trained
    copy = open_run(shutil.copytree(run.folder, tmp_path / "copy"))
    kept = ("history.csv", "best/model.safetensors", "last/model.safetensors", "preview.png")
    before = {name: (copy.folder / name).read_bytes() for name in kept}
    for name in ("best", "last", "preview"):
        shutil.rmtree(copy.folder / name)
    for name in ("history.csv", "curves.png", "preview.png"):
        (copy.folder / name).unlink()
    loop.train(copy, listed=False)
    assert {name: (copy.folder / name).read_bytes() for name in kept} == before
    assert (copy.folder / "curves.png").is_file()


def test_it_learns(discs, tmp_path):
    run = begin(discs, tmp_path / "run", epochs=15, augment="none", levels=3, learning_rate=0.01)
    state = loop.train(run)
    assert state.history[state.best_epoch - 1]["val_dice"] > 0.8
    assert [entry.name for entry in list_models() if entry.kind == "user"] == ["run"]


def test_the_paper_runs_to_the_end(discs, tmp_path):
    run = begin(discs, tmp_path / "run", "paper", epochs=1, crop=None)
    state = loop.train(run)
    assert state.epoch == 1
    assert state.history[0]["learning_rate"] == pytest.approx(1e-3)


def test_the_paper_refuses_mixed_sizes_by_name_and_makes_no_folder(discs, tmp_path):
    folder = shutil.copytree(discs, tmp_path / "mixed")
    for place in ("images", "masks"):
        shutil.copy(folder / place / "d0.png", folder / place / "odd.png")
    from PIL import Image

    for place in ("images", "masks"):
        path = folder / place / "odd.png"
        Image.open(path).crop((0, 0, 32, 48)).save(path)
    with pytest.raises(InputError, match=r"odd\.png.*48 x 32.*48 x 48"):
        training_begin.begin_training(
            folder, tmp_path / "run", make_options("paper", validation_fraction=0.1)
        )
    assert not (tmp_path / "run").exists()
    begin(folder, tmp_path / "run")


def test_stopping_keeps_what_is_finished_and_the_rest_is_run_again(discs, tmp_path):
    run = begin(discs, tmp_path / "run", epochs=4)

    def stop_in_second(progress):
        if progress.state == "training" and progress.epoch == 2 and progress.batch == 2:
            request_stop(run.folder)

    state = loop.train(run, stop=StopRequest(run.stop_file), listen=stop_in_second)
    assert state.epoch == 1
    progress = read_progress(run.folder)
    assert (progress.state, progress.epoch, progress.batch) == ("stopped", 2, 2)
    assert not run.stop_file.exists()
    assert loop.train(run).epoch == 4
    assert [row["epoch"] for row in run.history()] == [1, 2, 3, 4]


def test_a_stop_during_validation_ends_there(discs, tmp_path):
    run = begin(discs, tmp_path / "run", epochs=2)
    stop = StopRequest()

    def listen(progress):
        if progress.state == "validating":
            stop.ask("test")

    assert loop.train(run, stop=stop, listen=listen).epoch == 0
    assert run.history() == []


def test_early_stopping_counts_on_over_a_stop(discs, tmp_path, monkeypatch):
    """A loss that never changes: the first epoch stays the best."""
    monkeypatch.setattr("napari_snow_unet.unet.training.fitting.PixelLoss", _loss_of(1.0))
    run = begin(discs, tmp_path / "run", epochs=9, patience=3)
    stop = StopRequest()
    state = loop.train(run, stop=stop, listen=lambda p: p.epoch == 3 and stop.ask("test"))
    assert (state.epoch, state.best_epoch, state.wait, state.stopped_early) == (2, 1, 1, False)
    state = loop.train(run)
    assert (state.epoch, state.best_epoch, state.wait, state.stopped_early) == (4, 1, 3, True)
    assert "early stopping" in read_progress(run.folder).message


def test_a_cosine_ends_at_the_floor_of_the_learning_rate():
    options = make_options("default", epochs=3, learning_rate=0.01, learning_rate_floor=0.2)
    made = fitting.make_optimizer(options, 100, scaled=False)
    rates = []
    for step in (30, 165, 300):  # 30 steps of warming up, then the cosine's beginning, middle, end
        made.iterations.assign(step)
        rates.append(float(made.learning_rate))
    assert rates == pytest.approx([0.01, 0.006, 0.002], rel=1e-3)


def test_more_epochs_for_a_constant_learning_rate(discs, tmp_path):
    run = begin(discs, tmp_path / "run", "paper", epochs=1)
    loop.train(run)
    training_begin.extend(run, 2)
    assert loop.train(run).epoch == 2
    cosine = begin(discs, tmp_path / "cosine", epochs=2)
    with pytest.raises(InputError, match=re.escape(messages.planned_epochs(3, 2).text())):
        training_begin.extend(cosine, 3)


def test_a_network_that_finds_nothing_is_told(discs, trained, tmp_path):
    assert messages.FINDS_NOTHING not in (trained[0].folder / "log.txt").read_text(encoding="utf-8")
    model, config = store.load_model(trained[0].best)
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel, bias - 20])
    blind = save_model(model, config, tmp_path / "blind")
    options = make_options(crop=32, epochs=1, learning_rate=1e-8, precision="float32")
    run, _ = training_begin.begin_training(discs, tmp_path / "run", options, fine_tune=blind)
    loop.train(run)
    assert messages.FINDS_NOTHING in read_progress(run.folder).message


def test_fine_tuning_begins_with_the_weights_of_the_model(discs, trained, tmp_path):
    model = trained[0].best
    options = make_options(
        crop=32, epochs=1, learning_rate=1e-8, base_filters=64, precision="float32"
    )
    run, _ = training_begin.begin_training(discs, tmp_path / "run", options, fine_tune=model)
    assert run.config().network.base_filters == 4
    loop.train(run)
    assert run.history()[0]["val_dice"] == pytest.approx(
        next(r for r in trained[1].history if r["epoch"] == trained[1].best_epoch)["val_dice"],
        abs=1e-3,
    )


def test_what_nobody_has_annotated_changes_neither_weights_nor_history(discs, tmp_path):
    """Two datasets that differ only where the region says nobody has looked."""
    region = np.zeros((48, 48), np.int32)
    region[:, :30] = 1
    results = []
    for name, elsewhere in (("a", 0), ("b", 7)):
        folder = shutil.copytree(discs, tmp_path / name)
        for path in sorted((folder / "masks").iterdir()):
            labels = read_labels(path)
            labels[:, 30:] = elsewhere
            write_labels(path, labels, overwrite=True)
            write_labels(folder / "regions" / path.name, region)
        run = begin(folder, tmp_path / f"run-{name}", epochs=1, augment="none")
        results.append(loop.train(run, listed=False).history[0])
    for key, value in results[0].items():
        if key != "seconds":
            assert results[1][key] == pytest.approx(value, abs=1e-4), key


def test_corrected_predictions_train_and_the_record_and_the_model_count_them(discs, tmp_path):
    origin = TruthOrigin("prediction", "net", "0123456789abcdef")
    for number in range(3):
        image = read_image(discs / "images" / f"d{number}.png")
        labels = read_labels(discs / "masks" / f"d{number}.png")
        region = np.ones(labels.shape, bool)
        region[:, 30:] = False
        tile = NewTile(f"d{number}", image, labels, region, origin if number else TruthOrigin())
        add_tile(tmp_path / "mine", tile)
    run = begin(tmp_path / "mine", tmp_path / "run", epochs=1)
    state = loop.train(run, listed=False)
    assert len(state.history) == 1
    counted = corrected(2, 3, ("net (01234567)",))
    config = run.config()
    assert config.corrected == {"net (01234567)": 2}
    assert counted in config.network.trained_on
    assert counted in (run.folder / "log.txt").read_text(encoding="utf-8")


def test_a_loss_that_becomes_nan_is_told_and_the_last_good_epoch_stays(discs, tmp_path):
    run = begin(discs, tmp_path / "run", "paper", epochs=3)
    stop = StopRequest()
    loop.train(run, stop=stop, listen=lambda p: p.epoch == 2 and stop.ask("test"))
    good = (run.last / "model.safetensors").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_snow_unet.unet.training.fitting.PixelLoss", _loss_of(float("nan")))
        with pytest.raises(InputError, match=r"\(epoch 2, batch 1"):
            loop.train(run)
    assert (run.last / "model.safetensors").read_bytes() == good
    assert read_progress(run.folder).state == "failed"
    assert "epoch 2, batch 1" in (run.folder / "log.txt").read_text()
    assert loop.train(run).epoch == 3


def _loss_of(value):
    import keras

    class Constant(keras.losses.Loss):
        def __init__(self, with_dice):
            super().__init__()

        def call(self, y_true, y_pred):
            return keras.ops.mean(y_pred) * 0 + value

    return Constant


@pytest.mark.parametrize("place", ["checkpoint", "history"])
def test_a_full_disk_is_told_and_the_training_goes_on_when_there_is_room(
    discs, tmp_path, monkeypatch, place
):
    run = begin(discs, tmp_path / "run", epochs=2)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")

    with monkeypatch.context() as patch:
        if place == "checkpoint":
            patch.setattr("napari_snow_unet.unet.runs.checkpoint._sync", full)
        else:
            patch.setattr("napari_snow_unet.unet.runs.folder.RunDirectory.write_history", full)
        with pytest.raises(InputError, match=r"disk is full.*resume the training"):
            loop.train(run)
    assert read_progress(run.folder).state == "failed"
    assert loop.train(run).epoch == 2
    assert [row["epoch"] for row in run.history()] == [1, 2]


def test_a_tile_that_vanishes_is_named(discs, tmp_path):
    folder = shutil.copytree(discs, tmp_path / "data")
    run = begin(folder, tmp_path / "run", epochs=2)
    name = run.tiles().train[0].image

    def listen(progress):
        if progress.state == "starting" and progress.device:
            name.unlink(missing_ok=True)

    with pytest.raises(InputError, match=name.name):
        loop.train(run, listen=listen)


def test_two_at_once_is_one_too_many(discs, tmp_path):
    run = begin(discs, tmp_path / "run", epochs=1)
    with run_locked(run.folder), pytest.raises(InputError, match=rf"process {os.getpid()} "):
        loop.train(run)
    assert loop.train(run).epoch == 1


def test_a_model_keeps_which_value_was_white(discs, tmp_path):
    """Of 12 bits, one tile of which is dark; a dark file is then read as that tile was."""
    data = tmp_path / "deep"
    for path in sorted((discs / "images").iterdir()):
        image = read_image(path).array.astype(np.uint16) * 16
        image = image // 8 if path.stem == "d0" else image
        (data / "images").mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(data / "images" / f"{path.stem}.tif", image)
    shutil.copytree(discs / "masks", data / "masks")
    run = begin(data, tmp_path / "run", epochs=1)
    assert run.config().network.white == {"uint16": 4095}
    loop.train(run, listed=False)
    model = open_model(run.best)
    assert model.white == {"uint16": 4095}
    dark = read_image(data / "images" / "d0.tif").array
    result = drain(segment(dark, model))
    assert result.provenance["white"] == 4095
    assert any("as in the images that the model was trained on" in m for m in result.messages)


def test_a_model_of_a_prepared_dataset_knows_what_was_white_before(discs, tmp_path):
    data = tmp_path / "deep"
    (data / "images").mkdir(parents=True)
    for path in sorted((discs / "images").iterdir()):
        tifffile.imwrite(
            data / "images" / f"{path.stem}.tif", read_image(path).array.astype(np.uint16) * 16
        )
    shutil.copytree(discs / "masks", data / "masks")
    prepared = drain(prepare([data], tmp_path / "prepared"))
    run = begin(prepared.folder, tmp_path / "run", epochs=1)
    assert run.config().network.white == {"uint16": 4095}
