import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from napari_snow_unet.cli import app
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
from napari_snow_unet.models import open_model
from napari_snow_unet.paper import messages
from napari_snow_unet.paper.experiment import begin_experiment
from napari_snow_unet.paper.figures import NAMES, best_median_worst
from napari_snow_unet.paper.table import PAPER, rows_of_table
from napari_snow_unet.unet.runs.folder import open_run

TILES, SIZE, EPOCHS = 60, 64, 21


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Generated tiles in the layout of SNOW's archives, junk included."""
    folder = tmp_path_factory.mktemp("release")
    image, mask = folder / "SNOW_Image.zip", folder / "mask_0_5000.zip"
    with zipfile.ZipFile(image, "w") as images, zipfile.ZipFile(mask, "w") as masks:
        for number in range(TILES):
            tile, seed = generate_tile(number, size=SIZE), f"seed{number:04d}"
            write_hovernet_mat(folder / "mask.mat", tile.labels, overwrite=True)
            images.writestr(f"SNOW_Image/{seed}.png", encode(tile.image))
            masks.write(folder / "mask.mat", f"mask_0_5000/mat/{seed}.mat")
            masks.writestr(f"mask_0_5000/overlay/{seed}.png", encode(tile.image))
        images.writestr("__MACOSX/SNOW_Image/._seed0000.png", b"junk")
    return [image, mask]


@pytest.fixture(scope="module")
def done(archives, tmp_path_factory):
    """The folder of a finished experiment, and what the shell said."""
    folder = tmp_path_factory.mktemp("experiment") / "out"
    return folder, invoke(archives, folder)


def command(archives, folder, *more):
    return ["reproduce", *map(str, archives), "-o", str(folder), "--epochs", str(EPOCHS), *more]


def invoke(archives, folder, *more):
    result = CliRunner().invoke(app, command(archives, folder, *more))
    assert result.exit_code == 0, result.output
    return result.output


