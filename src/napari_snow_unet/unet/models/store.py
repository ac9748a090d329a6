"""Load models: folders with a JSON config and arrays, without any code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.models.array_file import read_arrays
from napari_snow_unet.unet.models.folder import read_config, verify, weights_of
from napari_snow_unet.unet.models.keras_file import keras_places, read_hdf5
from napari_snow_unet.unet.network.arrays import Shape, array_shapes, fill
from napari_snow_unet.unet.network.config import UNetConfig

if TYPE_CHECKING:
    import keras


def load_model(
    folder: str | os.PathLike[str], *, precision: str = "float32"
) -> tuple[keras.Model, UNetConfig]:
    """Build the network of a model folder, with its weights.

    Parameters
    ----------
    folder : path-like
        A model folder, see `unet.models.folder`.
    precision : str, default: "float32"
        Keras dtype policy of all layers except the first convolution, which stays float32: on 37
        real tiles, labels in bfloat16 then have a mean Dice of 0.999 with those in float32, and of
        0.990 with that kernel rounded too.

    Returns
    -------
    model : keras.Model
        Ready to predict.
    config : UNetConfig
        Its config.

    Raises
    ------
    InputError
        If the folder is not a model, or its weights are damaged, belong to another config, or
        contain more than arrays.
    """
    config, arrays = read_model(folder)
    from napari_snow_unet.unet.network.build import build_unet

    model = build_unet(config, precision=precision, first="float32")
    fill(model, arrays)
    return model, config


def read_model(
    folder: str | os.PathLike[str],
) -> tuple[UNetConfig, dict[str, NDArray[np.float32]]]:
    """Read a model folder without a network library; raises the same errors as `load_model`."""
    folder = Path(folder)
    config = read_config(folder)
    verify(folder)
    return config, read_weights(weights_of(folder), array_shapes(config))


def read_weights(path: Path, shapes: Mapping[str, Shape]) -> dict[str, NDArray[np.float32]]:
    """Read the named arrays of a network as finite float32, without a network library."""
    if path.suffix == ".h5":
        places = keras_places(shapes)
        held = read_hdf5(path, {places[name]: shape for name, shape in shapes.items()})
        held = {name: held[place] for name, place in places.items()}
    else:
        held = read_arrays(path, shapes)
    with np.errstate(over="ignore"):  # of float64, refused below
        arrays = {name: np.asarray(array, np.float32) for name, array in held.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(messages.not_finite(name), path=path)
    return arrays
