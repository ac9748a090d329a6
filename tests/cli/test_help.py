"""The help of the commands: its form, and that everything is in it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from napari_snow_unet.cli import app
from napari_snow_unet.data.datasets.splits import usual_size

COMMANDS = get_command(app).commands


SCREEN, WIDTH = 45, 98  # lines and columns of a help on a screen of 100 columns


def shown(*words):
    return CliRunner().invoke(app, list(words), terminal_width=WIDTH).output


def options_of(command):
    return [param for param in command.params if param.param_type_name == "option"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_help_fits_on_a_screen(name):
    lines = shown(name, "--help").splitlines()
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_help_names_every_option_and_explains_it(name):
    short, long = shown(name, "--help"), shown(name, "--help-all")
    for param in options_of(COMMANDS[name]):
        assert param.hidden or all(flag in short for flag in param.opts[:1])
        assert param.hidden == (f" {param.opts[-1]}" not in long)
    assert "--help-all" in short or short == long


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_help_has_the_usual_form(name):
    text = shown(name, "--help-all")
    assert "``" not in text
    usage = text.splitlines()[0]
    assert re.fullmatch(rf"Usage: napari-snow-unet {name} \[OPTIONS\]( \[?[A-Z.]+\]?)*", usage)
    assert not re.search(r"<\w|\[default:|\[required|[{\\]", text)
    for param in options_of(COMMANDS[name]):
        flag = param.is_flag or param.hidden
        form = r"TEXT|INTEGER|FLOAT|PATH|\[[\w|-]+\]"
        assert flag or re.fullmatch(form, param.metavar), param.name
        assert not flag or param.metavar is None or param.hidden


def test_a_default_is_shown_once_in_round_brackets():
    text = shown("reproduce", "--help")
    assert re.search(r"--seed INTEGER .*\(default: 0\)", text)
    assert re.search(r"--limit INTEGER .*\(default: 5000\)", text)


def test_the_program_has_its_name_when_python_starts_it():
    command = [sys.executable, "-m", "napari_snow_unet.cli", "segment", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    assert text.startswith("Usage: napari-snow-unet segment [OPTIONS] IMAGE...")


@pytest.mark.parametrize("variable", ["complete_bash", "complete_zsh"])
def test_a_shell_completes_flags(variable):
    words = "napari-snow-unet segment --prob"
    env = {
        "_NAPARI_SNOW_UNET_COMPLETE": variable,
        "COMP_WORDS": words,
        "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": words,
    }
    result = CliRunner().invoke(app, [], prog_name="napari-snow-unet", env=env)
    assert "--probability" in result.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_says_in_a_sentence_what_it_is(name):
    command = COMMANDS[name]
    for text in (command.help, *(param.help for param in command.params if not param.hidden)):
        assert text, name
        assert text[0].isupper() or not text[0].isalpha(), text
        assert text.rstrip()[-1] in ".)", text


@pytest.mark.parametrize("name", ["prepare", "split"])
def test_the_usual_parts_are_said_in_numbers(name):
    text = " ".join(shown(name, "--help").split())
    assert all(usual_size(subset) in text for subset in ("train", "val", "test"))


def test_a_paragraph_is_one_line_until_the_screen_breaks_it():
    text = COMMANDS["segment"].help
    assert len(text.split("\n\n")) == 2
    assert "\n" not in text.replace("\n\n", "")


def test_brackets_are_shown():
    assert 'pip install "napari-snow-unet[export]"' in " ".join(shown("export", "--help").split())
