"""The program that prints the device, as the train dock starts it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = [sys.executable, "-P", "-m", "napari_snow_unet.unet.engine.device_report"]


def test_it_prints_the_device():
    done = subprocess.run([*PROGRAM, "auto", "cpu"], capture_output=True, text=True, check=True)
    device = json.loads(done.stdout)
    assert (device["backend"], device["kind"]) == ("tensorflow", "cpu")
    assert "cores" in device["name"]


def test_it_prints_why_there_is_none():
    done = subprocess.run([*PROGRAM, "auto", "gpu"], capture_output=True, text=True)
    if done.returncode:  # where there is no GPU
        assert done.stderr.startswith("Error: No GPU can be used.")
    else:
        assert json.loads(done.stdout)["kind"] == "gpu"
