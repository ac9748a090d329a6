"""The commands of docs/look_at_slides.md, and what it says of formats."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
import tifffile
from typer.testing import CliRunner

from napari_snow_unet.cli import app
from napari_snow_unet.data.slides import LARGEST_WHOLE, SCANNER_SUFFIXES, TIFF_SUFFIXES
from napari_snow_unet.data.synthetic import generate_tile

APERIO = "Aperio Image Library v11.2.1 \r\n256x256 [0,0 256x256] (256x256) JPEG/RGB|MPP = 0.25"


@pytest.fixture
def page(repository):
    return (repository / "docs" / "look_at_slides.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_works(page, tmp_path, monkeypatch, repository):
    monkeypatch.chdir(tmp_path)
    pixels = generate_tile(1, size=256).image
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    tifffile.imwrite(tmp_path / "slide.svs", pixels, description=APERIO, **how)
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    install, *commands = [line for block in blocks for line in block.splitlines() if line]
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = re.fullmatch(r'pip install "napari-snow-unet\[(\w+)\]"', install)[1]
    assert extra in project["optional-dependencies"]
    assert len(commands) == 2
    for command in commands:
        name, *words = shlex.split(command)
        assert name == "napari-snow-unet"
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (command, result.output)
        assert (tmp_path / words[words.index("-o") + 1]).exists()


def test_the_page_names_every_ending_and_the_limit(page):
    for suffix in (*SCANNER_SUFFIXES, *TIFF_SUFFIXES):
        assert f"`{suffix}`" in page, suffix
    assert f"{LARGEST_WHOLE // 1_000_000} million" in page
