"""The models of the API: the list, and opening one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

from napari_snow_unet.api import messages
from napari_snow_unet.api.calls import takes
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import refusal
from napari_snow_unet.models import (
    CLASSICAL,
    DEFAULT,
    DeviceChoice,
    ModelEntry,
    find_model,
    open_model,
)
from napari_snow_unet.models import list_models as entries
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.unet.models.folder import CONFIG
from napari_snow_unet.unet.runs.folder import is_run


@takes()
def list_models() -> list[ModelEntry]:
    """List the models that can be loaded by name.

    Returns
    -------
    list of ModelEntry
        The bundled networks (the default first), your own, and the classical method. Each has
        ``name``, ``kind``, ``channel``, ``pixel_size_um``, ``trained_on`` and, if it is damaged,
        a ``problem``.

    Examples
    --------
    >>> import napari_snow_unet as snow
    >>> snow.list_models()[0].name
    'he-breast-nuclei'
    """
    return entries()


@takes()
def load_model(
    name: ModelEntry | str | os.PathLike[str] = DEFAULT,
    *,
    precision: str = "float32",
    device: DeviceChoice = "auto",
) -> Model:
    """Load a model for `segment`.

    Parameters
    ----------
    name : str, path-like or ModelEntry, default: "default"
        A name or an entry from `list_models`, a model folder, or a run folder, of which the best
        epoch is loaded; ``"a+b"`` is the mean prediction of two. The two networks loaded last stay
        in memory.
    precision : {"float32", "fast", "bfloat16", "float16"}, default: "float32"
        Number format. "float32" gives the same labels on every computer, except for a few pixels.
        "fast" is bfloat16 where the processor supports it, else float32.
    device : {"auto", "cpu", "gpu"}, default: "auto"
        "auto" uses a GPU if there is one; "gpu" fails without one.

    Returns
    -------
    Model
        For `segment` and `segment_folder`.

    Raises
    ------
    InputError
        If there is no such model, it is damaged, or the device or number format is not available.
        An `InputError` is a `ValueError`.

    Examples
    --------
    >>> import napari_snow_unet as snow
    >>> model = snow.load_model("classical")
    """
    if device not in get_args(DeviceChoice):
        raise refusal("device", device, f"one of {', '.join(get_args(DeviceChoice))}")
    return open_model(_unambiguous(name), precision=precision, device=device)


def _unambiguous(name: ModelEntry | str | os.PathLike[str]) -> str:
    """Return a name, or the full path of a folder; a name that means two models is refused."""
    if isinstance(name, ModelEntry):
        return str(name.path or name.name)
    if not isinstance(name, (str, os.PathLike)):
        raise InputError(messages.not_one_path("model", type(name).__name__))
    folder = Path(name).expanduser().absolute()
    if not isinstance(name, str):
        return str(folder)
    is_model = is_run(folder) or (folder / CONFIG).is_file()
    if is_model and folder.name == name and name not in (DEFAULT, CLASSICAL):
        listed, here = find_model(name), find_model(str(folder))
        if listed != here:
            raise InputError(messages.two_models(name, str(listed), str(folder)))
    return name


def loaded(model: Model | ModelEntry | str | os.PathLike[str]) -> Model:
    """Return a model that is given by itself, its name or its folder."""
    return model if isinstance(model, Model) else load_model(model)
