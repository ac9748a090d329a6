"""The commands segment and demo as a person types them."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_snow_unet import __version__, models
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch.messages import (
    NO_SUBSETS,
    NOT_FOUND,
    OTHER_OPTIONS,
    RESULT_EXISTS,
    other_run,
)
from napari_snow_unet.cli import app, messages
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import find_model, open_model
from napari_snow_unet.segmentation.messages import AREA_OF_UNKNOWN_SIZE, LOOKS_LIKE_LABELS
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.unet.network.messages import NO_BFLOAT16


def shell(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def refused(*words):
    with pytest.raises(InputError) as error:
        CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    return error.value


@pytest.fixture
def tiles(tmp_path):
    folder = tmp_path / "tiles"
    for seed in (1, 2):
        write_image(folder / f"t{seed}.png", generate_tile(seed, size=128).image)
    return folder


def test_folders_in_a_folder_are_named_but_not_that_of_the_results(tiles):
    words = ("segment", tiles, "-o", tiles / "found", "--model", "classical")
    assert "Skipped" not in shell(*words)
    assert "Skipped" not in shell(*words, "--overwrite")
    (tiles / "patient 2").mkdir()
    assert re.search("Skipped.*: patient 2\n", shell(*words, "--overwrite"))


def test_help_names_every_command():
    text = shell("--help")
    for command in ("segment", "demo", "models"):
        assert command in text


def test_a_folder_with_the_bundled_model_gives_the_labels_of_the_pipeline(tiles, tmp_path):
    out = tmp_path / "out"
    shell("segment", tiles, "-o", out, "--probability", "--overlay", "--min-area", 30)
    model = open_model("default")
    for path in sorted(tiles.glob("*.png")):
        expected = run(segment(read_image(path).array, model, Options(min_area=30)))
        assert np.array_equal(read_labels(out / path.name), expected.labels)
        probability = read_image(out / f"{path.stem}_probability.png").array
        assert np.array_equal(probability, expected.probability)
        assert (out / f"{path.stem}_overlay.png").exists()


def test_wrong_usage_is_noticed_before_a_network_is_loaded(tiles, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_snow_unet.models.open_model", None)
    out = ("-o", tmp_path / "out")
    for words, expected in (
        (("--min-area", 10, "--min-area-um2", 5), messages.TWO_AREAS),
        (("--threshold", "1.5"), "threshold is 1.5"),
        (("--pixel-size", "-1"), "pixel size of -1"),
    ):
        text = shell("segment", tiles, *out, *words, code=2)
        assert expected in " ".join(text.replace("│", "").split())
    result = CliRunner().invoke(app, ["segment", str(tiles / "none.png"), "-o", str(out[1])])
    assert result.exception.message == NOT_FOUND
    assert "none.png" in str(result.exception)


def test_company_in_the_batch_changes_nothing(tiles, tmp_path):
    shell("segment", tiles, "-o", tmp_path / "both")
    shell("segment", tiles / "t2.png", "-o", tmp_path / "alone")
    both, alone = tmp_path / "both" / "t2.png", tmp_path / "alone" / "t2.png"
    assert both.read_bytes() == alone.read_bytes()


def test_a_bad_file_is_named_and_the_exit_code_is_1(tiles, tmp_path):
    (tiles / "t3.png").write_bytes(b"no image")
    out = tmp_path / "out"
    text = shell("segment", tiles, "-o", out, "--model", "classical", code=1)
    assert "t3.png" in text
    assert "2 of 3" in text
    assert len(list(out.glob("t*.png"))) == 2


def test_results_are_not_overwritten_without_the_flag(tiles, tmp_path):
    words = ("segment", tiles / "t1.png", "-o", tmp_path / "out", "--model", "classical")
    shell(*words)
    assert RESULT_EXISTS.problem in shell(*words, code=1)
    shell(*words, "--overwrite")


@pytest.mark.parametrize(
    "words",
    [
        ("--threshold", "half"),
        ("--threshold", "2"),
        ("--output", "outline"),
        ("--channel", "infrared"),
        ("--tile", "100"),
        ("--pixel-size", "-1"),
        ("--nonsense",),
    ],
)
def test_wrong_usage_is_exit_code_2(tiles, tmp_path, words):
    shell("segment", tiles, "-o", tmp_path, "--model", "classical", *words, code=2)


def test_demo_writes_image_truth_labels_overlay_and_scores(tmp_path):
    text = shell("demo", "-o", tmp_path, "--no-gui")
    for name in ("Image/seed0000.png", "Mask/seed0000.mat", "results/seed0000.png"):
        assert (tmp_path / name).exists()
        assert name.rsplit("/", maxsplit=1)[-1] in text
    assert (tmp_path / "results" / "seed0000_overlay.png").exists()
    (dice,) = [float(line.split()[1]) for line in text.splitlines() if line.startswith("dice")]
    assert dice > 0.8
    shell("demo", "-o", tmp_path, "--no-gui")


@pytest.mark.parametrize(
    "name", ["Image/seed0000.png", "Mask/seed0000.mat", "results/seed0000.png"]
)
def test_demo_replaces_no_tile_of_snow(tmp_path, name):
    other = generate_tile(1, size=128)
    path = tmp_path / name
    path.parent.mkdir()
    if path.suffix == ".mat":
        write_hovernet_mat(path, other.labels)
    else:
        write_image(path, other.image)
    before = path.read_bytes()
    command = ["demo", "-o", str(tmp_path), "--no-gui", "--model", "classical"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert path.name in done.output + str(done.exception)
    assert path.read_bytes() == before


def test_failures_name_their_images(tiles, tmp_path):
    words = ("--model", "classical", "--min-area-um2", 5)
    text = " ".join(shell("segment", tiles, "-o", tmp_path / "out", *words, code=1).split())
    assert f"t1.png and 1 more: {AREA_OF_UNKNOWN_SIZE.problem}" in text
    text = shell("segment", tiles, "-o", tmp_path, "--min-area", -1, code=2)
    assert "0 or more" in " ".join(text.replace("│", "").split())


def test_a_part_of_what_is_no_dataset_is_refused(tiles, tmp_path):
    command = ["segment", str(tiles / "t1.png"), "-o", str(tmp_path / "out"), "--subset", "test"]
    with pytest.raises(InputError) as refused:
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert refused.value.message == NO_SUBSETS


def test_formats_are_taken_by_commas_and_one_by_one(tiles, tmp_path):
    out = tmp_path / "out"
    words = ("--format", "geojson,CSV", "--format", "mat", "--model", "classical")
    shell("segment", tiles / "t1.png", "-o", out, *words)
    assert {path.name for path in out.iterdir()} == {
        "t1.geojson",
        "t1.csv",
        "t1.mat",
        "summary.csv",
        "options.json",
    }
    text = shell("segment", tiles, "-o", out, "--format", "jpg", code=2)
    assert "png, tif, mat" in text


@pytest.mark.parametrize(("old", "new"), [("auto", "float32"), ("mixed_bfloat16", "bfloat16")])
def test_names_of_0_1_for_precisions_are_taken_with_a_hint(request, tiles, tmp_path, old, new):
    if new != "float32":
        request.getfixturevalue("bfloat16")
    before, now = tmp_path / "before", tmp_path / "now"
    hint = messages.renamed_value("--precision", old, new)
    words = ("--precision", old, "--probability")
    assert hint in shell("segment", tiles, "-o", before, *words)
    text = shell("segment", tiles, "-o", now, "--precision", new, "--probability")
    assert old not in text
    for path in sorted(now.glob("*.png")):
        assert path.read_bytes() == (before / path.name).read_bytes()
    assert json.loads((before / "options.json").read_text())["precision"] == new


def test_a_precision_that_is_none_is_wrong_usage(tiles, tmp_path):
    text = shell("segment", tiles, "-o", tmp_path / "o", "--precision", "float8", code=2)
    assert "float32, fast, bfloat16, float16" in " ".join(text.replace("│", " ").split())


def test_any_precision_will_do_for_the_classical_method(tiles, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_snow_unet.unet.engine.openvino.computes_bfloat16", lambda: 1 / 0)
    shell("segment", tiles, "-o", tmp_path / "o", "--model", "classical", "--precision", "fast")


def precisions_in(folder):
    with (folder / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row["precision"] for row in csv.DictReader(file)]


def test_one_folder_never_mixes_number_formats(tiles, tmp_path, bfloat16):
    out, words = tmp_path / "out", ("--precision", bfloat16)
    shell("segment", tiles / "t1.png", "-o", out, *words)
    command = ["segment", str(tiles), "-o", str(out), "--precision", "float32"]
    other = other_run("--precision bfloat16", "--precision float32").problem
    with pytest.raises(InputError, match=re.escape(other)):
        CliRunner().invoke(app, [*command, "--resume"], catch_exceptions=False)
    with pytest.raises(InputError, match=re.escape(OTHER_OPTIONS.problem)):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert "--precision bfloat16" in shell("segment", tiles, "-o", out, "--resume")
    assert precisions_in(out) == ["bfloat16", "bfloat16"]


@pytest.mark.parametrize("how", [(), ("--overwrite",)])
def test_a_folder_holds_results_of_one_model(tiles, tmp_path, how):
    out, first, second = tmp_path / "out", tiles / "t1.png", tiles / "t2.png"
    shell("segment", first, "-o", out, "--model", "classical", "--threshold", 0.5)
    text = shell("segment", second, "-o", out, "--model", "classical", *how)  # other options mix
    assert CONTAIN_NAMES in text
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "t2.png").unlink()
    error = refused("segment", second, "-o", out, "--precision", "float32", *how)
    assert error.path == out / "options.json"
    names = r"--model classical, .*none; .*--model he-breast-nuclei, .*[0-9a-f]{64}"
    assert re.search(names, error.message.problem)
    (out / "t2.png").write_bytes(before["t2.png"])
    text = shell("segment", first, second, "-o", out, "--precision", "float32", "--overwrite")
    assert "2 of 2" in text  # nothing of the other model is left


@pytest.mark.parametrize(("version", "mixes"), [("0.1.5", True), ("1.0.0", False), (None, True)])
@pytest.mark.parametrize("how", [(), ("--resume",)])
def test_a_folder_holds_results_of_one_major_version(tiles, tmp_path, version, mixes, how):
    out, words = tmp_path / "out", ("--model", "classical", *how)
    shell("segment", tiles / "t1.png", "-o", out, "--model", "classical")
    record = json.loads((out / "options.json").read_text())
    assert record.pop("version") == __version__
    record |= {} if version is None else {"version": version}
    (out / "options.json").write_text(json.dumps(record))
    images = (tiles,) if how else (tiles / "t2.png",)
    if mixes:
        shell("segment", *images, "-o", out, *words)
        return
    text = str(refused("segment", *images, "-o", out, *words))
    assert f"version {version}" in text
    assert f"version {__version__}" in text


def test_fast_on_a_computer_that_lacks_it_does_not_go_on_with_bfloat16(
    tiles, tmp_path, bfloat16, monkeypatch
):
    out = tmp_path / "out"
    shell("segment", tiles / "t1.png", "-o", out, "--precision", "fast")
    assert precisions_in(out) == [bfloat16]
    monkeypatch.setattr("napari_snow_unet.unet.engine.openvino.computes_bfloat16", lambda: False)
    models._open_network.cache_clear()
    command = ["segment", str(tiles), "-o", str(out), "--resume"]
    other = other_run("--precision bfloat16", "--precision float32").problem
    refused = "cannot compute in bfloat16"
    for words, problem in (([], refused), (["--precision", "fast"], re.escape(other))):
        with pytest.raises(InputError, match=problem):
            CliRunner().invoke(app, [*command, *words], catch_exceptions=False)
    other = tmp_path / "other"
    assert NO_BFLOAT16 in " ".join(
        shell("segment", tiles, "-o", other, "--precision", "fast").split()
    )
    assert precisions_in(other) == ["float32", "float32"]
    models._open_network.cache_clear()


@pytest.mark.parametrize("was", ["mixed_bfloat16", "auto"])
def test_a_record_of_0_1_is_resumed_in_its_precision(request, tiles, tmp_path, was):
    """0.1 noted what computed, so never auto; somebody may have written it."""
    now = {"mixed_bfloat16": "bfloat16", "auto": "float32"}[was]
    if now != "float32":
        request.getfixturevalue("bfloat16")
    out = tmp_path / "out"
    shell("segment", tiles / "t1.png", "-o", out, "--precision", now)
    record = json.loads((out / "options.json").read_text())
    (out / "options.json").write_text(json.dumps(record | {"precision": was}))
    text = shell("segment", tiles, "-o", out, "--resume")
    assert "2 of 2" in text
    assert (f"--precision {now}" in text) == (now != "float32")
    assert precisions_in(out) == [now, now]
    other = {"bfloat16": "float32", "float32": "fast"}[now]
    if other == "float32":
        command = ["segment", str(tiles), "-o", str(out), "--resume", "--precision", other]
        with pytest.raises(InputError, match=f"--precision {now}, not"):
            CliRunner().invoke(app, command, catch_exceptions=False)


def test_resume_takes_the_options_of_the_run_and_refuses_others(tiles, tmp_path):
    out = tmp_path / "out"
    words = ("--model", "classical", "--threshold", 0.7, "--no-separate", "--pixel-size", 0.5)
    words += ("--min-area-um2", 4, "--format", "csv,png", "--tile", 512, "--overlay")
    shell("segment", tiles / "t1.png", "-o", out, *words)
    shell("segment", tiles, "-o", tmp_path / "whole", *words)
    text = shell("segment", tiles, "-o", out, "--resume")
    continued = messages.continued_label(out / "options.json")
    assert f"{continued}: " in text
    assert (
        "--model classical --threshold 0.7 --no-separate --min-area-um2 4.0 --pixel-size 0.5 "
        "--tile 512 --format csv,png --overlay"
    ) in text
    for name in ("t2.png", "t2.csv", "t2_overlay.png"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert continued not in shell("segment", tiles, "-o", out, "--resume", *words)
    for option, before, now in (
        (
            ("--threshold", 0.6, "--min-area", 40),
            "--threshold 0.7, no --min-area, --min-area-um2 4.0",
            "--threshold 0.6, --min-area 40.0, no --min-area-um2",
        ),
        (
            ("--clear-border", "--format", "mat", "--pixel-size", 0),
            "no --clear-border, --pixel-size 0.5, --format csv,png",
            "--clear-border, --pixel-size 0, --format mat",
        ),
    ):
        command = [str(word) for word in ("segment", tiles, "-o", out, "--resume", *option)]
        with pytest.raises(InputError) as refused:
            CliRunner().invoke(app, command, catch_exceptions=False)
        assert refused.value.message == other_run(before, now)


def test_resume_takes_the_options_of_the_last_run_in_the_folder(tiles, tmp_path):
    out, words = tmp_path / "out", ("--model", "classical")
    shell("segment", tiles / "t1.png", "-o", out, *words)
    shell("segment", tiles / "t2.png", "-o", out, *words, "--threshold", 0.9)
    (out / "t2.png").unlink()
    text = shell("segment", tiles / "t2.png", "-o", out, "--resume")
    assert "--threshold 0.9" in text
    table = (out / "summary.csv").read_text().splitlines()
    (used,) = [line.split(",")[5] for line in table if "t2.png" in line]
    assert float(used) == pytest.approx(0.9, abs=1 / 255)
    other = ["segment", str(tiles), "-o", str(out), *words, "--threshold", "0.5"]
    with pytest.raises(InputError, match=re.escape(OTHER_OPTIONS.problem)):
        CliRunner().invoke(app, other, catch_exceptions=False)
    assert len((out / "summary.csv").read_text().splitlines()) == 3
    more = ("--threshold", 0.9, "--format", "csv")
    assert "2 of 2" in shell("segment", tiles, "-o", out, *words, *more)


def test_resume_opens_the_model_folder_that_a_run_was_begun_with(tiles, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(find_model("default"), own)
    out = tmp_path / "out"
    shell("segment", tiles / "t1.png", "-o", out, "--model", own, "--precision", "float32")
    text = shell("segment", tiles, "-o", out, "--resume")
    assert f"--model {shlex.quote(str(own))}" in text
    assert "2 of 2" in text


def test_a_record_of_an_earlier_version_is_resumed(tiles, tmp_path):
    out = tmp_path / "out"
    shell("segment", tiles / "t1.png", "-o", out, "--model", "classical", "--min-area", 50)
    record = json.loads((out / "options.json").read_text())
    for name in ("test_time_augmentation", "precision", "tile", "model_folder"):
        del record[name]
    (out / "options.json").write_text(json.dumps(record))
    text = shell("segment", tiles, "-o", out, "--resume")
    assert "--model classical --min-area 50.0" in text
    command = ["segment", str(tiles), "-o", str(out), "--resume", "--tta"]
    with pytest.raises(InputError, match="no --test-time-augmentation, not"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    (out / "options.json").write_text(json.dumps(record | {"min_area": "large"}))
    with pytest.raises(InputError, match=r"min_area.*'large'"):
        CliRunner().invoke(app, command, catch_exceptions=False)


def test_labels_among_the_images_are_named(tiles, tmp_path):
    write_image(tiles / "t1_other.png", generate_tile(1, size=128).labels.astype(np.uint8))
    text = shell("segment", tiles, "-o", tmp_path / "out", "--model", "classical")
    printed = " ".join(text.split())
    assert f"t1_other.png: {LOOKS_LIKE_LABELS}" in printed
    assert printed.count(LOOKS_LIKE_LABELS) == 1
