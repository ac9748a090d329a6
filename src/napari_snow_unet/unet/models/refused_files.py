"""Explain why a file made by another program is not opened as a model, without loading it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.data.formats.matlab5 import HDF5_SIGNATURE
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.models.folder import CONFIG

_PICKLES = {".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".npy", ".npz"}


def why_refused(path: Path) -> InputError:
    """Explain by its name and first bytes why a file or folder is not a model of this package."""
    return InputError(_explain(path), path=path)


def _explain(path: Path) -> Message:
    if path.is_dir():
        saved = (path / "saved_model.pb").exists()
        return messages.SAVED_MODEL if saved else messages.FOLDER_WITHOUT_CONFIG
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        return messages.unreadable(error.strerror or str(error))
    suffix = path.suffix.lower()
    # A PyTorch checkpoint is a zip archive too, so pickles are recognised first.
    if suffix in _PICKLES or start[:1] == b"\x80" or _holds(path, ".pkl"):
        return messages.PICKLE
    if suffix == ".keras" or _holds(path, CONFIG):
        return messages.KERAS_ARCHIVE
    if start == HDF5_SIGNATURE:
        weights = path.name.endswith(".weights.h5")
        return messages.KERAS_WEIGHTS_ALONE if weights else messages.LEGACY_KERAS
    return messages.WEIGHTS_ALONE if suffix == ".safetensors" else messages.NOT_A_MODEL


def _holds(path: Path, ending: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(ending) for name in archive.namelist()[:1000])
    except (OSError, zipfile.BadZipFile):
        return False
