"""Measures of tiles and their sum."""

from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.metrics.scores import tile
from napari_snow_unet.metrics.scores.score_names import KEYS

TRUTH = np.array([[1, 1, 0, 0], [0, 0, 2, 2]])
FOUND = np.array([[4, 4, 0, 0], [0, 0, 0, 5]])
PROBABILITY = np.array([[200, 128, 127, 0], [0, 130, 90, 255]], np.uint8)


def test_keys_and_labels_only() -> None:
    scores = tile.compare(FOUND, TRUTH).scores()
    assert tuple(scores) == KEYS
    assert scores["auc"] is None
    assert scores["dice"] == 6 / 7
    assert scores["average_hausdorff"] == 1 / 8
    assert tile.compare(FOUND, TRUTH).scores_at() == {}
    assert tile.compare(FOUND, TRUTH, spacing=0.5).scores()["average_hausdorff"] == 1 / 16


def test_probability_at_otsu_and_half() -> None:
    measures = tile.compare(FOUND, TRUTH, probability=PROBABILITY, otsu_level=80)
    assert measures.scores()["auc"] == (4 + 3 + 2 + 4) / 16
    at = measures.scores_at()
    assert at["0.5"]["precision"] == 3 / 4
    assert (at["otsu"]["precision"], at["otsu"]["recall"]) == (4 / 6, 1)
    assert (at["0.5"]["dice"], at["otsu"]["dice"]) == (6 / 8, 8 / 10)


def test_tiles_pooled() -> None:
    one = tile.compare(FOUND, TRUTH, probability=PROBABILITY, otsu_level=80)
    two = tile.compare(TRUTH, TRUTH, probability=PROBABILITY, otsu_level=127)
    pooled = tile.pool([one, two])
    assert pooled.scores()["average_hausdorff"] is None
    assert pooled.scores()["dice"] == 14 / 15
    assert pooled.scores()["auc"] == one.scores()["auc"]
    assert pooled.scores_at()["otsu"]["recall"] == (4 + 3) / 8
    assert tile.pool([one]).scores() == one.scores()


def test_a_tile_without_a_map_leaves_the_pool_without_auc() -> None:
    one = tile.compare(FOUND, TRUTH, probability=PROBABILITY, otsu_level=80)
    pooled = one + tile.compare(FOUND, TRUTH)
    assert pooled.scores()["auc"] is None
    assert pooled.scores_at() == {}


def test_region_limits_every_score() -> None:
    region = np.array([[1, 1, 1, 1], [0, 0, 0, 0]], bool)
    got = tile.compare(FOUND, TRUTH, probability=PROBABILITY, otsu_level=80, region=region)
    cut = tile.compare(FOUND[:1], TRUTH[:1], probability=PROBABILITY[:1], otsu_level=80)
    assert got.scores() == cut.scores()
    assert got.scores_at() == cut.scores_at()


def test_a_map_needs_its_level() -> None:
    with pytest.raises(ValueError, match="otsu_level"):
        tile.compare(FOUND, TRUTH, probability=PROBABILITY)


def test_the_documentation_names_every_score() -> None:
    text = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [key for key in KEYS if f"`{key}`" not in text] == []
