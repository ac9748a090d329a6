"""The command export as a person types it."""

from __future__ import annotations

from typer.testing import CliRunner

from napari_snow_unet.cli import app


def test_other_endings_are_wrong_usage(tmp_path):
    result = CliRunner().invoke(app, ["export", "default", "-o", str(tmp_path / "model.pkl")])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())
