import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest
from typer.testing import CliRunner

from model_folders import save_model
from napari_snow_unet import models
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.cli import app
from napari_snow_unet.data.synthetic import frozen_test_set
from napari_snow_unet.models import (
    CLASSICAL,
    DEFAULT_MODEL,
    describe_model,
    list_models,
    listing,
    open_model,
)
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.segmentation.plane.tiling import check_window
from napari_snow_unet.unet.models import folder
from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.messages import NO_BFLOAT16

MINE = UNetConfig(
    base_filters=2,
    levels=3,
    channel="green",
    pixel_size_um=(0.4, 0.6),
    threshold_floor=0.1,
    name="mine",
    trained_on="my own [bold]slides",
)


@pytest.fixture(autouse=True)
def user_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(folder.FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def mine(user_folder):
    return save_model(build_unet(MINE), MINE, folder.user_folder() / "mine")


def test_the_list_begins_with_the_default_and_ends_with_the_classical_method(mine):
    entries = list_models()
    assert entries[0].name == DEFAULT_MODEL
    assert [entry.kind for entry in entries] == ["bundled", "user", "classical"]
    assert [entry.problem for entry in entries] == ["", "", ""]
    user = entries[1]
    assert (user.name, user.path, user.channel) == ("mine", mine, "green")
    assert user.pixel_size_um == (0.4, 0.6)
    assert user.checksum == folder.checksum(mine)
    assert user.size == (mine / folder.WEIGHTS).stat().st_size


def test_the_bundled_model_is_small_and_states_its_origin():
    entry = list_models()[0]
    assert entry.size < 8_000_000
    assert entry.parameters == 1_940_817
    assert "CC BY 4.0" in entry.trained_on
    assert "CC0" in entry.trained_on
    low, high = entry.pixel_size_um
    assert low <= 0.25 <= high


def test_the_bundled_model_opens_and_answers():
    model = open_model("default", device="cpu")
    entry = list_models()[0]
    assert (model.name, model.checksum) == (DEFAULT_MODEL, entry.checksum)
    assert (model.channel, model.halo) == ("red", 96)
    assert model.device.endswith("(cpu, openvino)")
    assert (model.precision, model.messages) == ("float32", ())
    check_window(256, model.halo)
    dark = np.full((1, 128, 128, 1), 0.9, np.float32)
    y, x = np.mgrid[:128, :128]
    dark[0, (y - 64) ** 2 + (x - 64) ** 2 < 14**2] = 0.35
    probability = model.predict(dark)[0]
    assert probability[64, 64] > 0.5
    assert probability[:20].max() < 0.3


@pytest.mark.parametrize("brightness", [0.0, 0.5, 0.75, 0.95, 1.0])
def test_the_bundled_model_sees_no_nucleus_in_blank_glass(brightness):
    model = open_model("default")
    blank = np.full((1, 128, 128, 1), brightness, np.float32)
    assert model.predict(blank).max() < model.threshold_floor


def test_the_bundled_model_beats_the_classical_method_on_generated_tiles():
    dice = {"default": [], CLASSICAL: []}
    for tile in islice(frozen_test_set(), 1, 5):
        truth = tile.labels > 0
        for name, scores in dice.items():
            found = run(segment(tile.image, open_model(name))).labels > 0
            scores.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
    assert np.mean(dice["default"]) > max(0.85, np.mean(dice[CLASSICAL]) + 0.1)


def test_a_model_is_opened_by_name_folder_or_either_file(mine):
    by_name = open_model("mine")
    assert by_name.channel == "green"
    assert by_name.pixel_size_um == (0.4, 0.6)
    assert by_name.threshold_floor == 0.1
    assert by_name.checksum == folder.checksum(mine)
    for path in (mine, str(mine), mine / folder.CONFIG, mine / folder.WEIGHTS):
        assert open_model(path) is by_name


def test_a_model_from_elsewhere_has_the_name_in_its_config(mine, tmp_path):
    elsewhere = shutil.copytree(mine, tmp_path / "run" / "best")
    assert open_model("mine").name == "mine"
    model = open_model(elsewhere)
    assert model.name == "mine"
    assert model.checksum == open_model("mine").checksum


def test_a_model_that_was_replaced_is_read_again(mine):
    before = open_model("mine")
    save_model(build_unet(MINE), MINE, mine)
    after = open_model("mine")
    assert after is not before
    assert after.checksum == folder.checksum(mine) != before.checksum


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"\x09" + bytes(7) + b"{}"])
def test_weights_that_are_none_are_refused_before_they_are_read(mine, content):
    assert describe_model(mine).name == "mine"
    (mine / folder.WEIGHTS).write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: .*damaged or not safetensors"):
        describe_model(mine)


