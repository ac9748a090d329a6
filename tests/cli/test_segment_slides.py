"""The command segment on slides."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
import zarr
from tifffile import TiffWriter
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch.large_file import segment_large_file
from napari_snow_unet.batch.messages import RESULT_EXISTS, too_large
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.cli import app
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.slides import slide
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.messages import resampled
from napari_snow_unet.segmentation.options import Options

SEED = 6  # a tile without glass, which large images count as probability 0
APERIO = "Aperio Image Library v11.2.1 \r\n{1}x{0} [0,0 {1}x{0}] (256x256) JPEG/RGB|MPP = 0.25"


@pytest.fixture
def svs(tmp_path):
    pixels = generate_tile(SEED, size=512).image
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    with TiffWriter(tmp_path / "in" / "a.svs") as tif:
        tif.write(pixels, description=APERIO.format(*pixels.shape), **how)
    write_image(tmp_path / "plain" / "a.png", pixels)
    return tmp_path / "in" / "a.svs"


@pytest.fixture(autouse=True)
def folders(tmp_path):
    (tmp_path / "in").mkdir()


def shell(*words, model="classical"):
    return CliRunner().invoke(app, [*map(str, words), "--model", model])


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


def as_svs(folder, tmp_path):
    return folder / "a.svs"


def as_tiff(folder, tmp_path):
    pixels = generate_tile(SEED, size=512).image
    with TiffWriter(tmp_path / "b.ome.tif", ome=True) as tif:
        facts = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
        tif.write(pixels, tile=(256, 256), photometric="rgb", metadata=facts)
    return tmp_path / "b.ome.tif"


def as_zarr(folder, tmp_path):
    group = zarr.open_group(tmp_path / "c.zarr", mode="w", zarr_format=2)
    pixels = np.moveaxis(generate_tile(SEED, size=512).image, -1, 0)
    array = group.create_array("0", shape=pixels.shape, chunks=(3, 256, 256), dtype=pixels.dtype)
    array[...] = pixels
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    scale = {"type": "scale", "scale": [1.0, 0.25, 0.25]}
    level = {"path": "0", "coordinateTransformations": [scale]}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [level]}]
    return tmp_path / "c.zarr"


@pytest.mark.parametrize("kind", [as_svs, as_tiff, as_zarr])
def test_an_image_too_large_to_be_read_as_a_whole_gets_the_labels_of_the_whole(
    kind, svs, tmp_path, monkeypatch
):
    large = kind(svs.parent, tmp_path)
    words = ("--pixel-size", 0.25)
    assert shell("segment", large, "-o", tmp_path / "whole", *words).exit_code == 0
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    out = tmp_path / "out"
    told = shell("segment", large, "-o", out, "--format", "zarr,tif", "--probability")
    assert told.exit_code == 0, told.output
    (whole,) = (tmp_path / "whole").glob("*.png")
    expected = read_labels(whole)
    stem = large.name.removesuffix(large.suffix)
    written = zarr.open_group(out / f"{stem}.zarr", mode="r")
    assert expected.max() > 10
    assert np.array_equal(written["0"][...], expected)
    assert np.array_equal(read_labels(out / f"{stem}.tif"), expected)
    assert read_image(out / f"{stem}.tif").pixel_size_um == pytest.approx(0.25)
    probability = read_image(out / f"{stem}_probability.tif").array
    assert probability.shape == expected.shape
    assert probability.dtype == np.uint8
    assert not list(out.glob(".writing*"))
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert int(row["nuclei"]) == expected.max()
    assert float(row["pixel_size_um"]) == 0.25


def test_a_large_image_of_another_scale_is_resampled_for_the_network(svs, tmp_path, monkeypatch):
    words = ("segment", svs, "--pixel-size", 0.5, "--format", "tif", "-o")
    assert shell(*words, tmp_path / "small", model="default").exit_code == 0
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    printed = shell(*words, tmp_path / "large", model="default")
    assert printed.exit_code == 0, printed.output
    low, high = open_model("default").pixel_size_um
    assert resampled(0.5, high, low, high) in printed.output
    found = read_labels(tmp_path / "large" / "a.tif")
    assert found.max() > 10
    assert np.array_equal(found, read_labels(tmp_path / "small" / "a.tif"))


def test_what_cannot_hold_a_large_image_is_refused_before_any_work(svs, tmp_path, monkeypatch):
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    refused = shell("segment", svs, "-o", tmp_path / "out", "--format", "png")
    assert refused.exit_code == 1
    assert str(svs) in refused.output.replace("\n", "")
    assert too_large(("png",), 512, 512).problem in refused.output.replace("\n", " ")
    again = shell("segment", svs, "-o", tmp_path / "out")  # what nobody has chosen is what can
    assert again.exit_code == 0
    assert (tmp_path / "out" / "a.zarr").is_dir()
    once_more = shell("segment", svs, "-o", tmp_path / "out", "--format", "zarr")
    assert once_more.exit_code == 1
    assert RESULT_EXISTS.problem in once_more.output.replace("\n", " ")


@pytest.mark.parametrize("taken", ["a.tif", "a_probability.tif"])
def test_a_name_that_is_taken_is_refused_before_a_large_image_is_computed(
    taken, svs, tmp_path, monkeypatch
):
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    outputs = Outputs(tmp_path / "out", probability=True, formats=("zarr", "tif"))
    outputs.folder.mkdir()
    (outputs.folder / taken).write_bytes(b"mine")
    steps = segment_large_file(slide.open_slide(svs), classical.model(), Options(), outputs)
    with pytest.raises(InputError, match=re.escape(RESULT_EXISTS.problem)):
        next(steps)
    assert [path.name for path in outputs.folder.iterdir()] == [taken]
    assert (outputs.folder / taken).read_bytes() == b"mine"


def test_without_openslide_the_command_that_installs_it_is_told(svs, tmp_path, monkeypatch):
    from napari_snow_unet.data.slides import openslide

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(openslide, "import_module", missing)
    told = shell("segment", svs, "-o", tmp_path / "out")
    assert told.exit_code == 1
    assert 'pip install "napari-snow-unet[slides]"' in told.output.replace("\n", " ")
