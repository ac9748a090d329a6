import shutil

import pytest

from napari_snow_unet.unet.models.folder import user_folder
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.registry import register, registered
from napari_snow_unet.unet.training import start


@pytest.fixture
def make(discs, tmp_path):
    def made(name):
        run, _ = start.begin_training(discs, tmp_path / name, make_options(crop=32))
        run.best.mkdir()
        for file in ("config.json", "model.safetensors"):
            (run.best / file).write_text("x")
        return run

    return made


def test_a_training_is_listed_by_the_name_of_its_folder(make):
    assert registered() == {}
    run = make("breast 40x")
    assert register(run) == register(run) == "breast-40x"
    assert registered() == {"breast-40x": run.best}


def test_of_two_with_one_name_the_later_gets_a_number(make):
    first, second = make("a/run"), make("b/run")
    assert (register(first), register(second), register(first)) == ("run", "run-2", "run")
    assert registered() == {"run": first.best, "run-2": second.best}


def test_a_training_that_is_gone_is_not_listed_and_its_name_is_free(make):
    first = make("a/run")
    register(first)
    shutil.rmtree(first.folder)
    assert registered() == {}
    assert register(make("b/run")) == "run"


def test_a_model_of_the_user_keeps_its_name(make):
    (user_folder() / "run").mkdir(parents=True)
    assert register(make("run")) == "run-2"


@pytest.mark.parametrize("content", [b"", b"relative/path", b"\xff\xfe", b"x" * 20_000, b"/\0"])
def test_a_damaged_entry_is_passed_over(content):
    user_folder().mkdir(parents=True)
    (user_folder() / "odd.run").write_bytes(content)
    assert registered() == {}


def test_a_training_without_an_epoch_is_not_listed(make):
    run = make("run")
    (run.best / "model.safetensors").unlink()
    register(run)
    assert registered() == {}
