import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

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
    return store.save_model(network, TINY, tmp_path / "tiny")


def rewrite(folder: Path, change) -> None:
    """Change a model's weights file the way its checksum would not betray."""
    (folder / models_folder.CHECKSUMS).unlink()
    with h5py.File(folder / models_folder.WEIGHTS, "a") as file:
        change(file, file["layers/conv2d_2/vars"])


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
    loaded, _ = store.load_model(store.save_model(network, config, tmp_path / "m"))
    assert np.array_equal(np.asarray(network(PIXELS)), np.asarray(loaded(PIXELS)))


def test_dropout_in_the_config_does_not_matter_to_the_weights(network, tmp_path):
    without = UNetConfig(base_filters=2, levels=3, dropout=0)
    loaded, _ = store.load_model(store.save_model(network, without, tmp_path / "m"))
    assert np.array_equal(np.asarray(network(PIXELS)), np.asarray(loaded(PIXELS)))


def test_half_precision_on_disk_is_small_and_rounds_the_weights_only(tmp_path):
    config = UNetConfig(base_filters=8)
    network = build_unet(config)
    whole = store.save_model(network, config, tmp_path / "whole")
    half = store.save_model(network, config, tmp_path / "half", half=True)
    sizes = [(folder / models_folder.WEIGHTS).stat().st_size for folder in (half, whole)]
    assert sizes[0] < 0.6 * sizes[1]
    loaded, _ = store.load_model(half)
    for before, after in zip(network.get_weights(), loaded.get_weights(), strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(before.astype(np.float16).astype(np.float32), after)
    assert np.abs(np.asarray(network(PIXELS)) - np.asarray(loaded(PIXELS))).max() < 0.01


def test_a_model_is_three_files_and_the_checksum_is_what_other_tools_compute(folder):
    assert {file.name for file in folder.iterdir()} == {
        "config.json",
        "model.weights.h5",
        "SHA256SUMS",
    }
    expected = hashlib.sha256((folder / models_folder.WEIGHTS).read_bytes()).hexdigest()
    assert models_folder.checksum(folder) == models_folder.verify(folder) == expected
    assert (folder / "SHA256SUMS").read_text() == f"{expected}  model.weights.h5\n"


def test_nothing_is_overwritten_without_the_flag(network, folder):
    before = models_folder.checksum(folder)
    with pytest.raises(InputError, match="exists already"):
        store.save_model(build_unet(TINY), TINY, folder)
    assert models_folder.verify(folder) == before
    store.save_model(build_unet(TINY), TINY, folder, overwrite=True)
    assert models_folder.verify(folder) != before
    assert [entry.name for entry in folder.parent.iterdir()] == ["tiny"]


def test_a_folder_with_something_else_in_it_is_never_replaced(network, folder):
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="more than a model"):
        store.save_model(network, TINY, folder, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_save_that_fails_leaves_the_old_model_and_no_litter(folder, monkeypatch):
    before = models_folder.checksum(folder)
    network = build_unet(TINY)

    def full_disk(path):
        Path(path).write_bytes(b"half a fi")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(network, "save_weights", full_disk)
    with pytest.raises(OSError, match="No space"):
        store.save_model(network, TINY, folder, overwrite=True)
    assert models_folder.verify(folder) == before
    assert [entry.name for entry in folder.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", "x" * 101, "dot."])
def test_names_that_are_no_folder_names_are_refused(name):
    with pytest.raises(InputError, match="model name"):
        models_folder.user_model_folder(name)


def test_the_users_models_can_live_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_SNOW_UNET_MODELS", str(tmp_path))
    assert models_folder.user_model_folder("mine") == tmp_path / "mine"
    monkeypatch.delenv("NAPARI_SNOW_UNET_MODELS")
    assert models_folder.user_folder().name == "models"
    assert "napari-snow-unet" in str(models_folder.user_folder())


def test_damaged_weights_are_noticed(folder):
    path = folder / models_folder.WEIGHTS
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.weights\.h5: weights with the SHA-256"):
        store.load_model(folder)


def test_truncated_weights_are_noticed_without_a_checksum_too(folder):
    (folder / models_folder.CHECKSUMS).unlink()
    path = folder / models_folder.WEIGHTS
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="damaged"):
        store.load_model(folder)


def test_missing_parts_are_named(folder):
    (folder / models_folder.WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"model\.weights\.h5 cannot be read"):
        store.load_model(folder)
    (folder / models_folder.CONFIG).unlink()
    with pytest.raises(InputError, match=r"config\.json: the config cannot be read"):
        store.load_model(folder)


def test_a_refused_config_names_its_file(folder):
    content = json.loads((folder / models_folder.CONFIG).read_text())
    (folder / models_folder.CONFIG).write_text(json.dumps({**content, "levels": 70}))
    with pytest.raises(InputError, match=r"config\.json: levels is 70"):
        store.load_model(folder)
    (folder / models_folder.CONFIG).write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match=r"config\.json: the config cannot be read"):
        store.load_model(folder)


