"""What counts as wrong usage, in every command."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.cli import app
from napari_snow_unet.cli.usage import _OTHER_NAMES, sentence
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.unet.models.folder import CONFIG


@pytest.mark.parametrize(
    "words",
    [
        "segment a.png -o out --model no-such-model",
        "segment a.png -o out --model ./no-such-model",
        "demo -o out --no-gui --model no-such-model",
        "train tiles -o out --fine-tune no-such-model",
        "export no-such-model -o out.zip",
    ],
)
def test_an_unknown_model_is_wrong_usage(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", generate_tile(1, size=64).image)
    result = CliRunner().invoke(app, words.split())
    text = " ".join(result.output.replace("│", "").split())
    assert result.exit_code == 2, text
    assert re.search(r"The model '\S*no-such-model' does not exist", text)
    assert "he-breast-nuclei" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("measure", "evaluate"),
        ("segmnet", "segment"),
        ("--versoin", "--version"),
        ("segment a.png -o out --overwrite-existing", "--overwrite"),
        ("segment a.png -o out --treshold 0.5", "--threshold"),
        ("check tiles --masks labels", "--masks-are"),
        ("train tiles -o out --random-seed 1", "--seed"),
        ("train tiles -o out --lr 1", "--learning-rate"),
    ],
)
def test_an_unknown_name_is_answered_with_the_one_that_was_meant(words, meant):
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 2
    assert f"Did you mean {meant}" in result.output


def test_what_is_like_nothing_gets_no_advice():
    for words in (["xyzzy"], ["segment", "a.png", "--xyzzy"], ["check", "--lr", "1"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 2
        assert f"There is no {'option' if words[1:] else 'command'} " in result.output
        assert "Did you mean" not in result.output


def test_every_other_name_stands_for_one_that_there_is():
    commands = get_command(app).commands
    flags = {flag for one in commands.values() for param in one.params for flag in param.opts}
    for name, meant in _OTHER_NAMES.items():
        assert meant in (flags if name.startswith("--") else commands), name


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ("--tile x", "a whole number."),
        ("--min-area-um2 x", "a number."),
        ("--device tpu", "one of auto, cpu, gpu."),
        ("--output x", "one of nuclei, mask."),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_in_our_words(words, form):
    result = CliRunner().invoke(app, ["segment", "a.png", "-o", "out", *words.split()])
    assert result.exit_code == 2
    assert result.output.rstrip().endswith(f"'{words.split()[0]}': It must be {form}")


def test_a_limit_is_named():
    result = CliRunner().invoke(app, ["check", "tiles", "--workers", "0"])
    assert "a whole number of 1 or more." in result.output


@pytest.mark.parametrize("size", ["25", "-1", "nan"])
@pytest.mark.parametrize(
    "words", ["segment a.png -o out", "prepare tiles -o out", "evaluate a.png a.png"]
)
def test_a_pixel_size_that_none_can_be_is_refused_in_the_same_words(words, size, tmp_path):
    result = CliRunner().invoke(app, [*words.split(), "--pixel-size", size])
    text = " ".join(result.output.replace("│", "").split())
    assert result.exit_code == 2, text
    assert re.search(rf"{size} µm.* 0\.05 to 20 µm.* 0\.25 ", text)


def test_a_pixel_size_of_0_is_refused_where_it_does_not_mean_unknown():
    result = CliRunner().invoke(app, ["evaluate", "a.png", "a.png", "--pixel-size", "0"])
    assert result.exit_code == 2
    assert "0.05 to 20" in " ".join(result.output.replace("│", "").split())


def test_a_model_to_begin_with_is_not_ignored_where_all_folds_are_trained():
    words = ["train", "tiles", "-o", "out", "--fold", "all", "--fine-tune", "default"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "--fine-tune" in result.output


def test_a_folder_that_is_no_model_is_an_input_that_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", generate_tile(1, size=64).image)
    (tmp_path / "folder").mkdir()
    result = CliRunner().invoke(app, ["segment", "a.png", "-o", "out", "--model", "folder"])
    assert CONFIG in str(result.exception)


def test_the_reason_stands_before_a_long_path(tmp_path):
    folder = tmp_path / "a folder with a long name"
    # In a process of its own: a command ends at once where a network library is loaded.
    command = [sys.executable, "-m", "napari_snow_unet.cli", "check", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: a folder with a long name: ")
    assert ended.stderr.endswith(f". ({folder})\n")


@pytest.mark.parametrize("path", ["tiles/a.png", None])
def test_a_short_path_stands_where_it_is(path):
    error = InputError(Message("The file is cut short.", "Copy it again."), path=path)
    assert sentence(error) == str(error)
