import io
import json
import os
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import open_model
from napari_snow_unet.unet.models import messages


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "ran"


def bomb(marker) -> bytes:
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    return pickle.dumps(Bomb())


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.bin", "model.keras", "model"])
def test_a_pickle_is_refused_under_any_name_and_does_not_run(tmp_path, marker, name):
    (tmp_path / name).write_bytes(bomb(marker))
    with pytest.raises(InputError, match=messages.PICKLE.problem):
        open_model(tmp_path / name)
    assert not marker.exists()


def test_a_zipped_checkpoint_is_refused(tmp_path, marker):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model/data.pkl", bomb(marker))
    with pytest.raises(InputError, match=messages.PICKLE.problem):
        open_model(tmp_path / "model.zip")
    assert not marker.exists()


def test_an_array_file_with_objects_is_refused(tmp_path, marker):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    (tmp_path / "weights.npy").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match=messages.PICKLE.problem):
        open_model(tmp_path / "weights.npy")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["foreign.keras", "renamed.zip"])
def test_a_keras_file_with_a_lambda_is_refused_and_does_not_run(tmp_path, marker, name):
    path = str(marker)
    inputs = keras.Input((4,))
    double = keras.layers.Lambda(lambda x: (__import__("pathlib").Path(path).touch(), x)[1])
    keras.Model(inputs, double(inputs)).save(tmp_path / "foreign.keras")
    marker.unlink()
    (tmp_path / "foreign.keras").rename(tmp_path / name)
    with pytest.raises(InputError, match=r"whole Keras model.*save_weights"):
        open_model(tmp_path / name)
    assert not marker.exists()
    (tmp_path / name).rename(tmp_path / "foreign.keras")
    keras.saving.load_model(tmp_path / "foreign.keras", safe_mode=False)
    assert marker.exists()  # the bomb was live


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.h5", messages.LEGACY_KERAS),
        ("other.weights.h5", messages.KERAS_WEIGHTS_ALONE),
    ],
)
def test_hdf5_files_are_refused_with_their_reason(tmp_path, name, message):
    with h5py.File(tmp_path / name, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Lambda"})
    with pytest.raises(InputError) as refused:
        open_model(tmp_path / name)
    assert refused.value.message == message


def test_other_things_are_refused_with_their_reason(tmp_path):
    saved = tmp_path / "saved"
    saved.mkdir()
    with pytest.raises(InputError, match=r"saved: The folder has no config\.json"):
        open_model(saved)
    (saved / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(InputError, match="SavedModel"):
        open_model(saved)
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"image\.png: This file is not a model"):
        open_model(tmp_path / "image.png")
    (tmp_path / "other.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")
    with pytest.raises(InputError, match=r"other\.safetensors: There is no config\.json"):
        open_model(tmp_path / "other.safetensors")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(InputError, match=messages.NOT_A_MODEL.problem):
        open_model(tmp_path / "empty")
