"""Texts that make a result again: short where nothing was chosen, complete where it was."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from napari_snow_unet.cli import app
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import Recipe, as_command, as_python


def recipe(**changes):
    facts = {
        "source": "/data/it's a tile.png",
        "model": "default",
        "options": Options(),
        "pixel_size_um": None,
        "shape": (20, 30),
        "rgb": True,
        "planes": [()],
        "provenance": {"versions": {"numpy": "2.0"}, "model_checksum": "ab12"},
    }
    return Recipe(**facts | changes)


def test_a_program_says_what_it_was_made_with():
    text = as_python(recipe())
    assert re.match(r"# .*numpy 2\.0.*\n# .*ab12\n", text)
    program = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert program == [
        "import napari_snow_unet as snow",
        "model = snow.load_model('default', precision='float32')",
        'result = snow.segment("/data/it\'s a tile.png", model, pixel_size_um=0)',
        "labels = result.labels",
    ]


def test_a_program_for_a_large_image_writes_its_labels_first():
    text = as_python(recipe(to_files=True, pixel_size_um=0.25, options=Options(threshold=0.6)))
    assert "segment_folder(\"/data/it's a tile.png\", 'nuclei', model, threshold=0.6, " in text
    assert "pixel_size_um=0.25" in text
    compile(text, "text", "exec")


NETWORK = {"precision": "float16", "model_checksum": "ab12"}


def test_every_choice_is_in_the_command():
    options = Options(
        threshold=0.1 + 0.2,
        output="mask",
        separate=False,
        min_area=12.5,
        min_area_um2=3.25,
        fill_holes=False,
        clear_border=True,
        channel="hematoxylin",
        pixel_size_um=0.4,
        tile=512,
        test_time_augmentation=True,
    )
    words = shlex.split(as_command(recipe(options=options, pixel_size_um=0.4, provenance=NETWORK)))
    assert words[:3] == ["napari-snow-unet", "segment", "/data/it's a tile.png"]
    switches = {"--no-separate", "--no-fill-holes", "--clear-border", "--test-time-augmentation"}
    assert switches <= set(words)
    pairs = dict(zip(*[iter(word for word in words[3:] if word not in switches)] * 2, strict=True))
    assert float(pairs.pop("--threshold")) == options.threshold
    assert pairs == {
        "-o": "nuclei",
        "--model": "default",
        "--output": "mask",
        "--min-area": "12.5",
        "--min-area-um2": "3.25",
        "--channel": "hematoxylin",
        "--tile": "512",
        "--pixel-size": "0.4",
        "--precision": "float16",
    }
    known = typer.main.get_command(app).commands["segment"].params
    assert {*pairs, *switches} <= {flag for parameter in known for flag in parameter.opts}


@pytest.mark.parametrize(("planes", "whole"), [([(0,), (1,)], True), ([(1,)], False)])
def test_slices_are_named_where_some_are_left_out(planes, whole):
    made = recipe(shape=(2, 20, 30), planes=planes, rgb=False)
    assert made.is_whole is whole
    assert ("planes=[(1,)]" in as_python(made)) is not whole
    compile(as_python(made), "text", "exec")