def test_a_damaged_model_is_listed_with_its_problem_and_not_opened(mine):
    (mine / folder.WEIGHTS).write_bytes(b"not what was saved")
    entry = list_models()[1]
    assert entry.name == "mine"
    assert "SHA-256" in entry.problem
    with pytest.raises(InputError, match="SHA-256"):
        open_model("mine")


def test_junk_among_the_users_models_is_passed_over(mine, user_folder):
    (user_folder / ".writing-x").mkdir()
    (user_folder / ".writing-x" / folder.CONFIG).write_text("{}")
    (user_folder / "empty").mkdir()
    (user_folder / "notes.txt").write_text("x")
    assert [entry.name for entry in list_models()] == [DEFAULT_MODEL, "mine", CLASSICAL]


def test_a_name_that_is_none_is_answered_with_those_there_are(mine, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"'mime'.*he-breast-nuclei, mine, classical.*'mine'"):
        open_model("mime")
    with pytest.raises(InputError, match="nowhere"):
        open_model(tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert open_model("mine").channel == "green"  # a name goes before a folder that is no model
    with pytest.raises(InputError, match=r"no config\.json"):
        open_model("./mine")


def test_listing_and_the_classical_method_load_no_network_library(mine):
    code = (
        "import sys; from napari_snow_unet.models import list_models, open_model;"
        "print(len(list_models()), open_model('classical').name);"
        "print(sorted({'tensorflow', 'keras', 'torch', 'jax', 'openvino', 'h5py', 'cv2'}"
        " & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["3 classical", "[]"]


def test_the_shell_lists_them(mine):
    result = CliRunner().invoke(app, ["models"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    row = next(line for line in result.output.splitlines() if line.startswith(" mine"))
    for part in ("user", folder.checksum(mine)[:12], "green", "0.4 to 0.6"):
        assert part in row
    assert "my own [bold]slides" in result.output
    assert f"{DEFAULT_MODEL} (default)" in result.output
    (mine / folder.WEIGHTS).unlink()
    assert "Cannot be used" in CliRunner().invoke(app, ["models"]).output


def test_the_shell_lists_them_as_json(mine):
    result = CliRunner().invoke(app, ["models", "--json"])
    listed = json.loads(result.output)
    assert [entry["name"] for entry in listed] == [DEFAULT_MODEL, "mine", CLASSICAL]
    assert listed[1]["path"] == str(mine)
    assert listed[1]["pixel_size_um"] == [0.4, 0.6]
    assert set(listed[1]) == set(listing.ModelEntry.__dataclass_fields__)


def test_a_network_computes_in_the_precision_that_is_asked_for(mine, bfloat16):
    exact, mixed = (open_model("mine", precision=name) for name in ("float32", bfloat16))
    assert (exact.precision, mixed.precision) == ("float32", "bfloat16")
    pixels = np.random.default_rng(0).random((1, 64, 64, 1), dtype=np.float32)
    difference = np.abs(exact.predict(pixels) - mixed.predict(pixels)).max()
    assert 0 < difference < 0.1
    assert open_model("mine", precision="fast").precision == "bfloat16"
    with pytest.raises(InputError, match=r"float8.*float32, fast, bfloat16, float16"):
        open_model("mine", precision="float8")


def test_names_of_0_1_for_precisions_are_taken(mine, bfloat16):
    assert open_model("mine", precision="auto") is open_model("mine", precision="float32")
    assert open_model("mine", precision="mixed_bfloat16") is open_model("mine", precision=bfloat16)
    for name in ("float16", "mixed_float16"):
        with pytest.raises(InputError, match="cannot compute in float16"):
            open_model("mine", precision=name, device="cpu")


def test_where_bfloat16_is_not_there_fast_says_so_with_every_result(mine, monkeypatch):
    monkeypatch.setattr("napari_snow_unet.unet.engine.openvino.computes_bfloat16", lambda: False)
    models._open_network.cache_clear()
    model = open_model("mine", precision="fast", device="cpu")
    models._open_network.cache_clear()
    assert (model.precision, model.messages) == ("float32", (NO_BFLOAT16,))
    found = run(segment(np.full((64, 64, 3), 200, np.uint8), model))
    assert NO_BFLOAT16 in found.messages
    assert found.provenance["precision"] == "float32"


def test_a_gpu_that_is_not_there_is_said_and_auto_takes_the_processor(mine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(InputError, match=r"No GPU can be used\. \w+"):
        open_model("mine", device="gpu")
    assert open_model("mine", device="auto").device.endswith("(cpu, openvino)")


def test_threads_that_open_a_model_at_once_get_the_same_one():
    open_model("default", precision="float32")  # what is left is reading the weights
    for _ in range(3):
        models._open_network.cache_clear()
        together = threading.Barrier(4)

        def opened(together=together):
            together.wait()
            return open_model("default", precision="float32")

        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(opened) for _ in range(4)]
            assert len({id(one.result()) for one in waiting}) == 1
