"""Save and load models: a folder with a JSON config and arrays, nothing that can run."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari_snow_unet.data.files import InputError
from napari_snow_unet.unet.config import UNetConfig
from napari_snow_unet.unet.model_folder import (
    CHECKSUMS,
    CHOOSE_ANOTHER,
    CONFIG,
    WEIGHTS,
    checksum,
    read_config,
    verify,
)

if TYPE_CHECKING:
    import keras


def load_model(
    folder: str | os.PathLike[str], *, precision: str = "float32"
) -> tuple[keras.Model, UNetConfig]:
    """Build the network a folder describes and fill in its weights.

    Parameters
    ----------
    folder : path-like
        What `save_model` wrote.
    precision : str, default: "float32"
        Keras dtype policy of the layers but the first convolution, which computes in float32: on
        37 real tiles labels of a network in bfloat16 then have a mean Dice of 0.999 with those in
        float32, and one of 0.990 where its kernel is rounded too.

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

    model = build_unet(config, precision=precision, first="float32")
    path = folder / WEIGHTS
    check_weights_file(path, [tuple(variable.shape) for variable in model.weights])
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"weights of another network ({str(error)[:200]})",
            expected=f"the weights of the network in {CONFIG}",
            remedy=CHOOSE_ANOTHER,
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
