import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from model_folders import save_model
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.models import store
from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig

TINY = UNetConfig(base_filters=2, levels=3, pixel_size_um=(0.2, 0.35), name="tiny")
PIXELS = np.random.default_rng(0).random((1, 32, 32, 1), dtype=np.float32)


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    return build_unet(TINY)


@pytest.fixture
def folder(network, tmp_path):
    return save_model(network, TINY, tmp_path / "tiny")


def test_what_is_saved_is_loaded_to_the_bit(network, folder):
    loaded, config = store.load_model(folder)
    assert config == TINY
    for before, after in zip(network.get_weights(), loaded.get_weights(), strict=True):
        assert np.array_equal(before, after)
    assert np.array_equal(np.asarray(network(PIXELS)), np.asarray(loaded(PIXELS)))


def test_batch_statistics_are_saved_too(tmp_path):
    config = UNetConfig(base_filters=2, levels=2, normalization="batch")
    network = build_unet(config)
    network(PIXELS, training=True)
    loaded, _ = store.load_model(save_model(network, config, tmp_path / "m"))
    assert np.array_equal(np.asarray(network(PIXELS)), np.asarray(loaded(PIXELS)))


def test_dropout_in_the_config_does_not_matter_to_the_weights(network, tmp_path):
    without = UNetConfig(base_filters=2, levels=3, dropout=0)
    loaded, _ = store.load_model(save_model(network, without, tmp_path / "m"))
    assert np.array_equal(np.asarray(network(PIXELS)), np.asarray(loaded(PIXELS)))


def test_a_model_is_three_files_and_the_checksum_is_what_other_tools_compute(folder):
    assert {file.name for file in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "SHA256SUMS",
    }
    expected = hashlib.sha256((folder / models_folder.WEIGHTS).read_bytes()).hexdigest()
    assert models_folder.checksum(folder) == models_folder.verify(folder) == expected
    assert (folder / "SHA256SUMS").read_text() == f"{expected}  model.safetensors\n"


def test_the_users_models_can_live_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_SNOW_UNET_MODELS", str(tmp_path))
    assert models_folder.user_folder() == tmp_path
    monkeypatch.delenv("NAPARI_SNOW_UNET_MODELS")
    assert models_folder.user_folder().name == "models"
    assert "napari-snow-unet" in str(models_folder.user_folder())


def test_damaged_weights_are_noticed(folder):
    path = folder / models_folder.WEIGHTS
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: .*SHA256SUMS"):
        store.load_model(folder)


def test_truncated_weights_are_noticed_without_a_checksum_too(folder):
    (folder / models_folder.CHECKSUMS).unlink()
    path = folder / models_folder.WEIGHTS
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="damaged"):
        store.load_model(folder)


def test_missing_parts_are_named(folder):
    (folder / models_folder.WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"model\.safetensors: The file cannot be read"):
        store.load_model(folder)
    (folder / models_folder.CONFIG).unlink()
    with pytest.raises(InputError, match=r"config\.json: The file cannot be read"):
        store.load_model(folder)


def test_a_refused_config_names_its_file(folder):
    content = json.loads((folder / models_folder.CONFIG).read_text())
    (folder / models_folder.CONFIG).write_text(json.dumps({**content, "levels": 70}))
    with pytest.raises(InputError, match=r"config\.json: The value of levels is 70"):
        store.load_model(folder)
    (folder / models_folder.CONFIG).write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match=r"config\.json: The file cannot be read"):
        store.load_model(folder)


def test_weights_of_another_network_are_refused(folder):
    for other in ({"base_filters": 4}, {"kernel_size": 5}, {"levels": 4}, {"channel": "rgb"}):
        content = {**json.loads(TINY.to_json()), **other}
        (folder / models_folder.CONFIG).write_text(json.dumps(content))
        with pytest.raises(InputError, match="weights"):
            store.load_model(folder)


def test_a_pickle_in_place_of_the_weights_is_refused_and_does_not_run(folder, tmp_path):
    marker = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    (folder / models_folder.CHECKSUMS).unlink()
    (folder / models_folder.WEIGHTS).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="not safetensors"):
        store.load_model(folder)
    assert not marker.exists()
    pickle.loads((folder / models_folder.WEIGHTS).read_bytes())
    assert marker.exists()  # the bomb was live


def test_a_keras_archive_in_place_of_the_weights_is_refused(folder):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("config.json", "{}")
    (folder / models_folder.CHECKSUMS).unlink()
    (folder / models_folder.WEIGHTS).write_bytes(archive.getvalue())
    with pytest.raises(InputError, match="not safetensors"):
        store.load_model(folder)


def test_configs_and_checksums_are_read_without_a_network_library(folder):
    code = (
        "import sys; from pathlib import Path; from napari_snow_unet.unet.models import folder;"
        f"p = Path({str(folder)!r}); print(folder.read_config(p).name);"
        "print(folder.verify(p));"
        "print(sorted({'tensorflow', 'keras', 'h5py', 'torch', 'jax'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["tiny", models_folder.checksum(folder), "[]"]
