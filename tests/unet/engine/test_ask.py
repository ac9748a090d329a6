"""The program that says what computes, as the train dock starts it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = [sys.executable, "-P", "-m", "napari_snow_unet.unet.engine.ask"]


def test_it_says_what_computes():
    said = subprocess.run([*PROGRAM, "auto", "cpu"], capture_output=True, text=True, check=True)
    device = json.loads(said.stdout)
    assert (device["backend"], device["kind"]) == ("tensorflow", "cpu")
    assert "cores" in device["name"]


def test_it_says_why_there_is_none():
    said = subprocess.run([*PROGRAM, "auto", "gpu"], capture_output=True, text=True)
    if said.returncode:  # where there is no GPU
        assert said.stderr.startswith("Error: no GPU can be used")
    else:
        assert json.loads(said.stdout)["kind"] == "gpu"
