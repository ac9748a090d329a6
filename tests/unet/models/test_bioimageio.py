"""Models for other programs: ONNX computes the same, and the zoo's own validator says yes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from importlib.metadata import version

import numpy as np
import pytest
from packaging.version import Version

from model_folders import save_model
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import export_model, open_model
from napari_snow_unet.segmentation.plane.nuclei import SMALLEST_NUCLEUS_UM2
from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

SMALL = UNetConfig(base_filters=2, levels=3, name="small nuclei", trained_on="Nothing.")
JUDGE = """
import json, sys
from pathlib import Path
from bioimageio.core import test_model
summary = test_model(Path(sys.argv[1]), "onnx")
failed = [(each.name, [error.msg for error in each.errors]) for each in summary.details
          if each.status != "passed"]
print(json.dumps({"status": summary.status, "failed": failed}))
"""


def saved(folder, **changes):
    config = UNetConfig(**{**SMALL.__dict__, **changes})
    return save_model(build_unet(config), config, folder)


def member(path, name):
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def computed(weights, pixels):
    session = onnxruntime.InferenceSession(weights)
    (given,) = session.get_inputs()
    return session.run(None, {given.name: pixels})[0]


@pytest.fixture
def judge():
    """Return the verdict of the BioImage Model Zoo's validator, in a process of its own."""
    pytest.importorskip("bioimageio.core")
    spec, pydantic = (Version(version(name)) for name in ("bioimageio.spec", "pydantic"))
    if spec <= Version("0.5.12.0") and pydantic >= Version("2.14"):
        pytest.skip(f"bioimageio.spec {spec} cannot validate anything with Pydantic {pydantic}")

    def verdict(path):
        asked = subprocess.run([sys.executable, "-c", JUDGE, path], capture_output=True, text=True)
        assert asked.returncode == 0, asked.stderr
        return json.loads(asked.stdout.splitlines()[-1])

    return verdict


@pytest.mark.parametrize("changes", [{}, {"channel": "rgb", "normalization": "batch"}])
def test_onnx_computes_the_same_for_any_size(tmp_path, changes):
    model = saved(tmp_path / "model", **changes)
    path = export_model(model, tmp_path / "model.onnx")
    channels = 3 if changes else 1
    for size in ((64, 64), (128, 192)):
        pixels = np.random.default_rng(0).random((1, *size, channels), dtype=np.float32)
        expected = open_model(model, precision="float32").predict(pixels)
        np.testing.assert_allclose(computed(path, pixels)[..., 0], expected, atol=1e-5)


@pytest.mark.parametrize("channel", ["red", "hematoxylin"])
def test_a_package_holds_what_its_description_names(tmp_path, channel):
    path = export_model(saved(tmp_path / "model", channel=channel), tmp_path / "model.zip")
    told = json.loads(member(path, "rdf.yaml"))
    (pixels,), (probability,) = told["inputs"], told["outputs"]
    for part in (
        told["documentation"],
        told["weights"]["onnx"],
        pixels["test_tensor"],
        probability["test_tensor"],
    ):
        assert sha256(member(path, part["source"])).hexdigest() == part["sha256"]
    stored = np.load(io.BytesIO(member(path, pixels["test_tensor"]["source"])))
    assert stored.dtype == pixels["data"]["type"]
    assert (stored.max() > 1) == (channel == "red")
    gain = pixels["preprocessing"][0]["kwargs"].get("gain", 1)
    found = computed(member(path, "weights.onnx"), (stored * gain).astype(np.float32))
    expected = np.load(io.BytesIO(member(path, probability["test_tensor"]["source"])))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    text = member(path, "README.md").decode()
    assert "Nothing." in text
    assert f"removes those below {SMALLEST_NUCLEUS_UM2:g} square micrometres" in text


def test_the_zoo_accepts_a_model_and_runs_it_to_the_same_output(tmp_path, judge):
    model = saved(tmp_path / "model", name="a/b")
    path = export_model(model, tmp_path / "model.zip")
    assert judge(path) == {"status": "passed", "failed": []}


@pytest.mark.slow
def test_the_zoo_accepts_the_bundled_network_and_runs_it_to_the_same_output(tmp_path, judge):
    path = export_model("default", tmp_path / "model.zip")
    assert judge(path) == {"status": "passed", "failed": []}


def test_nothing_is_overwritten_untold(tmp_path):
    model, path = saved(tmp_path / "model"), tmp_path / "model.onnx"
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="already exists"):
        export_model(model, path)
    assert path.read_bytes() == b"mine"
    export_model(model, path, overwrite=True)
    assert computed(path, np.zeros((1, 16, 16, 1), np.float32)).shape == (1, 16, 16, 1)


def test_what_cannot_be_exported_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="not a network"):
        export_model("classical", tmp_path / "a.zip")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"napari-snow-unet\[export\]"):
        export_model(saved(tmp_path / "model"), tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
