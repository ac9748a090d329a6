"""Say why a file somebody else made is not opened as a model; nothing here reads it as one."""

from __future__ import annotations

import zipfile
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.matlab5 import HDF5_SIGNATURE
from napari_snow_unet.unet.models.folder import CHOOSE_ANOTHER, CONFIG, EXPECTED, KERAS_WEIGHTS

_PICKLES = {".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".npy", ".npz"}
_SAVE_WEIGHTS = (
    f"Where it was made, save the weights alone with model.save_weights({KERAS_WEIGHTS!r}) and put "
    f"them beside a {CONFIG} of this package, or train the model here."
)


def why_refused(path: Path) -> InputError:
    """Explain why what stands there is no model of this package, by its name and first bytes."""
    received, remedy = _explain(path)
    return InputError(received, expected=EXPECTED, remedy=remedy, path=path)


def _explain(path: Path) -> tuple[str, str]:
    if path.is_dir():
        if (path / "saved_model.pb").exists():
            return "a TensorFlow SavedModel, which is a program", _SAVE_WEIGHTS
        return f"a folder without a {CONFIG}", "Choose the folder that holds both files."
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        return f"a file that cannot be read ({error})", CHOOSE_ANOTHER
    suffix = path.suffix.lower()
    # A checkpoint of PyTorch is a zip archive too, so what says "pickle" goes first.
    if suffix in _PICKLES or start[:1] == b"\x80" or _holds(path, ".pkl"):
        return "a pickle, which runs whatever code its author put into it", _SAVE_WEIGHTS
    if suffix == ".keras" or _holds(path, CONFIG):
        return "a whole Keras model, which can hold code (a Lambda layer)", _SAVE_WEIGHTS
    if start == HDF5_SIGNATURE:
        if path.name.endswith(".weights.h5"):
            return f"weights without a {CONFIG} beside them", _SAVE_WEIGHTS
        return "a legacy Keras .h5 model, which can hold code (a Lambda layer)", _SAVE_WEIGHTS
    if suffix == ".safetensors":
        return f"weights without a {CONFIG} beside them", "Choose the folder that holds both files."
    return "a file of another kind", "Choose a model folder."


def _holds(path: Path, ending: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(ending) for name in archive.namelist()[:1000])
    except (OSError, zipfile.BadZipFile):
        return False
