"""The models of the API: the list, and opening one."""

from __future__ import annotations

import os

from napari_snow_unet.models import DEFAULT, DeviceChoice, ModelEntry, open_model
from napari_snow_unet.models import list_models as entries
from napari_snow_unet.segmentation.model import Model


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


def load_model(
    name: str | os.PathLike[str] = DEFAULT,
    *,
    precision: str = "float32",
    device: DeviceChoice = "auto",
) -> Model:
    """Load a model for `segment`.

    Parameters
    ----------
    name : str or path-like, default: "default"
        A name from `list_models`, a model folder, or a run folder, of which the best epoch is
        loaded. The two networks loaded last stay in memory.
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
    return open_model(name, precision=precision, device=device)


def loaded(model: Model | str | os.PathLike[str]) -> Model:
    """Return a model that is given by itself, its name or its folder."""
    return model if isinstance(model, Model) else load_model(model)
