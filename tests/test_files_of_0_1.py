"""What users of 0.1 have on their disks is read, and gone on with, as it was.

The files were made by tools/frozen/make_files_of_0_1.py with the sources of 0.1.
"""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run as exhaust
from napari_snow_unet.cli import app
from napari_snow_unet.cli import messages as of_shell
from napari_snow_unet.crossvalidation import FORMAT, PLAN, VERSION, cross_validate
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.origin import origin_of
from napari_snow_unet.models import open_model
from napari_snow_unet.unet.models.folder import checksum
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.progress import StopRequest

WINDOW = np.linspace(0, 1, 96 * 96, dtype=np.float32).reshape(1, 96, 96, 1)


@pytest.fixture
def files(tmp_path, repository):
    with tarfile.open(repository / "tests" / "files_of_0_1.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "files_of_0_1"
    for path in [*folder.rglob("*.json"), folder / "results" / "summary.csv"]:
        text = path.read_text(encoding="utf-8").replace("FOLDER", folder.as_posix())
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_dataset(files):
    tiles = read_manifest(files / "dataset")
    assert [tile.name for tile in tiles] == ["seed0", "seed1", "seed2", "seed3"]
    assert exhaust(check_dataset(files / "dataset")).problems == []
    found = open_training_set(files / "dataset")
    assert (len(found.train), len(found.validation)) == (2, 1)


def test_a_model(files):
    model = open_model(files / "run" / "best", precision="float32")
    assert model.name == "run"
    probability = model.predict(WINDOW)
    assert probability.shape == (1, 96, 96)
    assert np.ptp(probability) > 0
    facts = origin_of(files / "network" / "seed0.png")
    assert facts["model_checksum"] == model.checksum == checksum(files / "run" / "best")


def test_a_training_that_was_killed_goes_on(files):
    from napari_snow_unet.unet.training.loop import train

    run = RunDirectory(files / "run")
    before = run.history()
    stop = StopRequest(run.stop_file)

    def listen(progress):
        if progress.epoch > len(before) + 2:
            stop.ask("the test has seen enough")

    state = train(run, stop=stop, listen=listen)
    assert state.epoch >= len(before) + 2
    assert run.history()[: len(before)] == before
    assert sorted(path.name for path in run.last.iterdir()) == ["config.json", "model.safetensors"]
    for folder in (run.best, run.last):
        assert np.ptp(open_model(folder, precision="float32").predict(WINDOW)) > 0


def test_a_training_with_muon_is_shown_and_used_but_does_not_go_on(files):
    from napari_snow_unet.unet.training.loop import train
    from napari_snow_unet.unet.training.start import extend

    run = RunDirectory(files / "run")
    path = run.folder / "config.json"
    kept = path.read_text(encoding="utf-8").replace('"adamw"', '"muon"')
    path.write_text(kept, encoding="utf-8")
    assert run.config().muon
    assert run.config().options.epochs == 200
    assert len(run.history()) == 2
    assert open_model(run.folder, precision="float32").name == "run"
    for go_on in (train, lambda run: extend(run, 300)):
        with pytest.raises(InputError) as refused:
            go_on(run)
        assert (refused.value.message, refused.value.path) == (messages.MUON, run.folder)
    assert path.read_text(encoding="utf-8") == kept


def test_a_cross_validation_with_muon_does_not_go_on(tmp_path):
    options = make_options().as_dict() | {"optimizer": "muon"}
    plan = {"format": FORMAT, "version": VERSION, "dataset": "x", "folds": [0], "options": options}
    (tmp_path / PLAN).write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(InputError, match=rf"{PLAN}: .*Muon"):
        cross_validate(tmp_path)


def test_results_are_gone_on_with_by_their_options(files, monkeypatch):
    monkeypatch.chdir(files)  # their images were named from here
    results = files / "results"
    kept = {path: path.read_bytes() for path in results.glob("seed*.*") if path.is_file()}
    words = ["segment", "sources/images", "-o", "results", "--resume"]
    ended = CliRunner().invoke(app, words, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    options = Path("results", "options.json")
    assert of_shell.renamed_entry(options, "split", "separate") in ended.stderr
    assert {path: path.read_bytes() for path in kept} == kept
    assert read_labels(results / "seed3.png").max() == 3
    assert origin_of(results / "seed3.png")["model"] == "classical"
    with (results / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["nuclei"] for row in rows] == ["4", "4", "2", "3"]


@pytest.mark.parametrize("name", ["seed0.png", "seed0.tif", "seed0.zarr"])
def test_how_labels_came_about(files, name):
    facts = origin_of(files / "results" / name)
    assert facts["model"] == "classical"
    assert facts["pixel_size_um"] == 0.25
    assert facts["options"]["output"] == "nuclei"
