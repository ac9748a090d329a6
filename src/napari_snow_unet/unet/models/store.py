"""Load models: a folder with a JSON config and arrays, nothing that can run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.models.array_file import read_arrays, refused
from napari_snow_unet.unet.models.folder import read_config, verify, weights_of
from napari_snow_unet.unet.models.keras_file import keras_places, read_hdf5
from napari_snow_unet.unet.network.arrays import Shape, array_shapes, fill
from napari_snow_unet.unet.network.config import UNetConfig

if TYPE_CHECKING:
    import keras


def load_model(
    folder: str | os.PathLike[str], *, precision: str = "float32"
) -> tuple[keras.Model, UNetConfig]:
    """Build the network a folder describes and fill in its weights.

    Parameters
    ----------
    folder : path-like
        A model folder, see `unet.models.folder`.
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
    config, arrays = read_model(folder)
    from napari_snow_unet.unet.network.build import build_unet

    model = build_unet(config, precision=precision, first="float32")
    fill(model, arrays)
    return model, config


def read_model(
    folder: str | os.PathLike[str],
) -> tuple[UNetConfig, dict[str, NDArray[np.float32]]]:
    """Read a model folder without a network library; it raises what `load_model` does."""
    folder = Path(folder)
    config = read_config(folder)
    verify(folder)
    return config, read_weights(weights_of(folder), array_shapes(config))


def read_weights(path: Path, shapes: Mapping[str, Shape]) -> dict[str, NDArray[np.float32]]:
    """Read the arrays of a network as float32, finite, by name, without a network library."""
    if path.suffix == ".h5":
        places = keras_places(shapes)
        held = read_hdf5(path, {places[name]: shape for name, shape in shapes.items()})
        held = {name: held[place] for name, place in places.items()}
    else:
        held = read_arrays(path, shapes)
    with np.errstate(over="ignore"):  # of float64, told below
        arrays = {name: np.asarray(array, np.float32) for name, array in held.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise refused(path, f"infinite values, or such as are no numbers, in {name!r}")
    return arrays
