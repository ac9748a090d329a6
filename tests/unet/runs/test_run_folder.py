import json
import math

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.create import create_run
from napari_snow_unet.unet.runs.folder import COLUMNS, is_run, open_run
from napari_snow_unet.unet.runs.lock import run_locked
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.progress import StopRequest
from napari_snow_unet.unet.training import loop, start

OPTIONS = make_options(epochs=2, crop=32, base_filters=2, levels=3)


@pytest.fixture
def run(discs, tmp_path):
    return start.begin_training(discs, tmp_path / "run", OPTIONS)[0]


def test_what_was_asked_for_is_what_the_folder_says(run, discs):
    config = open_run(run.folder).config()
    assert config.options == OPTIONS
    assert config.dataset == str(discs)
    assert (config.network.base_filters, config.network.levels) == (2, 3)
    assert config.network.name == "run"
    tiles = run.tiles()
    assert len(tiles.train) == 9
    assert tiles.fingerprint == config.fingerprint
    assert all(tile.image.is_file() for tile in (*tiles.train, *tiles.validation))


def test_columns_are_those_that_were_promised():
    scores = ["loss", "accuracy", "auc", "precision", "recall", "dice"]
    expected = ["epoch", *scores, *(f"val_{name}" for name in scores), "seconds", "learning_rate"]
    assert list(COLUMNS) == expected


def test_history_comes_back_and_undefined_scores_are_empty(run):
    assert run.history() == []
    row = dict.fromkeys(COLUMNS, 0.5) | {"epoch": 1.0, "auc": None, "val_auc": math.nan}
    run.write_history([row])
    lines = (run.folder / "history.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith("1,0.5,0.5,,0.5")
    assert run.history() == [row | {"val_auc": None}]


def test_a_folder_with_something_in_it_is_not_touched(discs, tmp_path, run):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match=messages.FOLDER_NOT_EMPTY.problem):
        start.begin_training(discs, tmp_path / "thesis", OPTIONS)
    with pytest.raises(InputError, match=messages.EXISTING_RUN.problem):
        start.begin_training(discs, run.folder, OPTIONS)
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_a_training_that_ended_before_its_first_epoch_did_makes_room(discs, tmp_path, run):
    loop.train(run, stop=StopRequest(None, 0))
    other = make_options(epochs=1, crop=32, base_filters=4, levels=3)
    again = start.begin_training(discs, run.folder, other)[0]
    assert again.config().options == other
    assert not (again.folder / "progress.json").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


@pytest.mark.parametrize(
    "left", ["checkpoints/.writing-a1b2/model.safetensors", ".writing-x9.json", "checkpoints/"]
)
def test_a_training_killed_at_its_first_checkpoint_makes_room(discs, run, left):
    loop.train(run, stop=StopRequest(None, 0))
    path = run.folder / left
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if left.endswith("/") else path.write_bytes(b"half")
    assert loop.train(run, stop=StopRequest(None, 0)).epoch == 0  # it can be gone on with
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(exist_ok=True) if left.endswith("/") else path.write_bytes(b"half")
    again = start.begin_training(discs, run.folder, OPTIONS)[0]
    assert {item.name for item in again.folder.iterdir()} == {"config.json", "tiles.csv", "log.txt"}


@pytest.mark.parametrize(
    "what",
    [
        *("notes.txt", "history.csv", "best/model.safetensors", "running"),
        *("checkpoints/000001/state.json", "checkpoints"),
    ],
)
def test_what_may_be_of_worth_stays(discs, run, what):
    loop.train(run, stop=StopRequest(None, 0))
    path = run.folder / what
    path.parent.mkdir(parents=True, exist_ok=True)
    with run_locked(run.folder) if what == "running" else path.open("w"):
        before = sorted(run.folder.rglob("*"))
        with pytest.raises(InputError, match=messages.EXISTING_RUN.problem):
            start.begin_training(discs, run.folder, OPTIONS)
        assert sorted(run.folder.rglob("*")) == before


def test_an_empty_folder_is_taken(discs, tmp_path):
    (tmp_path / "empty").mkdir()
    assert is_run(start.begin_training(discs, tmp_path / "empty", OPTIONS)[0].folder)


def test_nothing_is_left_of_a_run_that_could_not_be_made(run, tmp_path, monkeypatch):
    config, tiles = run.config(), run.tiles()
    monkeypatch.setattr("csv.writer", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        create_run(tmp_path / "other", config, tiles)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_changed_dataset_is_noticed(run):
    path = run.folder / "config.json"
    path.write_text(path.read_text().replace(run.config().fingerprint, "0" * 64))
    with pytest.raises(InputError, match=messages.DATASET_CHANGED.problem):
        run.tiles()


def test_a_dataset_that_is_gone_is_named(run, tmp_path):
    content = json.loads((run.folder / "config.json").read_text())
    content["dataset"] = str(tmp_path / "gone")
    (run.folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=messages.DATASET_GONE.problem):
        run.tiles()


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"epochs": -1}},
        {"options": {"command": "rm"}},
        {"options": []},
        {"network": {}},
        {"dataset": 3},
        {"dataset": "x" * 20_000},
        {"version": 2},
        {"made_with": 3},
    ],
)
def test_a_damaged_config_is_refused_with_its_path(run, change):
    path = run.folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=r"config\.json"):
        run.config()


@pytest.mark.parametrize("text", ["", "[" * 100_000, "\0", '"napari-snow-unet training"'])
def test_what_is_no_config_is_refused(run, text):
    (run.folder / "config.json").write_text(text)
    with pytest.raises(InputError):
        run.config()


@pytest.mark.parametrize("text", ["part,name\ntrain,a\n", "\0\n", "part\nother\n"])
def test_a_damaged_table_of_tiles_is_refused(run, text):
    (run.folder / "tiles.csv").write_text(text)
    with pytest.raises(InputError):
        run.tiles()


def test_a_damaged_history_is_refused(run):
    (run.folder / "history.csv").write_text("epoch,loss\n1,good\n")
    with pytest.raises(InputError, match=r"history\.csv"):
        run.history()


def test_what_is_no_training_is_not_opened(tmp_path):
    cases = {tmp_path: messages.NOT_A_RUN, tmp_path / "nothing": messages.NO_SUCH_RUN}
    for folder, message in cases.items():
        assert not is_run(folder)
        with pytest.raises(InputError) as refused:
            open_run(folder)
        assert refused.value.message == message


def test_cleaning_up_removes_temporary_files_and_nothing_else(run):
    run.best.mkdir()
    run.checkpoints.mkdir()
    (run.best / ".writing-a.safetensors").write_bytes(b"x")
    (run.checkpoints / ".writing-b").mkdir()
    (run.checkpoints / ".writing-b" / "model.safetensors").write_bytes(b"x")
    (run.folder / "notes of mine.txt").write_text("x")
    run.clean_up()
    left = {path.name for path in run.folder.rglob("*")}
    assert left == {
        "best",
        "checkpoints",
        "config.json",
        "log.txt",
        "notes of mine.txt",
        "tiles.csv",
    }
