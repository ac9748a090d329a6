"""The commands prepare, check and split as a person types them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.cli import app, messages
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.check.messages import checked
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.datasets.prepare.messages import prepared
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile


def shell(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def snow(tmp_path):
    """Ten tiles of two patients, unpacked as SNOW is."""
    for number in range(10):
        tile = generate_tile(number, size=64)
        name = f"p{number % 2}_seed{number:04d}"
        write_image(tmp_path / "snow" / "Image" / f"{name}.png", tile.image)
        write_hovernet_mat(tmp_path / "snow" / "Mask" / f"{name}.mat", tile.labels)
    return tmp_path / "snow"


def test_help_names_the_commands():
    text = shell("--help").output
    for command in ("prepare", "check", "split"):
        assert command in text


def test_prepare_check_and_split(snow, tmp_path):
    out = tmp_path / "out"
    subsets = {"train": 7, "val": 1, "test": 2}
    text = shell("prepare", snow, "-o", out, "--seed", 1).output
    assert text.startswith(prepared(out, 10, 10, subsets))
    assert shell("prepare", snow, "-o", out).output.startswith(prepared(out, 10, 0, subsets))
    text = shell("check", out).output
    report = run(check_dataset(out, workers=1))
    assert report.problems == []
    assert text.strip().endswith(checked(10, 0, len(report.findings)))
    assert "64 x 64 (10)" in text
    text = shell("split", out, "--train", "0.5", "--test", "50%", "--group-by", r"p(\d)").output
    assert text.strip() == of_datasets.subsets({"train": 5, "val": 0, "test": 5})
    assert len({(tile.name[:2], tile.split) for tile in read_manifest(out)}) == 2
    text = shell("split", out, "--train", "1.0", "--folds", 4).output
    assert text.strip().endswith(of_datasets.folds((3, 3, 2, 2)))


def test_folds_alone_leave_the_subsets_as_they_are(snow, tmp_path):
    out = tmp_path / "out"
    shell("prepare", snow, "-o", out, "--train", 5, "--val", 2, "--test", 3)
    before = [tile.split for tile in read_manifest(out)]
    shell("split", out, "--folds", 2)
    tiles = read_manifest(out)
    assert [tile.split for tile in tiles] == before
    assert {tile.fold for tile in tiles if tile.split == "test"} == {None}
    assert {tile.fold for tile in tiles if tile.split != "test"} == {0, 1}


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_says_how_to_continue(snow, tmp_path):
    for number in range(10, 400):
        image = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        write_image(snow / "Image" / f"seed{number:04d}.png", image)
        write_hovernet_mat(snow / "Mask" / f"seed{number:04d}.mat", np.eye(64, dtype=np.int32))
    out = tmp_path / "out"
    words = ("prepare", str(snow), "-o", str(out), "--workers", "1")
    # What a shell starts in the background ignores Ctrl-C; here it shall not.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from napari_snow_unet.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True
    ) as process:
        while not (out / "images" / "000003.png").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        text = process.stderr.read()
    assert process.returncode == 130
    done = len(read_manifest(out))
    assert 1 <= done < 400
    assert text.strip().endswith(messages.preparing_stopped(done, 400))
    assert f"400 tiles ({400 - done} new)" in shell(*words).output


def test_problems_are_listed_and_the_exit_code_is_1(snow, tmp_path):
    (snow / "Mask" / "p0_seed0000.mat").write_text("not one")
    result = shell("prepare", snow, "-o", tmp_path / "out", code=1)
    assert result.stdout.startswith("9 tiles (9 new)")
    assert "snow/Mask/p0_seed0000.mat: " in result.stderr
    (tmp_path / "out" / "masks" / "000003.png").write_bytes(b"")
    result = shell("check", tmp_path / "out", code=1)
    assert "Problem: images/000003.png" in result.stdout


def test_json_is_all_that_is_printed(snow, tmp_path):
    (snow / "Image" / "p0_seed0000.png").unlink()
    result = shell("prepare", snow, "-o", tmp_path / "out", "--json", code=1)
    summary = json.loads(result.stdout)
    assert summary["tiles"] == summary["new"] == 9
    assert sum(summary["split"].values()) == 9
    (problem,) = summary["problems"]
    assert problem["name"] == "snow/Mask/p0_seed0000.mat"
    assert "No image has the same name" in problem["reason"]
    report = json.loads(shell("check", tmp_path / "out", "--json").stdout)
    assert (report["tiles"], report["problems"]) == (9, 0)
    split = json.loads(shell("split", tmp_path / "out", "--folds", 3, "--json").stdout)
    assert sum(split["folds"]) == summary["split"]["train"] + summary["split"]["val"]


def test_many_problems_are_cut_short_on_the_screen(snow, tmp_path):
    for number in range(30):
        write_image(snow / "Image" / f"lone{number}.png", np.zeros((8, 8, 3), np.uint8))
    result = shell("prepare", snow, "-o", tmp_path / "out", code=1)
    assert result.stderr.count("/lone") == 20
    assert messages.more_problems(10, tmp_path / "out" / "problems.csv") in result.stderr
    assert len((tmp_path / "out" / "problems.csv").read_text().splitlines()) == 31


@pytest.mark.parametrize(
    "words",
    [("--train", "half"), ("--limit", "0"), ("--workers", "0"), ("--test", "-1"), ("--nonsense",)],
)
def test_wrong_usage_is_exit_code_2(snow, tmp_path, words):
    shell("prepare", snow, "-o", tmp_path / "out", *words, code=2)
    assert not (tmp_path / "out").exists()


def test_one_fold_is_wrong_usage(snow):
    shell("split", snow, "--folds", 1, code=2)


def test_more_than_there_is_is_exit_code_1(snow, tmp_path):
    result = shell("prepare", snow, "-o", tmp_path / "out", "--train", 3600, code=1)
    assert isinstance(result.exception, InputError)
