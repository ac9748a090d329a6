"""A network as an ONNX file, for programs that have no Keras."""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from pathlib import Path

import keras
import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole

OPSET = 15  # what ONNX Runtime has read since 1.10


def write_onnx(
    model: keras.Model, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a network as ONNX with the input ``pixels``, Y and X multiples of its stride."""
    _require_converter()
    stride = 2 ** sum("pool" in layer.name for layer in model.layers)
    with (
        written_whole(path, overwrite=overwrite) as temporary,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of Keras and tf2onnx, about NumPy
        model(np.zeros((1, stride, stride, model.input_shape[-1]), np.float32))
        model.export(str(temporary), format="onnx", verbose=False, opset_version=OPSET)
    return Path(path)


def _require_converter() -> None:
    """Refuse before any work where the package is missing that Keras writes ONNX with."""
    if keras.config.backend() != "tensorflow":
        return
    try:
        import_module("tf2onnx")
    except ImportError as error:
        raise InputError(
            f"a package is missing ({error})",
            expected="what Keras writes ONNX with",
            remedy='Install it: pip install "napari-snow-unet[export]".',
        ) from error
