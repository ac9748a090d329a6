"""Scores of arrays, files, results and folders."""

import json
from pathlib import Path

import numpy as np
import pytest

import napari_snow_unet as snow
from napari_snow_unet.api import messages
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.metrics.scores.score_names import KEYS


def squares(*corners, size=30):
    labels = np.zeros((size, size), int)
    for number, (y, x) in enumerate(corners, start=1):
        labels[y : y + 5, x : x + 5] = number
    return labels


def test_scores_are_a_mapping_of_numbers():
    truth = squares((2, 2), (12, 12))
    scores = snow.evaluate(squares((2, 2)), truth)
    assert scores["precision"] == 1
    assert scores["recall"] == 0.5
    assert scores["dice"] == pytest.approx(2 / 3)
    assert tuple(scores) == KEYS
    assert dict(scores)["n_truth"] == 2
    assert "<td>Dice (F1)</td><td>0.6667</td>" in scores._repr_html_()
    with pytest.raises(KeyError) as error:
        scores["dise"]
    assert error.value.args == (messages.no_such_name("dise", "dice", KEYS),)


def test_a_mask_is_split_into_its_components_unless_it_is_one_nucleus():
    truth = squares((2, 2), (12, 12))
    assert snow.evaluate((truth > 0) * 255, truth)["aji"] == 1
    assert snow.evaluate(truth > 0, truth)["n_prediction"] == 2
    assert snow.evaluate((truth > 0) * 7, truth, instances=True)["n_prediction"] == 1


def test_sides_are_arrays_files_results_and_layers(tile, result):
    from napari.layers import Labels

    expected = snow.evaluate(result.labels, tile.labels, probability=result.probability)
    assert expected["auc"] is not None
    snow.write_labels("mine.png", result)
    snow.write_labels("truth.geojson", tile.labels)
    for prediction in (result, result.labels, "mine.png", Labels(result.labels)):
        for truth in (tile.labels, Path("truth.png")):
            scores = snow.evaluate(prediction, truth, probability=result.probability)
            assert dict(scores) == dict(expected)
    assert snow.evaluate(result, tile.labels)["auc"] == expected["auc"]
    assert snow.evaluate("truth.geojson", tile.labels)["dice"] == 1
    assert snow.evaluate(result, "truth.geojson")["dice"] == expected["dice"]


def test_a_region_and_a_pixel_size():
    truth, inside = squares((2, 2), (12, 12)), np.zeros((30, 30))
    inside[:10, :10] = 1
    assert snow.evaluate(squares((2, 2)), truth, region=inside)["dice"] == 1
    far = squares((2, 4)), squares((2, 2))
    in_pixels = snow.evaluate(*far)["average_hausdorff"]
    assert snow.evaluate(*far, pixel_size_um=0.5)["average_hausdorff"] == in_pixels / 2


def test_planes_of_a_stack_are_pooled():
    truth = np.stack([squares((2, 2)), squares((12, 12))])
    scores = snow.evaluate(np.stack([truth[0], squares()]), truth)
    assert (scores["recall"], scores["n_truth"]) == (0.5, 2)
    assert scores["average_hausdorff"] is None


def test_what_was_assumed_is_said():
    truth = squares((2, 2))
    assert any(text.startswith("Prediction: ") for text in snow.evaluate(truth * 0, truth).messages)


def test_other_shapes_are_refused():
    with pytest.raises(InputError) as error:
        snow.evaluate(squares(size=30), squares(size=40))
    assert error.value.message == messages.other_shapes((30, 30), (40, 40))


def test_a_folder_is_scored_and_reported(place):
    snow.segment_folder("images", "out", "classical")
    seen = []
    scores = snow.evaluate_folder("out", "masks", progress=seen.append)
    assert seen[-1].done == seen[-1].total == 8
    assert set(scores.tiles) == {str(number) for number in range(8)}
    one = snow.evaluate("out/2.png", "masks/2.png")
    assert scores.tiles["2"] == dict(one)
    assert 0 < scores.pooled["dice"] <= 1
    assert not scores.failed
    written = {path.name: path for path in scores.write("report")}
    for missing in (scores.pooled, scores.mean, scores.tiles["0"]):
        with pytest.raises(KeyError) as error:
            missing["dise"]
        assert error.value.args == (messages.no_such_name("dise", "dice", KEYS),)
    with pytest.raises(KeyError) as error:
        scores.tiles["0.png"]
    assert error.value.args == (messages.no_such_name("0.png", "", tuple(scores.tiles)),)
    told = json.loads(written["scores.json"].read_text(encoding="utf-8"))
    assert told["mean"]["dice"] == scores.mean["dice"]
    assert "<th>8 tiles</th>" in scores._repr_html_()
    (place / "masks" / "9.png").write_bytes(b"no mask")
    scores = snow.evaluate_folder("out", "masks")
    assert any("9" in text for text in scores.messages)