def table_of(folder):
    with (folder / "table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_step_of_the_paper_is_done_in_one_command(done):
    folder, output = done
    tiles = read_manifest(folder / "dataset")
    parts = [tile.split for tile in tiles]
    assert len(tiles) == TILES
    assert (parts.count("train"), parts.count("val"), parts.count("test")) == (43, 5, 12)
    masks = {
        value for tile in tiles for value in np.unique(Image.open(folder / "dataset" / tile.mask))
    }
    assert masks == {0, 255}

    run = open_run(folder / "training")
    assert run.config().options.preset == "paper"
    assert [row["epoch"] for row in run.history()] == list(range(1, EPOCHS + 1))

    stems = {f"{tile.index:06d}" for tile in tiles if tile.split == "test"}
    methods = {"best-of-21", "last-of-21", "best-of-20", "classical"}
    assert {path.name for path in (folder / "predictions").iterdir()} == methods
    for method in methods:
        files = {path.name for path in (folder / "predictions" / method).glob("*.png")}
        assert files == {f"{stem}{end}.png" for stem in stems for end in ("", "_probability")}
    assert "best of 21" in output


def test_all_figures_are_there_as_print_and_as_drawing(done):
    folder = done[0] / "figures"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")
    }
    for name in NAMES:
        with Image.open(folder / f"{name}.png") as picture:
            assert round(picture.info["dpi"][0]) == 300
            assert np.asarray(picture.convert("L")).std() > 1  # something is drawn
        assert (folder / f"{name}.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_the_table_has_the_papers_numbers_and_those_of_the_masks(done):
    folder = done[0]
    rows = table_of(folder)
    assert rows[0]["method"] == "the paper"
    assert {name: float(rows[0][name]) for name in PAPER} == PAPER
    assert rows[0]["dice"] == ""  # the paper gives none
    kinds = {(row["method"], row["threshold"], row["over"]) for row in rows[1:]}
    network = ["U-Net, best of 21", "U-Net, last of 21", "U-Net, best of 20"]
    both = ("all pixels", "mean of tiles")
    assert kinds == {
        *((name, level, over) for name in network for level in ("Otsu", "0.5") for over in both),
        *(("classical", "Otsu", over) for over in both),
    }

    tiles = [tile for tile in read_manifest(folder / "dataset") if tile.split == "test"]
    for method, title in (("best-of-21", network[0]), ("classical", "classical")):
        truth = [np.asarray(Image.open(folder / "dataset" / tile.mask)) for tile in tiles]
        found = [
            np.asarray(Image.open(folder / "predictions" / method / f"{tile.index:06d}.png"))
            for tile in tiles
        ]
        expected = pixel_scores(count_pixels(np.stack(found), np.stack(truth)))
        row = next(
            row
            for row in rows
            if (row["method"], row["threshold"], row["over"]) == (title, "Otsu", "all pixels")
        )
        for name in ("accuracy", "precision", "recall", "dice"):
            assert row[name] == f"{100 * expected[name]:.2f}", name


def test_the_early_network_is_the_best_of_its_epochs(done):
    folder = done[0]
    history = open_run(folder / "training").history()
    early = open_model(folder / "models" / "best-of-20")
    best = open_run(folder / "training").best
    best_epoch = min(history, key=lambda row: row["val_loss"])["epoch"]
    same = early.checksum == open_model(best).checksum
    assert same == (best_epoch <= 20)
    times = {row["epochs"]: float(row["training_seconds"] or 0) for row in table_of(folder)}
    assert 0 < times["20"] <= times["21"]


def test_the_paragraph_states_what_was_done(done):
    text = (done[0] / "methods.md").read_text(encoding="utf-8")
    row = table_of(done[0])[1]
    for fact in ("43 for training", "5 for validation", "12 for testing", "1,940,817 parameters"):
        assert fact in " ".join(text.split())
    assert f"accuracy {row['accuracy']} %" in " ".join(text.split())
    assert "98.40 %" in text


def test_a_finished_experiment_is_not_computed_again(done, archives):
    folder = done[0]
    kept = [
        path
        for place in ("dataset", "predictions", "models", "training/best")
        for path in (folder / place).rglob("*")
        if path.is_file() and path.name != "summary.csv"
    ]
    before = {path: path.stat().st_mtime_ns for path in kept}
    table = (folder / "table.csv").read_bytes()
    invoke(archives, folder)
    changed = {path.name for path in kept if path.stat().st_mtime_ns != before[path]}
    assert changed <= {"manifest.csv", "dataset.json", "problems.csv"}
    assert (folder / "table.csv").read_bytes() == table


def test_other_numbers_and_other_folders_are_refused(done, archives, tmp_path):
    result = CliRunner().invoke(app, command(archives, done[0], "--seed", "1"))
    assert result.exit_code != 0
    assert "seed 0" in str(result.exception)
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(app, command(archives, tmp_path))
    assert result.exception.message == messages.FOLDER_IN_USE
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    few = tmp_path / "few"
    result = CliRunner().invoke(app, command(archives, few, "--limit", "2"))
    assert result.exception.message.helps == ("limit",)
    assert re.search(r"\b2 tiles\b.*\bval\b", str(result.exception))


def test_a_damaged_plan_is_named(tmp_path):
    (tmp_path / "experiment.json").write_text(json.dumps({"format": "another"}))
    with pytest.raises(Exception, match=r"experiment\.json: .*format or version"):
        begin_experiment(tmp_path)


@pytest.mark.slow
def test_killed_in_the_training_it_ends_like_an_unkilled_one(done, archives, tmp_path):
    folder = tmp_path / "killed"
    arguments = [sys.executable, "-m", "napari_snow_unet.cli", *command(archives, folder)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        history = folder / "training" / "history.csv"
        while not (history.is_file() and len(history.read_text().splitlines()) > 3):
            assert child.poll() is None
            time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    subprocess.run(arguments, check=True, capture_output=True, timeout=600)
    for name in ("training/best/model.safetensors", "training/last/model.safetensors"):
        assert (folder / name).read_bytes() == (done[0] / name).read_bytes()
    mine, theirs = table_of(folder), table_of(done[0])
    for row in (*mine, *theirs):
        row["training_seconds"] = ""
    assert mine == theirs


@pytest.mark.parametrize(
    ("dice", "expected"),
    [
        ({"a": 0.9, "b": 0.1, "c": 0.5}, ["a", "c", "b"]),
        ({"a": 0.9, "b": 0.1, "c": 0.5, "d": 0.6}, ["a", "d", "b"]),
        ({"a": 0.9, "b": None}, ["a", "a", "a"]),
        ({"a": None}, []),
    ],
)
def test_best_median_and_worst(dice, expected):
    assert best_median_worst(dice) == expected


def test_without_results_the_table_is_the_papers_row():
    assert [row["method"] for row in rows_of_table([], [])] == ["the paper"]
