"""Folders that hold a model, and what can be known of one without a network library.

==================== ==========================================================
``config.json``      `UNetConfig`, checked entry by entry
``model.weights.h5`` Keras weights, arrays only, inspected before Keras reads it
``SHA256SUMS``       checksum of the weights, as ``sha256sum --check`` reads it
==================== ==========================================================
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.matlab5 import HDF5_SIGNATURE
from napari_snow_unet.unet.network.config import LARGEST_JSON, UNetConfig

CONFIG, WEIGHTS, CHECKSUMS = "config.json", "model.weights.h5", "SHA256SUMS"
FOLDER_VARIABLE = "NAPARI_SNOW_UNET_MODELS"
EXPECTED = f"a folder with {CONFIG} and {WEIGHTS}"
CHOOSE_ANOTHER = "Choose another model."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def user_folder() -> Path:
    """Return the folder of the user's own models; it may not exist yet."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_data_dir("napari-snow-unet", appauthor=False)) / "models"


def user_model_folder(name: str) -> Path:
    """Return the folder of one of the user's models.

    Parameters
    ----------
    name : str
        Letters, digits, dot, underscore and hyphen.

    Returns
    -------
    pathlib.Path
        It may not exist yet.

    Raises
    ------
    InputError
        If the name would be no good as the name of a folder.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise InputError(
            f"the model name {name!r}",
            expected="up to 100 letters, digits, dots, underscores or hyphens",
            remedy="Choose another name.",
        )
    return user_folder() / name


def find_folders(parent: Path) -> list[Path]:
    """List the model folders directly inside a folder, by name."""
    if not parent.is_dir():
        return []
    return sorted(f for f in parent.iterdir() if (f / CONFIG).is_file() and f.name[0] != ".")


def read_config(folder: Path) -> UNetConfig:
    """Read and check the config of a model folder.

    Parameters
    ----------
    folder : pathlib.Path
        Model folder.

    Returns
    -------
    UNetConfig
        The config.

    Raises
    ------
    InputError
        If it is missing or refused; the file is named.
    """
    path = folder / CONFIG
    try:
        if path.stat().st_size > 4 * LARGEST_JSON:
            raise InputError(
                "a file too large for a config", expected=EXPECTED, remedy=CHOOSE_ANOTHER
            )
        return UNetConfig.from_json(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(
            error.received, expected=error.expected, remedy=error.remedy, path=path
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the config cannot be read ({error})",
            expected=EXPECTED,
            remedy=CHOOSE_ANOTHER,
            path=path,
        ) from error


def check_header(folder: Path) -> None:
    """Refuse a model folder whose weights do not even begin as such; they are not read.

    Parameters
    ----------
    folder : pathlib.Path
        Model folder.

    Raises
    ------
    InputError
        If the weights are missing, cannot be read, or are no HDF5 file.
    """
    path = folder / WEIGHTS
    try:
        with path.open("rb") as file:
            start = file.read(len(HDF5_SIGNATURE))
    except OSError as error:
        raise _unreadable(folder, error) from error
    if start != HDF5_SIGNATURE:
        raise InputError(
            "a file that is damaged or no HDF5",
            expected="weights as Keras saves them",
            remedy=f"Copy the model again. {CHOOSE_ANOTHER}",
            path=path,
        )


def _unreadable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"{WEIGHTS} cannot be read ({error.strerror or error})",
        expected=EXPECTED,
        remedy=CHOOSE_ANOTHER,
        path=folder,
    )


def checksum(folder: Path) -> str:
    """Compute the SHA-256 of a model's weights file, in hexadecimal."""
    try:
        with (folder / WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(folder, error) from error


def verify(folder: Path) -> str:
    """Compare a model's weights with the checksum that was stored beside them.

    Parameters
    ----------
    folder : pathlib.Path
        Model folder. Without a ``SHA256SUMS`` in it there is nothing to compare with.

    Returns
    -------
    str
        SHA-256 of the weights, in hexadecimal.

    Raises
    ------
    InputError
        If the weights are missing or have changed.
    """
    found = checksum(folder)
    if (sums := folder / CHECKSUMS).is_file():
        stored = sums.read_text(encoding="utf-8", errors="replace").split()
        if stored[1:2] != [WEIGHTS] or stored[0].lower() != found:
            raise InputError(
                f"weights with the SHA-256 {found[:12]}...",
                expected=f"{(stored or ['no checksum'])[0][:12]}... as {CHECKSUMS} says",
                remedy="The file is damaged or was exchanged; copy the model again.",
                path=folder / WEIGHTS,
            )
    return found
