"""Labels to files and back, with what a result knows of itself."""

import json
import re

import numpy as np
import pytest

import napari_snow_unet as snow
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.batch import Outputs, segment_files
from napari_snow_unet.data.formats.origin import origin_of, read_own_labels
from napari_snow_unet.segmentation.options import Options


@pytest.mark.parametrize("suffix", ["png", "tif", "mat", "zarr"])
def test_labels_are_read_as_they_were_written(suffix, result):
    path = snow.write_labels(f"a.{suffix}", result)
    assert np.array_equal(np.asarray(snow.read_labels(path)), result.labels)


def test_outlines_are_laid_on_their_image(result):
    snow.write_labels("other.geojson", result)
    labels = snow.read_labels("other.geojson", result.labels.shape)
    assert np.array_equal(labels > 0, result.labels > 0)
    snow.write_labels("tile.geojson", result)
    assert snow.read_labels("tile.geojson").shape == result.labels.shape


@pytest.mark.parametrize("output", ["nuclei", "mask"])
@pytest.mark.parametrize("suffix", ["png", "tif", "mat", "zarr", "geojson", "csv"])
def test_a_result_is_written_as_the_shell_writes_it(suffix, output, result, place):
    found = result.relabel(output=output)
    one = snow.write_labels(f"one.{suffix}", found)
    chosen = Options(output=output, pixel_size_um=0.25)
    outputs = Outputs(place / "shell", formats=(suffix,))
    (other,) = run(
        segment_files([place / "tile.png"], snow.load_model("classical"), chosen, outputs)
    )
    assert origin_of(one) == origin_of(other.labels)
    if suffix == "zarr":
        both = [np.asarray(snow.read_labels(path)) for path in (one, other.labels)]
        assert np.array_equal(*both)
        return
    texts = [re.sub(rb'"id":"[^"]*"', b"", path.read_bytes()) for path in (one, other.labels)]
    assert texts[0] == texts[1]


def test_provenance_and_pixel_size_are_in_the_file(result):
    own = read_own_labels(snow.write_labels("a.png", result))
    assert own.spacing_um == (0.25, 0.25)
    assert own.facts["model"] == "classical"
    assert own.facts["image"] == "tile"
    plain = read_own_labels(snow.write_labels("b.png", result.labels, pixel_size_um=0.5))
    assert plain.spacing_um == (0.5, 0.5)


def test_the_stain_of_a_result_is_measured(result):
    text = snow.write_labels("a.csv", result).read_text(encoding="utf-8")
    plain = snow.write_labels("b.csv", result.labels).read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(plain.splitlines()) == result.nuclei + 1
    columns = set(text.splitlines()[0].split(",")) - set(plain.splitlines()[0].split(","))
    assert {"area_um2", "mean_red", "mean_probability"} <= columns


def test_an_array_needs_no_result(tile, place):
    snow.write_labels("a.geojson", tile.labels)
    features = json.loads((place / "a.geojson").read_text(encoding="utf-8"))
    assert features


def test_nothing_is_overwritten_unasked(result):
    snow.write_labels("a.png", result)
    with pytest.raises(InputError):
        snow.write_labels("a.png", result)
    snow.write_labels("a.png", result, overwrite=True)
    with pytest.raises(InputError):
        snow.write_labels("a.unknown", result)
