"""The command train as a person types it."""

import csv
import shutil
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.cli import app, messages
from napari_snow_unet.crossvalidation import begin_folds, cross_validate
from napari_snow_unet.data.datasets.manifest import Tile, write_manifest
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.models import list_models
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs import stopping
from napari_snow_unet.unet.runs.folder import open_run
from napari_snow_unet.unet.runs.lock import run_locked, training_process
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.progress import StopRequest, read_progress

SMALL = ["--crop", 32, "--batch-size", 4, "--base-filters", 2, "--precision", "float32"]


def shell(*words, code=0):
    result = CliRunner().invoke(app, ["train", *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(autouse=True)
def _a_batch_may_take_long(monkeypatch):
    """These trainings run in the process of the tests, which must not end with one of them."""
    monkeypatch.setattr(stopping, "GRACE", 600.0)


@pytest.fixture
def tiles(tmp_path):
    folder = tmp_path / "tiles"
    rng = np.random.default_rng(0)
    rows = []
    for i in range(6):
        labels = np.zeros((32, 32), np.int32)
        for label, (y, x) in enumerate(rng.integers(0, 24, (3, 2)), 1):
            labels[y : y + 8, x : x + 8] = label
        image = np.where(labels[..., None] > 0, (110, 70, 140), (225, 190, 210)).astype(np.uint8)
        files = f"images/{i:06d}.png", f"masks/{i:06d}.png"
        write_image(folder / files[0], image)
        write_labels(folder / files[1], labels)
        rows.append(
            Tile(i, *files, f"n{i}", "", "", 32, 32, 3, 0.2, "train" if i else "val", i % 2)
        )
    write_manifest(folder, rows)
    return folder


def test_from_tiles_to_a_listed_model_and_on(tiles, tmp_path):
    run = tmp_path / "my run"
    text = shell(tiles, "-o", run, "--preset", "paper", *SMALL, "--epochs", 1, "--seed", 5)
    assert run_messages.subsets_of_manifest(5, 1, None) in text
    assert run_messages.few_groups(1) in text
    assert "Epoch 1 of 1" in text
    assert f"segment --model {run}" in text
    options = open_run(run).config().options
    assert (options.preset, options.crop, options.seed, options.loss) == ("paper", 32, 5, "bce")
    assert "my-run" in [entry.name for entry in list_models()]
    text = shell("--resume", run, "--epochs", 2)
    assert "after epoch 1" in text
    assert len(open_run(run).history()) == 2
    shell(tiles, "-o", tmp_path / "fine", "--fine-tune", "my-run", "--crop", 32, "--epochs", 1)
    assert open_run(tmp_path / "fine").config().network.base_filters == 2


def test_stop_after(tiles, tmp_path):
    text = shell(tiles, "-o", tmp_path / "run", *SMALL, "--stop-after", 0)
    assert "0 of 50" in text
    assert "--resume" in text
    assert not open_run(tmp_path / "run").stop_file.exists()


def test_a_stop_file_of_an_earlier_training_does_not_stop_this_one(tiles, tmp_path):
    run = tmp_path / "run"
    shell(tiles, "-o", run, *SMALL, "--epochs", 1, "--stop-after", 0)
    (run / "STOP").touch()
    assert "Finished" in shell("--resume", run)


def test_all_folds_are_trained_and_scored(tiles, tmp_path):
    run = tmp_path / "folds"
    text = shell(tiles, "-o", run, *SMALL, "--epochs", 1, "--fold", "all", "--parallel", 2)
    assert text.count("Finished 1 epoch") == 4  # in its process, and before it is scored
    for line in text.splitlines():
        assert line.startswith(("Fold 0: ", "Fold 1: ", "fold", "0 ", "1 ", "all")), line
    with (run / "folds.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["fold"] for row in rows] == ["0", "1", "all"]
    assert [row["tiles"] for row in rows] == ["3", "3", "6"]
    with (run / "tiles.csv").open() as file:
        scored = list(csv.DictReader(file))
    assert [row["tile"] for row in scored] == ["n0", "n2", "n4", "n1", "n3", "n5"]
    mean = np.mean([float(row["dice"] or 0) for row in scored if row["fold"] == "1"])
    assert float(rows[1]["dice"] or 0) == pytest.approx(mean, abs=1e-5)
    counts = ("true_positive", "false_positive", "false_negative", "true_negative")
    assert all(sum(int(row[count]) for count in counts) == 32 * 32 for row in scored)
    validation = open_run(run / "fold-1").tiles().validation
    assert [tile.image.name for tile in validation] == ["000001.png", "000003.png", "000005.png"]
    before = (run / "folds.csv").read_bytes()
    shutil.rmtree(run / "fold-1")
    text = shell("--resume", run, "--parallel", 1)
    assert text.index("Fold 0: scoring") < text.index("Fold 1: Started")
    assert (run / "folds.csv").read_bytes().splitlines()[:2] == before.splitlines()[:2]
    assert not [entry for entry in list_models() if entry.kind == "user"]
    assert "--epochs" in shell("--resume", run, "--epochs", 9, code=2)


@pytest.mark.slow
def test_all_folds_are_stopped_and_go_on(tiles, tmp_path):
    begin_folds(
        tiles, tmp_path / "run", make_options("default", epochs=300, crop=32, base_filters=2)
    )
    stop = StopRequest()

    def echo(line):
        if line.startswith("Fold 1: Epoch 2"):
            stop.ask("it is enough")

    assert cross_validate(tmp_path / "run", stop=stop, echo=echo, at_once=2) == []
    for fold in (0, 1):
        run = open_run(tmp_path / "run" / f"fold-{fold}")
        assert read_progress(run.folder).state == "stopped"
        assert training_process(run.folder) is None
        assert len(run.history()) < 300


def test_a_fold_that_fails_is_named_and_the_others_end(tiles, tmp_path):
    run = tmp_path / "run"
    begin_folds(tiles, run, make_options("default", epochs=300, crop=32, base_filters=2))
    cross_validate(run, stop=StopRequest(seconds=0), at_once=2)
    with (
        run_locked(run / "fold-0"),
        pytest.raises(InputError, match=r"fold 0 .*already uses"),
    ):
        cross_validate(run, at_once=2)
    while training_process(run / "fold-1") is not None:  # it has been asked to end
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "DATASET"),
        (["{tiles}", "-o", "{out}", "--parallel", 2], messages.PARALLEL_NEEDS_FOLDS),
        (["{tiles}"], "DATASET"),
        (["-o", "{out}"], "DATASET"),
        (["{tiles}", "-o", "{out}", "--epochs", 0], "1 to 100,000"),
        (["{tiles}", "-o", "{out}", "--crop", 100], "multiple of 16"),
        (["{tiles}", "-o", "{out}", "--fold", "first"], messages.FOLD_OR_ALL),
        (["{tiles}", "-o", "{out}", "--loss", "mse"], "bce"),
        (["--resume", "{out}", "--seed", 3], messages.kept_when_resumed(("seed",))),
        (["{tiles}", "--resume", "{out}"], messages.kept_when_resumed(("dataset",))),
    ],
)
def test_wrong_usage_is_told_and_leaves_no_folder(tiles, tmp_path, words, text):
    out = tmp_path / "out"
    printed = shell(*(str(word).format(tiles=tiles, out=out) for word in words), code=2)
    assert text in " ".join(printed.replace("│", " ").split())
    assert not out.exists()


def test_whole_tiles_on_request(tiles, tmp_path):
    shell(tiles, "-o", tmp_path / "run", "--crop", 0, "--stop-after", 0, "--base-filters", 2)
    assert open_run(tmp_path / "run").config().options.crop is None
