"""The command segment on slides."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from tifffile import TiffWriter
from typer.testing import CliRunner

from napari_snow_unet.cli import app
from napari_snow_unet.data import slides
from napari_snow_unet.data.images import read_labels, write_image
from napari_snow_unet.data.synthetic import generate_tile

APERIO = "Aperio Image Library v11.2.1 \r\n{1}x{0} [0,0 {1}x{0}] (256x256) JPEG/RGB|MPP = 0.25"


@pytest.fixture
def svs(tmp_path):
    pixels = generate_tile(5, size=512).image
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    with TiffWriter(tmp_path / "in" / "a.svs") as tif:
        tif.write(pixels, description=APERIO.format(*pixels.shape), **how)
    write_image(tmp_path / "plain" / "a.png", pixels)
    return tmp_path / "in" / "a.svs"


@pytest.fixture(autouse=True)
def folders(tmp_path):
    (tmp_path / "in").mkdir()


def shell(*words):
    return CliRunner().invoke(app, [*map(str, words), "--model", "classical"])


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_small_slide_is_segmented_at_its_full_resolution_and_pixel_size(which, svs, tmp_path):
    given = svs if which == "file" else svs.parent
    told = shell("segment", given, "-o", tmp_path / "out", "--format", "png,geojson")
    assert told.exit_code == 0, told.output
    flat = shell(
        "segment", tmp_path / "plain" / "a.png", "-o", tmp_path / "flat", "--pixel-size", 0.25
    )
    assert flat.exit_code == 0, flat.output
    labels = read_labels(tmp_path / "out" / "a.png")
    assert labels.max() > 10
    assert np.array_equal(labels, read_labels(tmp_path / "flat" / "a.png"))
    with (tmp_path / "out" / "summary.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["pixel_size_um"]) == 0.25
    outlines = json.loads((tmp_path / "out" / "a.geojson").read_text(encoding="utf-8"))
    assert len(outlines["features"]) == len(np.unique(labels)) - 1


def test_a_slide_that_is_too_large_is_named_and_the_exit_code_is_1(svs, tmp_path, monkeypatch):
    monkeypatch.setattr(slides, "LARGEST_WHOLE", 1000)
    told = shell("segment", svs, "-o", tmp_path / "out")
    assert told.exit_code == 1
    assert str(svs) in told.output.replace("\n", "")
    assert "Export the region of interest" in told.output.replace("\n", " ")


def test_without_openslide_the_command_that_installs_it_is_told(svs, tmp_path, monkeypatch):
    from napari_snow_unet.data import slide_openslide

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(slide_openslide, "import_module", missing)
    told = shell("segment", svs, "-o", tmp_path / "out")
    assert told.exit_code == 1
    assert 'pip install "napari-snow-unet[slides]"' in told.output.replace("\n", " ")
