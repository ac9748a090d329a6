"""Model folders: what can be read of one without a network library.

===================== ============================================================
``config.json``       `UNetConfig`, checked entry by entry
``model.safetensors`` named arrays, see `unet.network.arrays`
``model.weights.h5``  instead of it: weights as Keras and version 0.1 write them
``SHA256SUMS``        checksum of the weights, as ``sha256sum --check`` reads it
===================== ============================================================
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.matlab5 import HDF5_SIGNATURE
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.network.config import LARGEST_JSON, UNetConfig

CONFIG, CHECKSUMS = "config.json", "SHA256SUMS"
WEIGHTS, KERAS_WEIGHTS = "model.safetensors", "model.weights.h5"
FILES = (CONFIG, WEIGHTS, KERAS_WEIGHTS)  # one of them chooses a model folder
FOLDER_VARIABLE = "NAPARI_SNOW_UNET_MODELS"


def user_folder() -> Path:
    """Return the folder of the user's own models; it may not exist."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_data_dir("napari-snow-unet", appauthor=False)) / "models"


def find_folders(parent: Path) -> list[Path]:
    """List the model folders directly inside a folder, by name."""
    if not parent.is_dir():
        return []
    return sorted(f for f in parent.iterdir() if (f / CONFIG).is_file() and f.name[0] != ".")


def weights_of(folder: Path) -> Path:
    """Return the path of a model folder's weights, which may be missing."""
    old = folder / KERAS_WEIGHTS
    return old if old.is_file() and not (folder / WEIGHTS).is_file() else folder / WEIGHTS


def has_weights(folder: Path) -> bool:
    """Tell whether a folder has a weights file."""
    return weights_of(folder).is_file()


def read_config(folder: Path) -> UNetConfig:
    """Read and check the config of a model folder; an `InputError` carries its path."""
    path = folder / CONFIG
    try:
        if path.stat().st_size > 4 * LARGEST_JSON:
            raise InputError(messages.CONFIG_TOO_LARGE)
        return UNetConfig.from_json(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(error.message, path=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(messages.unreadable(_reason(error)), path=path) from error


def check_header(folder: Path) -> None:
    """Refuse a model folder by the first bytes of its weights, without reading them all."""
    path = weights_of(folder)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise InputError(messages.unreadable(_reason(error)), path=path) from error
    if path.name == KERAS_WEIGHTS:
        kind, good = "HDF5", start.startswith(HDF5_SIGNATURE)
    else:  # the length of a header, which is JSON
        kind = "safetensors"
        good = start[8:] == b"{" and int.from_bytes(start[:8], "little") <= size - 8
    if not good:
        raise InputError(messages.not_weights(kind), path=path)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def checksum(folder: Path) -> str:
    """Return the SHA-256 of a model's weights file, in hexadecimal."""
    path = weights_of(folder)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(messages.unreadable(_reason(error)), path=path) from error


def verify(folder: Path) -> str:
    """Return the SHA-256 of the weights; refuse them if ``SHA256SUMS`` lists another."""
    computed, path = checksum(folder), weights_of(folder)
    if (sums := folder / CHECKSUMS).is_file():
        stored = sums.read_text(encoding="utf-8", errors="replace").split()
        if stored[1:2] != [path.name] or stored[0].lower() != computed:
            listed = (stored or ["no checksum"])[0]
            raise InputError(messages.checksum_differs(computed, listed), path=path)
    return computed
