"""Beside plugins that bring their own network libraries: `tox -e neighbours`."""

import importlib.util
import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
SEGMENT = """
import json, sys
import numpy as np
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.pipeline import run, segment

def labels():
    tile = generate_tile(0, size=256)
    found = run(segment(tile.image, open_model("default", device="cpu")))
    return found.labels
"""
#: What of each neighbour computes without weights that would have to be downloaded.
NEIGHBOURS = {
    "cellpose": """
import torch
from cellpose import dynamics, models
def neighbour():
    masks = np.pad(np.ones((20, 20), np.uint16), 8)
    found = dynamics.labels_to_flows([masks], device=torch.device("cpu"))
    seen = torch.nn.Conv2d(3, 8, 3)(torch.ones(1, 3, 64, 64))
    assert np.ptp(found[0]) > 0 and torch.isfinite(seen).all()
""",
    "stardist": """
import tempfile
import stardist_napari
from stardist.models import Config2D, StarDist2D
def neighbour():
    config = Config2D(n_channel_in=3, unet_n_depth=1)
    model = StarDist2D(config, name="random", basedir=tempfile.mkdtemp())
    found, _ = model.predict(np.ones((64, 64, 3), np.float32))
    assert np.isfinite(found).all()
""",
}


def computed(code: str) -> list[int]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("first", ["ours", "neighbour"])
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_both_compute_in_one_process_whoever_comes_first(name, first):
    """Import and compute one, then the other, then the first again: the same labels as alone."""
    if not importlib.util.find_spec(name):
        pytest.skip(f"{name} is missing")
    tell = "print(json.dumps(labels().tolist()))"
    ours, theirs = "labels()\n", f"{NEIGHBOURS[name]}\nneighbour()\n"
    turns = ours + theirs if first == "ours" else theirs
    assert computed(f"{SEGMENT}\n{turns}neighbour()\n{tell}") == computed(f"{SEGMENT}\n{tell}")