def test_weights_of_another_network_are_refused(folder):
    for other in ({"base_filters": 4}, {"kernel_size": 5}, {"levels": 4}, {"channel": "rgb"}):
        content = {**json.loads(TINY.to_json()), **other}
        (folder / models_folder.CONFIG).write_text(json.dumps(content))
        with pytest.raises(InputError, match="weights"):
            store.load_model(folder)


def test_an_array_of_another_shape_is_refused(folder):
    def swap(file, group):
        shape = group["0"].shape
        del group["0"]
        group["0"] = np.zeros((shape[0], shape[1], shape[3], shape[2]), np.float32)

    rewrite(folder, swap)
    with pytest.raises(InputError, match="array of shape"):
        store.load_model(folder)


def test_an_array_of_absurd_size_is_refused_before_it_is_read(folder):
    def inflate(file, group):
        del group["0"]
        group.create_dataset("0", (1 << 40,), "f4", chunks=(1024,), compression="gzip")

    rewrite(folder, inflate)
    with pytest.raises(InputError, match="1,099,511,6"):
        store.load_model(folder)


def external_link(file, group):
    del group["0"]
    group["0"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(file, group):
    del group["0"]
    group["0"] = h5py.SoftLink("/layers/conv2d_1/vars/0")


def linked_group(file, group):
    file["layers/extra"] = h5py.ExternalLink("other.h5", "/layers")


def external_data(file, group):
    shape = group["0"].shape
    del group["0"]
    size = 4 * int(np.prod(shape))
    group.create_dataset("0", shape, "f4", external=[("/etc/passwd", 0, size)])


def virtual_data(file, group):
    shape = group["0"].shape
    del group["0"]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource("other.h5", "x", shape)
    group.create_virtual_dataset("0", layout)


def text_data(file, group):
    del group["1"]
    group["1"] = ["a", "b"]


def named_type(file, group):
    group["2"] = np.dtype("f4")


def endless_group(file, group):
    group["again"] = file["layers"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (external_link, "a link to elsewhere in 'layers/conv2d_2/vars/0'"),
        (soft_link, "a link to elsewhere"),
        (linked_group, "a link to elsewhere in 'layers/extra'"),
        (external_data, "data from another file"),
        (virtual_data, "data from another file"),
        (text_data, "an array of type"),
        (named_type, "no array"),
        (endless_group, "too many entries"),
    ],
)
def test_weights_that_point_elsewhere_or_hold_more_than_arrays_are_refused(folder, change, reason):
    rewrite(folder, change)
    with pytest.raises(InputError, match=reason):
        store.load_model(folder)


def test_a_pickle_in_place_of_the_weights_is_refused_and_does_not_run(folder, tmp_path):
    marker = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    (folder / models_folder.CHECKSUMS).unlink()
    (folder / models_folder.WEIGHTS).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="no HDF5"):
        store.load_model(folder)
    assert not marker.exists()
    pickle.loads((folder / models_folder.WEIGHTS).read_bytes())
    assert marker.exists()  # the bomb was live


def test_a_legacy_model_in_place_of_the_weights_is_refused(folder):
    network = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)])
    (folder / models_folder.CHECKSUMS).unlink()
    with h5py.File(folder / models_folder.WEIGHTS, "w") as file:
        file.attrs["model_config"] = json.dumps(network.get_config(), default=str)
    with pytest.raises(InputError, match="legacy"):
        store.load_model(folder)


def test_a_keras_archive_in_place_of_the_weights_is_refused(folder):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("config.json", "{}")
    (folder / models_folder.CHECKSUMS).unlink()
    (folder / models_folder.WEIGHTS).write_bytes(archive.getvalue())
    with pytest.raises(InputError, match="no HDF5"):
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
