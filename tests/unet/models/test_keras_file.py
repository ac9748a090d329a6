"""Weights in HDF5, as Keras writes them: read without it, refused if they are not just these."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from model_folders import save_model
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.models import store
from napari_snow_unet.unet.network.arrays import array_shapes, arrays_of
from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig

TINY = UNetConfig(base_filters=2, levels=3, name="tiny")
KINDS = [
    UNetConfig(base_filters=2),
    UNetConfig(base_filters=1, levels=7, dropout=0.0),
    UNetConfig(base_filters=3, levels=2, dropout=0.3, channel="rgb"),
    UNetConfig(base_filters=2, levels=4, normalization="batch", activation="silu"),
    UNetConfig(base_filters=4, levels=3, normalization="batch", dropout=0.0, kernel_size=5),
    UNetConfig(base_filters=1, levels=2, kernel_size=1, activation="elu"),
]


def with_random_arrays(config):
    """Return a network none of whose arrays equals another, biases and statistics included."""
    network, random = build_unet(config), np.random.default_rng(0)
    network.set_weights([random.random(each.shape, np.float32) for each in network.weights])
    return network


@pytest.fixture
def folder(tmp_path):
    return save_model(with_random_arrays(TINY), TINY, tmp_path / "tiny", by_keras=True)


def rewrite(folder: Path, change) -> None:
    """Change a model's weights file the way its checksum would not betray."""
    (folder / models_folder.CHECKSUMS).unlink()
    with h5py.File(folder / models_folder.KERAS_WEIGHTS, "a") as file:
        change(file, file["layers/conv2d_2/vars"])


@pytest.mark.parametrize("config", KINDS, ids=repr)
@pytest.mark.parametrize("compiled", [False, True], ids=["bare", "with its optimizer"])
def test_every_array_keras_wrote_is_found_under_its_name(tmp_path, config, compiled):
    network = with_random_arrays(config)
    if compiled:
        network.compile("adam", "binary_crossentropy")
        network.optimizer.build(network.trainable_variables)
    network.save_weights(tmp_path / "model.weights.h5")
    found = store.read_weights(tmp_path / "model.weights.h5", array_shapes(config))
    expected = arrays_of(network)
    assert list(found) == list(expected) == list(array_shapes(config))
    for name, array in expected.items():
        assert np.array_equal(found[name], array), name


def test_no_network_library_is_needed(folder):
    code = (
        "import sys; from pathlib import Path; from napari_snow_unet.unet.models import store;"
        "from napari_snow_unet.unet.models.folder import read_config, weights_of;"
        "from napari_snow_unet.unet.network.arrays import array_shapes;"
        f"p = Path({str(folder)!r});"
        "print(len(store.read_weights(weights_of(p), array_shapes(read_config(p)))));"
        "print(sorted({'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [str(len(array_shapes(TINY))), "[]"]


def test_a_model_of_0_1_opens(folder):
    assert models_folder.weights_of(folder).name == "model.weights.h5"
    model, config = store.load_model(folder)
    assert config == TINY
    for before, after in zip(
        with_random_arrays(TINY).get_weights(), model.get_weights(), strict=True
    ):
        assert np.array_equal(before, after)


def test_half_precision_is_read_as_single(folder):
    def halve(file, group):
        values = np.asarray(group["0"]).astype(np.float16)
        del group["0"]
        group.create_dataset("0", data=values, compression="gzip", shuffle=True)

    rewrite(folder, halve)
    before = arrays_of(with_random_arrays(TINY))["down1a.kernel"]
    after = store.read_weights(models_folder.weights_of(folder), array_shapes(TINY))[
        "down1a.kernel"
    ]
    assert after.dtype == np.float32
    assert np.array_equal(before.astype(np.float16).astype(np.float32), after)


def test_an_array_of_another_shape_is_refused(folder):
    def swap(file, group):
        shape = group["0"].shape
        del group["0"]
        group["0"] = np.zeros((shape[0], shape[1], shape[3], shape[2]), np.float32)

    rewrite(folder, swap)
    with pytest.raises(InputError, match="has the shape"):
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
        (external_link, "'layers/conv2d_2/vars/0' is a link"),
        (soft_link, "is a link"),
        (linked_group, "'layers/extra' is a link"),
        (external_data, "stored in another file"),
        (virtual_data, "stored in another file"),
        (text_data, "unusable type"),
        (named_type, "is not an array"),
        (endless_group, "too many entries"),
    ],
)
def test_weights_that_point_elsewhere_or_hold_more_than_arrays_are_refused(folder, change, reason):
    rewrite(folder, change)
    with pytest.raises(InputError, match=reason):
        store.load_model(folder)


def test_a_legacy_model_in_place_of_the_weights_is_refused(folder):
    network = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)])
    (folder / models_folder.CHECKSUMS).unlink()
    with h5py.File(folder / models_folder.KERAS_WEIGHTS, "w") as file:
        file.attrs["model_config"] = json.dumps(network.get_config(), default=str)
    with pytest.raises(InputError, match="legacy"):
        store.load_model(folder)
