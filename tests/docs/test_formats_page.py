"""The commands of docs/formats.md, as they stand there."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.testing import CliRunner

from napari_snow_unet.cli import app
from napari_snow_unet.data.images import write_image
from napari_snow_unet.data.label_files import FORMATS
from napari_snow_unet.data.nucleus_measurements import measure_nuclei
from napari_snow_unet.data.synthetic import generate_tile


@pytest.fixture
def page(repository):
    return (repository / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_works(page, tmp_path, monkeypatch):
    pytest.importorskip("tf2onnx")
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "tile.png", generate_tile(1, size=256).image)
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line]
    assert len(commands) == 5
    for command in commands:
        name, *words = shlex.split(command)
        assert name == "napari-snow-unet"
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (command, result.output)
        assert (tmp_path / words[words.index("-o") + 1]).exists()


def test_the_page_names_every_format_and_column(page):
    tile = generate_tile(1, size=128)
    table = measure_nuclei(tile.labels, tile.image, tile.labels.astype("uint8"), (1.0, 1.0))
    for word in (*(f".{name}" for name in FORMATS), *table):
        assert f"`{word}`" in page, word
