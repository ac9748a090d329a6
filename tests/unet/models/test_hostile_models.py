"""Whole models that run code when they are loaded: refused by name, and shown to be live."""

import json
import os
import shutil

import h5py
import keras
import pytest

from model_folders import save_model
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import find_model, open_model
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.config import UNetConfig


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "ran"


def load_as_one_should_not(path):
    """Load a whole model with all that is in it."""
    keras.saving.load_model(path, safe_mode=False, compile=False)


def with_lambda(marker):
    """Return a model whose Lambda layer makes the marker whenever it is called or built."""
    path = str(marker)
    inputs = keras.Input((4,))
    touch = keras.layers.Lambda(lambda x: (__import__("pathlib").Path(path).touch(), x)[1])
    model = keras.Model(inputs, touch(inputs))
    marker.unlink()
    return model


def with_custom_object(marker):
    """Return a model with a layer of a registered class that makes the marker when it is called."""

    @keras.saving.register_keras_serializable("somebody")
    class Odd(keras.layers.Layer):
        def call(self, x):
            marker.touch()
            return x

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Odd()(inputs))
    marker.unlink()
    return model


@pytest.mark.parametrize("kind", ["lambda.keras", "custom.keras", "lambda.h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_whole_model_is_refused_by_name_and_runs_nothing_though_it_could(tmp_path, marker, kind):
    custom = kind.startswith("custom")
    model = with_custom_object(marker) if custom else with_lambda(marker)
    path = tmp_path / kind
    model.save(path)
    for opening in (find_model, open_model):
        with pytest.raises(
            InputError, match=rf"{kind}: This is a (whole|legacy) Keras .*can run code"
        ):
            opening(str(path))
    assert not marker.exists()
    load_as_one_should_not(path)
    assert marker.exists()  # it was live


def test_a_marshalled_lambda_in_place_of_the_weights_is_refused_and_runs_nothing(tmp_path, marker):
    folder = tmp_path / "model"
    config = UNetConfig(base_filters=2, levels=3)
    save_model(build_unet(config), config, folder, by_keras=True)
    (folder / models_folder.CHECKSUMS).unlink()
    keras.saving.save_model(with_lambda(marker), tmp_path / "bomb.h5")
    shutil.copy(tmp_path / "bomb.h5", folder / models_folder.KERAS_WEIGHTS)
    with pytest.raises(InputError, match=r"model\.weights\.h5: This is a legacy Keras"):
        open_model(folder)
    assert not marker.exists()
    load_as_one_should_not(tmp_path / "bomb.h5")
    assert marker.exists()  # it was live


def test_weights_that_link_elsewhere_read_nothing_from_there(tmp_path):
    """The link leads to arrays that fit; Keras alone would take them."""
    config = UNetConfig(base_filters=2, levels=3)
    network = build_unet(config)
    for name in ("mine", "secret"):
        save_model(network, config, tmp_path / name, by_keras=True)
    (tmp_path / "mine" / models_folder.CHECKSUMS).unlink()
    with h5py.File(tmp_path / "mine" / models_folder.KERAS_WEIGHTS, "a") as file:
        shape = file["layers/conv2d_2/vars/0"].shape
        del file["layers/conv2d_2/vars/0"]
        secret = str(tmp_path / "secret" / models_folder.KERAS_WEIGHTS)
        file["layers/conv2d_2/vars/0"] = h5py.ExternalLink(secret, "/layers/conv2d_2/vars/0")
        assert file["layers/conv2d_2/vars/0"].shape == shape  # the link is live
    with pytest.raises(InputError, match="'layers/conv2d_2/vars/0' is a link"):
        open_model(tmp_path / "mine")


@pytest.mark.parametrize(
    ("entry", "value"), [("base_filters", 10**9), ("levels", 10**6), ("kernel_size", 10**6 + 1)]
)
def test_a_config_of_absurd_numbers_is_refused_before_anything_is_built(tmp_path, entry, value):
    folder = tmp_path / "model"
    folder.mkdir()
    content = json.loads(UNetConfig().to_json()) | {entry: value}
    (folder / models_folder.CONFIG).write_text(json.dumps(content))
    (folder / models_folder.KERAS_WEIGHTS).write_bytes(os.urandom(100))
    with pytest.raises(InputError, match=rf"config\.json: The value of {entry} is {value}"):
        open_model(folder)
