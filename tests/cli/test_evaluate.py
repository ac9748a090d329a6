"""The command evaluate as a person types it."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.cli import app
from napari_snow_unet.cli import messages as cli_messages
from napari_snow_unet.cli.usage import flags_of
from napari_snow_unet.data.datasets.manifest import Tile, write_manifest
from napari_snow_unet.data.formats.geojson_writing import write_geojson
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.formats.nuclei_file import write_stack
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.metrics.files import messages
from napari_snow_unet.metrics.planes.messages import NO_PIXEL_INSIDE
from napari_snow_unet.metrics.planes.scoring import score_sets
from napari_snow_unet.metrics.report.messages import NO_PIXEL_INSIDE as NOTHING_INSIDE
from napari_snow_unet.metrics.scores.score_names import KEYS
from napari_snow_unet.widgets.common.scoring import Comparison, compare

SEEDS = (1, 2, 3)


def shell(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


def refused(*words):
    """Return the error that the shell prints as a sentence."""
    with pytest.raises(InputError) as error:
        CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    return error.value.text(flags_of(error.value.helps))


def scores(*words, code=0):
    return json.loads(shell("evaluate", *words, "--json", code=code).stdout)


@pytest.fixture
def data(tmp_path):
    """A small prepared dataset: a tile for training, two for the test."""
    folder = tmp_path / "data"
    rows = []
    for index, seed in enumerate(SEEDS):
        tile = generate_tile(seed, size=128)
        image, mask = f"images/{index:06d}.png", f"masks/{index:06d}.png"
        write_image(folder / image, tile.image)
        write_labels(folder / mask, tile.labels)
        split = "train" if index == 0 else "test"
        name, nuclei = f"seed{index:04d}", int(tile.labels.max())
        sources = (f"Image/{name}.png", f"Mask/{name}.mat")
        rows.append(Tile(index, image, mask, name, *sources, 128, 128, nuclei, 0.2, split))
    write_manifest(folder, rows)
    return folder


def test_the_test_of_the_paper(data, tmp_path):
    out = tmp_path / "out"
    shell("segment", data, "--subset", "test", "--probability", "--overlay", "-o", out)
    got = scores(out, data, "--subset", "test", "--probability", out)
    assert [tile["name"] for tile in got["tiles"]] == ["000001", "000002"]
    assert got["missing"] == []
    for entry in (*got["tiles"], got["mean"], got["pooled"]):
        assert set(KEYS) <= set(entry)
        assert set(entry["at"]) == {"otsu", "0.5"}
    truth = np.concatenate([read_labels(data / "masks" / f"00000{k}.png") for k in (1, 2)]) > 0
    found = np.concatenate([read_labels(out / f"00000{k}.png") for k in (1, 2)]) > 0
    maps = [read_image(out / f"00000{k}_probability.png").array for k in (1, 2)]
    probability = np.concatenate(maps).ravel()
    pooled = got["pooled"]
    assert pooled["auc"] == pytest.approx(roc_auc_score(truth.ravel(), probability), abs=1e-9)
    assert pooled["dice"] == pytest.approx(f1_score(truth.ravel(), found.ravel()), abs=1e-12)
    half = f1_score(truth.ravel(), probability > 127)
    assert pooled["at"]["0.5"]["dice"] == pytest.approx(half, abs=1e-12)
    assert pooled["average_hausdorff"] is None


def test_a_split_not_asked_for_is_missing(data, tmp_path):
    shell("segment", data, "--subset", "test", "--model", "classical", "-o", tmp_path / "out")
    got = scores(tmp_path / "out", data, code=1)
    assert got["missing"] == ["000000"]
    assert len(got["tiles"]) == 2


def test_predictions_maps_and_regions_may_have_the_names_of_the_sources(data, tmp_path):
    region = np.ones((128, 128), np.int32)
    region[:, 100:] = 0
    for index in range(len(SEEDS)):
        write_labels(tmp_path / "found" / f"seed{index:04d}_mask.png", _mask(data, index))
        write_labels(tmp_path / "regions" / f"seed{index:04d}.png", region)
        grey = np.where(_mask(data, index), 250, 3).astype(np.uint8)
        write_image(tmp_path / "maps" / f"seed{index:04d}.png", grey)
    options = ("--probability", tmp_path / "maps", "--region", tmp_path / "regions")
    got = scores(tmp_path / "found", data, *options)
    assert [tile["name"] for tile in got["tiles"]] == ["000000", "000001", "000002"]
    assert {tile[key] for tile in got["tiles"] for key in ("dice", "pq", "auc")} == {1}
    got = scores(tmp_path / "found", data, "--subset", "test")
    assert [tile["name"] for tile in got["tiles"]] == ["000001", "000002"]
    assert len(got["without_truth"]) == 1


def test_a_table_of_somebody_else_is_no_dataset(data, tmp_path):
    (data / "manifest.csv").write_text("image,label,split\n")
    error = refused("evaluate", data / "masks", data, "--subset", "test")
    assert "manifest.csv" in error
    assert "index, mask, name." in error


def test_truth_against_itself_is_perfect(data):
    got = scores(data / "masks", data, "--pixel-size", 0.25)
    perfect = {"dice": 1, "pq": 1, "aji": 1, "ap_50_95": 1, "average_hausdorff": 0, "n_split": 0}
    for tile in got["tiles"]:
        assert {key: tile[key] for key in perfect} == perfect
        assert tile["auc"] is None
    assert got["average_hausdorff_unit"] == "um"


def test_the_table_and_two_single_files(data):
    text = shell("evaluate", data / "masks" / "000001.png", data / "masks" / "000002.png").stdout
    for word in ("Dice", "PQ", "AJI+", "AP 0.50:0.95", "average Hausdorff (pixels)"):
        assert word in text


def test_reports_and_comparison(data, tmp_path):
    for index in range(3):
        write_labels(tmp_path / "worse" / f"{index:06d}.png", np.roll(_mask(data, index), 5))
    out = tmp_path / "report"
    words = ("evaluate", data / "masks", data, "--compare", tmp_path / "worse", "-o", out)
    text = shell(*words).stdout
    assert CONTAIN_NAMES in text
    assert cli_messages.largest_differences(("",)).split(":")[0] in text
    content = json.loads((out / "scores.json").read_text())
    low, high = content["compare"][0]["difference"]["dice"]["interval_95"]
    assert low <= high < 0
    assert "data:image/png" in (out / "report.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"scores\.csv"):
        CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    shell(*words, "--overwrite")


def test_predictions_of_one_name_are_named_by_their_paths(data, tmp_path):
    for parent in "ab":
        write_labels(tmp_path / parent / "run" / "000001.png", _mask(data, 1))
    got = scores(
        tmp_path / "a" / "run",
        data / "masks" / "000001.png",
        "--compare",
        tmp_path / "b" / "run",
    )
    assert [got["prediction"], got["compare"][0]["prediction"]] == [
        str(tmp_path / "a" / "run"),
        str(tmp_path / "b" / "run"),
    ]


def test_a_bad_file_is_named_and_the_exit_code_is_1(data, tmp_path):
    for index in (0, 1):
        write_labels(tmp_path / "out" / f"{index:06d}.png", _mask(data, index))
    (tmp_path / "out" / "000002.png").write_bytes(b"no image")
    result = shell("evaluate", tmp_path / "out", data, code=1)
    assert "000002.png" in result.stderr
    assert "2 tiles" in result.stdout


def test_a_probability_map_is_not_scored_as_labels(data, tmp_path):
    shell("segment", data, "--subset", "test", "--probability", "-o", tmp_path / "out")
    (tmp_path / "maps").mkdir()
    for name in ("000001", "000002"):
        path = tmp_path / "out" / f"{name}_probability.png"
        path.rename(tmp_path / "maps" / f"{name}.png")
    one = tmp_path / "maps" / "000001.png"
    for words in ((one, data / "masks" / "000001.png"), (data / "masks" / "000001.png", one)):
        error = refused("evaluate", *words)
        assert re.search(r"000001\.png: .*probability map \(", error)
    write_labels(tmp_path / "maps" / "000002.png", _mask(data, 2), overwrite=True)
    got = scores(tmp_path / "maps", data, "--subset", "test", code=1)
    assert [tile["name"] for tile in got["tiles"]] == ["000002"]
    assert "grey levels in" in got["failed"][0]["reason"]


def test_region_limits_the_scores(data, tmp_path):
    region = np.zeros((128, 128), np.int32)
    region[:, :60] = 255
    write_labels(tmp_path / "region.png", region)
    prediction = _mask(data, 1).copy()
    prediction[:, 60:] = 0
    write_labels(tmp_path / "left.png", prediction)
    truth = data / "masks" / "000001.png"
    assert scores(tmp_path / "left.png", truth)["pooled"]["dice"] < 1
    limited = scores(tmp_path / "left.png", truth, "--region", tmp_path / "region.png")
    assert limited["pooled"]["dice"] == limited["pooled"]["pq"] == 1
    assert limited["pooled"]["n_truth"] < scores(truth, truth)["pooled"]["n_truth"]


def test_a_region_that_is_not_there_is_named_first(data, tmp_path):
    error = refused("evaluate", data / "masks", data, "--region", tmp_path / "regoin.png")
    assert error.startswith(f"{tmp_path / 'regoin.png'}: ")
    assert "--region" in error


def test_equal_reasons_are_printed_once_and_do_not_claim_sizes(data, tmp_path):
    inside = np.ones((128, 128), np.int32)
    write_labels(tmp_path / "regions" / "000001.png", inside)
    words = ("evaluate", data / "masks", data, "--region", tmp_path / "regions")
    text = shell(*words, code=1).stderr
    assert text.count(messages.NO_REGION_OF_TILE.problem) == 1
    assert "000000, 000002: " in text
    (tmp_path / "regions" / "000001.png").rename(tmp_path / "regions" / "other.png")
    error = refused(*words)
    assert "3 tiles" in error
    assert messages.NO_REGION_OF_TILE.problem in error
    assert "size" not in error


def test_a_region_without_a_pixel_is_exit_code_1(data, tmp_path):
    write_labels(tmp_path / "empty.png", np.zeros((128, 128), np.int32))
    words = ("evaluate", data / "masks", data, "--region", tmp_path / "empty.png")
    text = shell(*words, "-o", tmp_path / "out", code=1).stderr
    assert NOTHING_INSIDE in text


def test_both_means_of_a_comparison_are_over_the_tiles_of_both(data, tmp_path):
    for index in (0, 1):
        write_labels(tmp_path / "worse" / f"{index:06d}.png", np.roll(_mask(data, index), 5))
    (tmp_path / "some").mkdir()
    for index in (1, 2):
        moved = np.roll(_mask(data, index), 2 * index)
        write_labels(tmp_path / "some" / f"{index:06d}.png", moved)
    words = ("evaluate", tmp_path / "some", data, "--compare", tmp_path / "worse")
    text = shell(*words, "-o", tmp_path / "out", code=1).stdout
    rows = text[text.index("mean of 1 tile in both") :].splitlines()
    (dice,) = (row for row in rows if row.startswith("Dice (F1)"))
    before, after, difference = (float(cell) for cell in dice.split()[2:5])
    assert after - before == pytest.approx(difference, abs=2e-4)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    part = page[page.index("mean of the 1 tile in all predictions") :]
    row = part[part.index("<td>Dice (F1)</td>") :].partition("</tr>")[0]
    assert row == f"<td>Dice (F1)</td><td>{before:.4f}</td><td>{after:.4f}</td>"


def test_truth_prediction_and_region_may_be_outlines(data, tmp_path):
    mask = data / "masks" / "000001.png"
    labels = read_labels(mask)
    labels[100:] = 0  # outlines end before the image does
    found = labels.copy()
    found[found == found.max()] = 0
    for name, array in (("truth", labels), ("found", found)):
        (tmp_path / name).mkdir()
        write_labels(tmp_path / name / "tile.png", array)
        (tmp_path / f"{name}-outlines").mkdir()
        write_geojson(tmp_path / f"{name}-outlines" / "tile.geojson", array)
    expected = scores(tmp_path / "found", tmp_path / "truth")
    assert expected["pooled"]["n_truth"] == expected["pooled"]["n_prediction"] + 1
    for found, truth in (
        ("found", "truth-outlines"),
        ("found-outlines", "truth"),
        ("found-outlines", "truth-outlines"),
    ):
        got = scores(tmp_path / found, tmp_path / truth)
        assert got["pooled"]["pq"] == pytest.approx(expected["pooled"]["pq"])
        assert got["pooled"]["dice"] == pytest.approx(expected["pooled"]["dice"])
    region = np.zeros((128, 128), np.int32)
    region[:64, :64] = 1
    write_labels(tmp_path / "region.png", region)
    write_geojson(tmp_path / "region.geojson", region)
    by_pixels, by_outline = (
        scores(tmp_path / "found", tmp_path / "truth", "--region", tmp_path / f"region.{kind}")
        for kind in ("png", "geojson")
    )
    assert by_outline == by_pixels
    assert by_pixels["pooled"]["n_truth"] < expected["pooled"]["n_truth"]


@pytest.mark.parametrize("words", [("--pixel-size", "0"), ("--subset", "all"), ("--compare",)])
def test_wrong_usage_is_exit_code_2(data, words):
    shell("evaluate", data / "masks", data, *words, code=2)


def _mask(data, index):
    return read_labels(data / "masks" / f"{index:06d}.png")


def test_the_same_again_gives_the_same_report(data, tmp_path):
    """Bootstrap intervals included; only the folder it is written to has another name."""
    out = tmp_path / "out"
    shell("segment", data, "--model", "classical", "-o", out)
    for name in ("first", "second"):
        shell("evaluate", out, data / "masks", "-o", tmp_path / name)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("first", "second"))
    assert [path.name for path in first] == ["report.html", "scores.csv", "scores.json"]
    for one, other in zip(first, second, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()


def slices():
    """Labels of three slices, and what was found in them: shifted, and nothing in the last."""
    truth = np.stack([generate_tile(seed, size=96).labels for seed in SEEDS])
    found = np.roll(truth, 2, axis=2)
    found[2] = 0
    return found, truth


def test_stacks_are_compared_slice_by_slice_as_in_the_dock(tmp_path):
    found, truth = slices()
    maps = np.where(found, 220, 30).astype(np.uint8) + (truth > 0).astype(np.uint8) * 20
    for name, planes in (("found/a", found), ("truth/a", truth), ("maps/a_probability", maps)):
        write_stack(tmp_path / f"{name}.tif", planes)
    write_labels(tmp_path / "found" / "b.png", found[0])
    write_labels(tmp_path / "truth" / "b.png", truth[0])
    a = (tmp_path / "found" / "a.tif", tmp_path / "truth" / "a.tif")
    of_labels = scores(*a, "--pixel-size", 0.5)
    of_map = scores(*a, "--probability", tmp_path / "maps" / "a_probability.tif")
    chosen = Comparison(found, truth, list(np.ndindex(3)), spacing_um=(0.5, 0.5))
    docks = score_sets(run(compare(chosen)), "a")
    got = {"pooled": of_labels["pooled"], "mean": of_labels["mean"]}
    got |= {tile.pop("name").removeprefix("a: "): tile for tile in of_labels["tiles"]}
    assert list(docks) == ["pooled", "mean", "slice 0", "slice 1", "slice 2"]
    assert got == docks
    docks = score_sets(run(compare(replace(chosen, prediction=maps, threshold="otsu"))), "a")
    for level, title in (("otsu", "Otsu"), ("0.5", "0.5")):
        expected = docks[f"pooled at {title}"]
        at = of_map["pooled"]["at"][level]
        assert at == {key: expected[key] for key in at}
    assert of_map["tiles"][1]["auc"] == docks["slice 1"]["auc"]
    out = tmp_path / "report"
    text = shell("evaluate", tmp_path / "found", tmp_path / "truth", "-o", out).stdout
    assert "4 tiles" in text
    with (out / "scores.csv").open(newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert names == ["a: slice 0", "a: slice 1", "a: slice 2", "b"]
    assert "worst: a: slice 2" in (out / "report.html").read_text(encoding="utf-8")


def test_a_region_of_a_stack_is_one_plane_for_all_or_leaves_slices_out(tmp_path):
    found, truth = slices()
    write_stack(tmp_path / "found.tif", found)
    write_stack(tmp_path / "truth.tif", truth)
    inside = np.zeros((96, 96), np.int32)
    inside[:, :48] = 1
    write_labels(tmp_path / "plane.png", inside)
    write_stack(tmp_path / "slices.tif", np.stack([inside, inside * 0, inside * 0]))
    write_stack(tmp_path / "nothing.tif", np.zeros_like(truth))
    files = (tmp_path / "found.tif", tmp_path / "truth.tif", "--region")
    every = scores(*files, tmp_path / "plane.png")["tiles"]
    assert [tile["name"] for tile in every] == [f"found: slice {k}" for k in range(3)]
    assert scores(*files, tmp_path / "slices.tif")["tiles"] == every[:1]
    assert NO_PIXEL_INSIDE.problem in refused("evaluate", *files, tmp_path / "nothing.tif")


def test_a_stack_beside_an_image_is_refused_with_both_sizes(tmp_path):
    found, truth = slices()
    write_stack(tmp_path / "found.tif", found)
    write_labels(tmp_path / "truth.png", truth[0])
    error = refused("evaluate", tmp_path / "found.tif", tmp_path / "truth.png")
    assert re.search("3 x 96 x 96 .* 96 x 96", error)
