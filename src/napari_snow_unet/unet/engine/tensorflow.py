"""Direct uses of TensorFlow: no other module imports it."""

from __future__ import annotations

import contextlib
import platform
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.engine import messages
from napari_snow_unet.unet.engine.device import Call, Device, processor_name


def tensorflow_call(model: Any) -> Call:
    """Trace a network once for all shapes, which is as fast as one trace per shape."""
    import tensorflow as tf

    # Weights that are constants of the graph are converted and laid out for the kernels once.
    trained = [np.asarray(variable) for variable in model.trainable_variables]
    other = [np.asarray(variable) for variable in model.non_trainable_variables]

    def compute(pixels: Any) -> Any:
        weights = ([tf.constant(array) for array in arrays] for arrays in (trained, other))
        return model.stateless_call(*weights, pixels, training=False)[0]

    # XLA, which Keras' own predict would choose, is slower here on the CPU.
    anything = tf.TensorSpec((None, None, None, model.input_shape[-1]), tf.float32)
    traced = tf.function(compute, input_signature=[anything], autograph=False, jit_compile=False)

    def call(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(traced(tf.constant(pixels)).numpy(), dtype=np.float32)

    return call


def tensorflow_device() -> Device:
    """Return TensorFlow's device; of a GPU's memory only what is needed is used."""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        with contextlib.suppress(RuntimeError):  # in use already
            tf.config.experimental.set_memory_growth(device, True)
    if devices:
        details = tf.config.experimental.get_device_details(devices[0])
        return Device("tensorflow", "gpu", details.get("device_name", devices[0].name))
    if platform.system() == "Windows":
        reason = messages.TENSORFLOW_ON_WINDOWS
    elif not tf.test.is_built_with_cuda():
        reason = messages.TENSORFLOW_WITHOUT_CUDA
    else:
        reason = messages.TENSORFLOW_WITHOUT_GPU
    return Device("tensorflow", "cpu", processor_name(), reason)


def reproducible_kernels(kind: str) -> str:
    """Make results reproducible bit by bit; return why that is not possible, or an empty text."""
    import tensorflow as tf

    if kind == "gpu":
        tf.config.experimental.enable_op_determinism()
    elif tf.config.threading.get_inter_op_parallelism_threads() != 1:
        try:
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:  # too late: TensorFlow has computed something already
            return messages.TENSORFLOW_IN_USE
    return ""


def gpu_generation() -> tuple[int, int]:
    """Return the compute capability of the first GPU; (0, 0) if it is unknown."""
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[0]
    details = tf.config.experimental.get_device_details(gpu)
    major, minor = details.get("compute_capability", (0, 0))
    return major, minor
