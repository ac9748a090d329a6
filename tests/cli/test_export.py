"""The command export as a person types it."""

from __future__ import annotations

import zipfile

import pytest
from typer.testing import CliRunner

from napari_snow_unet.cli import app

pytest.importorskip("tf2onnx")


def test_a_model_becomes_a_package_by_its_name(tmp_path):
    path = tmp_path / "new" / "model.zip"
    result = CliRunner().invoke(app, ["export", "default", "-o", str(path)])
    assert result.exit_code == 0, result.output
    assert f"Wrote {path}" in result.output.replace("\n", "")
    with zipfile.ZipFile(path) as archive:
        assert {"rdf.yaml", "weights.onnx", "README.md"} <= set(archive.namelist())


def test_other_endings_are_wrong_usage(tmp_path):
    result = CliRunner().invoke(app, ["export", "default", "-o", str(tmp_path / "model.pkl")])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())
