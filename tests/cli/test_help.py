"""What the commands say of themselves."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from napari_snow_unet.cli import app

COMMANDS = get_command(app).commands


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_nothing_in_a_help_is_taken_for_markup(name):
    command = COMMANDS[name]
    texts = [command.help or "", *(getattr(param, "help", None) or "" for param in command.params)]
    for text in texts:
        assert re.search(r"(?<!\\)\[[a-z]", text) is None, text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_says_in_a_sentence_what_it_is(name):
    command = COMMANDS[name]
    for text in (command.help, *(param.help for param in command.params if not param.hidden)):
        assert text, name
        assert text[0].isupper() or not text[0].isalpha(), text
        assert text.rstrip()[-1] in ".)", text


@pytest.mark.parametrize("name", ["prepare", "split"])
def test_the_usual_parts_are_said_in_numbers(name):
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "160"}).output
    assert "3,600 of 5,000" in shown
    assert "1,000 of 5,000" in shown


def test_a_paragraph_is_one_line_until_the_screen_breaks_it():
    told = COMMANDS["segment"].help
    assert len(told.split("\n\n")) == 2
    assert "\n" not in told.replace("\n\n", "")


def test_brackets_that_are_meant_are_shown():
    shown = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "160"}).output
    assert 'pip install "napari-snow-unet[export]"' in " ".join(shown.split())
    shown = CliRunner().invoke(app, ["check", "--help"], env={"COLUMNS": "160"}).output
    assert "(default: all cores)" in shown
