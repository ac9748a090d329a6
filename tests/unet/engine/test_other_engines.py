"""Training on Keras' other engines, where they are installed: `tox -e torch`, `tox -e jax`."""

import importlib.util
import json
import subprocess
import sys

import pytest

SHELL = [sys.executable, "-c", "from napari_snow_unet.cli import main; main()", "train"]
SMALL = ["--preset", "paper", "--crop", "32", "--batch-size", "4", "--base-filters", "4"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # JAX compiles for minutes
ENGINES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"{name} is missing"),
    )
    for name in ("torch", "jax")
]


def train(*words):
    done = subprocess.run([*SHELL, *map(str, words)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_two_epochs_in_one_go_or_two_end_alike(discs, tmp_path, engine):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    text = train(discs, "-o", whole, *SMALL, "--epochs", 2, "--backend", engine)
    assert f"{engine} on " in text
    train(discs, "-o", parts, *SMALL, "--epochs", 1, "--backend", engine)
    train("--resume", parts, "--epochs", 2, "--backend", engine)
    states = [
        json.loads((run / "checkpoints" / "000002" / "state.json").read_text())
        for run in (whole, parts)
    ]
    rows = [[{**row, "seconds": 0} for row in state["history"]] for state in states]
    assert rows[0] == rows[1]
    assert states[0]["sha256"] == states[1]["sha256"]
    assert rows[0][0]["auc"] is not None


@pytest.mark.parametrize("engine", ENGINES)
def test_what_it_trained_is_a_model_for_every_engine(discs, tmp_path, engine):
    import numpy as np

    from napari_snow_unet.models import open_model

    train(discs, "-o", tmp_path / "run", *SMALL, "--epochs", 1, "--backend", engine)
    model = open_model(tmp_path / "run")
    probability = model.predict(np.zeros((1, 64, 64, 1), np.float32))
    assert probability.shape == (1, 64, 64)
