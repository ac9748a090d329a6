"""The tiles and recipes of the bundled weights: folds, light, limits of agreement."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.data.datasets.manifest import Tile

TOOLS = Path(__file__).parents[1] / "tools"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


tiles = tool("assemble_training_tiles")
screen = tool("screen_recipes")
EMPTY = np.zeros((1, 1))


def made(name, group=""):
    return tiles.Made(name, EMPTY, EMPTY, group)


def manifest_tile(name, **more):
    return Tile(0, "a.png", "b.png", name, "", "", 8, 8, 0, 0.0, **more)


def test_patients_and_organs_stay_in_one_fold():
    members = [made(f"tnbc_{p:02}_{n}", f"{p:02}") for p in range(1, 9) for n in range(3)]
    organs = {"liver": 12, "brain": 9, "lung": 5, "spleen": 4, "skin": 4, "gut": 2}
    members += [made(f"nuinsseg_{o}_{n}", o) for o, many in organs.items() for n in range(many)]
    members += [made(f"snow_ex_{n:02}") for n in range(12)] + [made("dsb_he_1")]
    folds = tiles.dealt(members)
    groups = {}
    for member in members:
        if member.group:
            groups.setdefault(member.group, set()).add(folds[member.name])
    assert all(len(found) == 1 for found in groups.values())
    assert "dsb_he_1" not in folds
    for kind, least in (("tnbc", 6), ("snow", 3), ("nuinsseg", 7)):
        sizes = np.bincount([fold for name, fold in folds.items() if name.startswith(kind)])
        assert len(sizes) == 4
        assert sizes.min() >= least


def test_a_source_that_is_left_out_validates_alone():
    every = [manifest_tile("tnbc_01_1", fold=0), manifest_tile("snow_ex_01", fold=1)]
    left = tiles.without(every, "tnbc")
    assert [(tile.split, tile.fold) for tile in left] == [("val", None), ("train", None)]


def test_dark_tiles_are_lifted_to_a_limit_and_bright_ones_stay():
    ramp = np.repeat(np.arange(100, dtype=np.uint8)[:, None, None], 3, axis=-1)
    assert tiles.lifted(ramp).max() == round(99 * tiles.LARGEST_GAIN)
    half = tiles.lifted((ramp * 1.5).astype(np.uint8))
    assert abs(int(np.percentile(half, 99)) - tiles.WHITE) <= 2
    bright = ramp + np.uint8(150)
    assert np.array_equal(tiles.lifted(bright), bright)


def test_limits_of_agreement():
    """Of errors with a standard deviation of 10 around 5 they are 5 plus or minus 19.6."""
    assert screen.limits([-5.0, 5.0, 15.0]) == (5.0, -14.6, 24.6)
    assert screen.limits([1.0]) == (None, None, None)


def test_a_summary_counts_only_tiles_with_many_nuclei():
    def score(nuclei, found, area, false):
        return screen.TileScore("nuinsseg_a_1", 0.5, 0.25, nuclei, found, 1000, area, false, 3000)

    rows = [score(20, 10, 1000, 100), score(20, 30, 1000, 300), score(2, 40, 0, 0)]
    values = screen.summary(rows)
    assert values["tiles"] == 3
    assert values["count_bias"] == pytest.approx(0)
    assert values["area_bias"] == pytest.approx(100 * ((2 + 2 / 3) / 2 - 1), abs=0.01)
    assert values["false_area"] == pytest.approx(100 * 400 / 6000, abs=1e-3)
    assert screen.set_of(rows[2]) == ["nuinsseg", "sparse"]


def test_tables_have_a_line_for_every_variant():
    rows = [
        screen.Row("baseline", "", 8, fold, 0, kind, 3, 0.5 + fold / 10)
        for fold in (1, 3)
        for kind in ("tnbc", "snow")
    ]
    lines = screen.markdown([*rows, screen.Row("stain", "", 8, 1, 0, "snow", 3, 0.25)]).split("\n")
    assert len(lines) == 4
    assert lines[2].startswith("| baseline | 8 | 2 | 0.700 | 0.700 |")
    assert lines[3].startswith("| stain | 8 | 1 | - | 0.250 |")
