"""Keras models as fast functions on arrays."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.engine.device import Call
from napari_snow_unet.unet.engine.selection import load_engine
from napari_snow_unet.unet.engine.tensorflow import tensorflow_call


def compiles_steps() -> bool | str:
    """Return the fastest `jit_compile` for training with `keras.Model.compile`."""
    # XLA, which Keras would choose for TensorFlow, is slower on the CPU and compiles every shape.
    return "auto" if load_engine().backend == "jax" else False


def traced_call(model: Any) -> Call:
    """Return a function that computes a network with its current weights, without dropout."""
    # TensorFlow traces it once for all shapes, which is as fast as a trace for each and gives the
    # same bits; JAX compiles it for every shape; PyTorch does neither.
    import keras

    return {"tensorflow": tensorflow_call, "torch": _torch_call, "jax": _jax_call}[
        keras.config.backend()
    ](model)


def _torch_call(model: Any) -> Call:
    torch = importlib.import_module("torch")
    import keras

    def call(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            probability = model(pixels, training=False)
            return np.asarray(keras.ops.convert_to_numpy(probability), dtype=np.float32)

    return call


def _jax_call(model: Any) -> Call:
    jax = importlib.import_module("jax")
    trained = [variable.value for variable in model.trainable_variables]
    other = [variable.value for variable in model.non_trainable_variables]
    compiled = jax.jit(
        lambda pixels: model.stateless_call(trained, other, pixels, training=False)[0]
    )

    def call(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(compiled(pixels), dtype=np.float32)

    return call
