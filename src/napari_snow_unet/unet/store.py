"""Models on disk: a folder with a JSON config and a weights-only file, nothing that can run.

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
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari_snow_unet.data.files import InputError
from napari_snow_unet.unet.config import LARGEST_JSON, UNetConfig

if TYPE_CHECKING:
    import keras

CONFIG, WEIGHTS, CHECKSUMS = "config.json", "model.weights.h5", "SHA256SUMS"
FOLDER_VARIABLE = "NAPARI_SNOW_UNET_MODELS"
EXPECTED = f"a folder with {CONFIG} and {WEIGHTS}"
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
            raise InputError("a file too large for a config", expected=EXPECTED, remedy=_CHOOSE)
        return UNetConfig.from_json(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(
            error.received, expected=error.expected, remedy=error.remedy, path=path
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the config cannot be read ({error})", expected=EXPECTED, remedy=_CHOOSE, path=path
        ) from error


def checksum(folder: Path) -> str:
    """Compute the SHA-256 of a model's weights file, in hexadecimal."""
    try:
        with (folder / WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{WEIGHTS} cannot be read ({error})", expected=EXPECTED, remedy=_CHOOSE, path=folder
        ) from error


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


def load_model(
    folder: str | os.PathLike[str], *, precision: str = "float32"
) -> tuple[keras.Model, UNetConfig]:
    """Build the network a folder describes and fill in its weights.

    Parameters
    ----------
    folder : path-like
        What `save_model` wrote.
    precision : str, default: "float32"
        Keras dtype policy of the layers, see `build_unet`.

    Returns
    -------
    model : keras.Model
        Ready to predict.
    config : UNetConfig
        Its config.

    Raises
    ------
    InputError
        If the folder is no model, its weights are damaged, do not belong to the config, or hold
        anything but arrays.
    """
    folder = Path(folder)
    config = read_config(folder)
    verify(folder)
    from napari_snow_unet.unet.network import build_unet
    from napari_snow_unet.unet.weights_file import check_weights_file

    model = build_unet(config, precision=precision)
    path = folder / WEIGHTS
    check_weights_file(path, [tuple(variable.shape) for variable in model.weights])
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise InputError(
            f"weights of another network ({str(error)[:200]})",
            expected=f"the weights of the network in {CONFIG}",
            remedy=_CHOOSE,
            path=path,
        ) from error
    return model, config


def save_model(
    model: keras.Model,
    config: UNetConfig,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    half: bool = False,
) -> Path:
    """Write a model folder, whole or not at all.

    Parameters
    ----------
    model : keras.Model
        Network that `build_unet` made from `config`.
    config : UNetConfig
        Its config.
    folder : path-like
        Where it shall stand; its parents are made.
    overwrite : bool, default: False
        Replace a model that is already there.
    half : bool, default: False
        Store the weights as compressed float16, which takes half the space and rounds them to
        eleven significant bits. They are loaded as float32 either way.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        If something stands there already and is not to be replaced, or is no model.
    """
    folder = Path(folder)
    _check_free(folder, overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        model.save_weights(temporary / WEIGHTS)
        if half:
            from napari_snow_unet.unet.weights_file import halve_weights_file

            halve_weights_file(temporary / WEIGHTS)
        (temporary / CONFIG).write_text(config.to_json(), encoding="utf-8")
        line = f"{checksum(temporary)}  {WEIGHTS}\n"
        (temporary / CHECKSUMS).write_text(line, encoding="utf-8")
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


_CHOOSE = "Choose another model."


def _check_free(folder: Path, overwrite: bool) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if not overwrite:
        raise InputError(
            "the model exists already",
            expected="a free name",
            remedy="Choose another name or allow overwriting.",
            path=folder,
        )
    ours = {CONFIG, WEIGHTS, CHECKSUMS}
    if not folder.is_dir() or {file.name for file in folder.iterdir()} - ours:
        raise InputError(
            "not a model, or a folder with more than a model in it",
            expected="a free name, or a model to replace",
            remedy="Choose another name; nothing was deleted.",
            path=folder,
        )


def _put_in_place(temporary: Path, folder: Path) -> None:
    old = temporary.with_name(temporary.name.replace(".writing-", ".old-"))
    if folder.exists():
        _rename(folder, old)
    try:
        _rename(temporary, folder)
    except OSError:
        if old.exists():
            _rename(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _rename(source: Path, target: Path, attempts: int = 5) -> None:
    """Rename; on Windows this fails for as long as somebody reads a file in the folder."""
    for attempt in range(attempts):
        try:
            source.rename(target)
            return
        except PermissionError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.1 * 2**attempt)
