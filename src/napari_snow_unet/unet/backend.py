"""Keras' engine: which one, on which device, and the fastest plain call of a network.

The only module that names TensorFlow. Under ``KERAS_BACKEND=torch`` or ``jax`` the same functions
do what those engines need.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import platform
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.files import InputError
from napari_snow_unet.unet.loading import symbols_kept_apart
from napari_snow_unet.unet.quiet import without_chatter

BACKENDS = ("tensorflow", "torch", "jax")
Call = Callable[[NDArray[np.float32]], NDArray[np.float32]]
# To what a person can limit oneDNN, by its names, that lacks bfloat16; others it does not know.
_WITHOUT_BFLOAT16 = frozenset(
    ["SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"]
)

_lock = threading.Lock()
_ready: list[Device] = []


@dataclass(frozen=True)
class Device:
    """Where networks are computed.

    Attributes
    ----------
    backend : {"tensorflow", "torch", "jax"}
        Keras' engine.
    kind : {"cpu", "gpu"}
        What computes.
    name : str
        What the system calls it.
    reason : str
        Why it is not a GPU; empty if it is one.
    """

    backend: str
    kind: str
    name: str
    reason: str = ""


def select_backend() -> str:
    """Choose Keras' engine, before Keras is imported for the first time.

    Returns
    -------
    str
        The one that Keras runs already, else ``KERAS_BACKEND`` if it is set, else the first of
        TensorFlow, PyTorch and JAX that is installed.

    Raises
    ------
    InputError
        If none is installed, or ``KERAS_BACKEND`` names none of them.
    """
    loaded = sys.modules.get("keras")
    if loaded is not None:
        chosen = str(loaded.config.backend())
    else:
        installed = (name for name in BACKENDS if importlib.util.find_spec(name))
        chosen = os.environ.get("KERAS_BACKEND") or next(installed, "")
    if not chosen:
        raise _no_engine("none of TensorFlow, PyTorch and JAX is installed")
    if chosen not in BACKENDS:
        raise InputError(
            f"KERAS_BACKEND={chosen}",
            expected="one of " + ", ".join(BACKENDS),
            remedy="Change or remove this environment variable.",
        )
    os.environ["KERAS_BACKEND"] = chosen
    return chosen


def choose(engine: str = "auto", device: str = "auto") -> None:
    """Choose engine and device for this process, before Keras is imported for the first time.

    Parameters
    ----------
    engine : {"auto", "tensorflow", "torch", "jax"}
        "auto" leaves the choice to `select_backend`.
    device : {"auto", "cpu", "gpu"}
        "auto" takes a GPU where there is one; "gpu" insists on it.

    Raises
    ------
    InputError
        If Keras runs on another engine already, or there is no GPU and it has to be one.
    """
    if engine != "auto":
        if "keras" in sys.modules and select_backend() != engine:
            raise InputError(
                f"the engine {engine!r} while Keras runs on {select_backend()!r}",
                expected="one engine per process",
                remedy="Start a new process.",
            )
        os.environ["KERAS_BACKEND"] = engine
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"], os.environ["JAX_PLATFORMS"] = "-1", "cpu"
    if device == "gpu" and (found := prepare()).kind != "gpu":
        raise InputError(
            f"no GPU can be used ({found.reason})",
            expected="a GPU that the engine can use",
            remedy="Choose the device auto or cpu, or another engine.",
        )


def prepare() -> Device:
    """Import Keras and its engine, claim the device without taking all its memory; once.

    Returns
    -------
    Device
        What will compute.

    Raises
    ------
    InputError
        If no engine can be imported: why, and what can be done without one.
    """
    with _lock:
        if not _ready:
            backend = select_backend()
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
            with without_chatter(), symbols_kept_apart():
                try:
                    if backend == "torch":
                        _use_no_gpu_but_cudas()
                    importlib.import_module("keras")
                    found = _FIND_DEVICE[backend]()
                except Exception as error:  # a broken engine fails in its own ways
                    raise _no_engine(f"{type(error).__name__}: {str(error)[:300]}") from error
            _ready.append(found)
        return _ready[0]


def compute_reproducibly() -> str:
    """Make training give the same bits every time; before anything is computed.

    TensorFlow's CPU kernels do so when operations run one after the other, each on all cores (on
    two cores as fast as together); its GPU kernels when they are told to.

    Returns
    -------
    str
        Why the same bits cannot be promised; empty if they can.
    """
    device = prepare()
    if device.backend == "tensorflow":
        import tensorflow as tf

        if device.kind == "gpu":
            tf.config.experimental.enable_op_determinism()
        elif tf.config.threading.get_inter_op_parallelism_threads() != 1:
            try:
                tf.config.threading.set_inter_op_parallelism_threads(1)
            except RuntimeError:  # too late: TensorFlow has computed something already
                return "TensorFlow was in use before the training"
    elif device.backend == "torch":
        torch = importlib.import_module("torch")
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        if device.kind == "gpu":
            return "PyTorch has no reproducible kernels for all operations on a GPU"
    return ""


def seed_engine(seed: int) -> None:
    """Seed what an engine draws without asking Keras: dropout in PyTorch.

    Parameters
    ----------
    seed : int
        Any number from 0 on.
    """
    if prepare().backend == "torch":
        importlib.import_module("torch").manual_seed(seed)


def environment_for_threads(count: int) -> dict[str, str]:
    """Return the variables with which another process computes with so many threads.

    Parameters
    ----------
    count : int
        Threads; JAX does not know such a number.
    """
    return {"TF_NUM_INTRAOP_THREADS": str(count), "OMP_NUM_THREADS": str(count)}


def fast_precision() -> str:
    """Return the number format in which the device trains fastest without loss of quality.

    Returns
    -------
    {"float32", "mixed_bfloat16", "mixed_float16"}
        Keras' name of a dtype policy.
    """
    device = prepare()
    if device.kind == "cpu":
        fast = _uses_onednn(device.backend) and _multiplies_bfloat16()
        return "mixed_bfloat16" if fast else "float32"
    if device.backend == "tensorflow":
        import tensorflow as tf

        gpu = tf.config.list_physical_devices("GPU")[0]
        details = tf.config.experimental.get_device_details(gpu)
        generation = details.get("compute_capability", (0, 0))
    elif device.backend == "torch":
        generation = importlib.import_module("torch").cuda.get_device_capability(0)
    else:
        return "float32"
    if generation >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if generation >= (7, 0) else "float32"


def small_calls_at_once() -> int:
    """Return how many calls of a network on small windows are fastest side by side.

    TensorFlow divides every operation among the cores, which wait for each other at its end; with
    two calls one fills the gaps of the other. The bits stay the same.
    """
    device = prepare()
    return 2 if (device.backend, device.kind) == ("tensorflow", "cpu") else 1


def compiles_steps() -> bool | str:
    """Return what `keras.Model.compile` takes as `jit_compile` where training is fastest."""
    # XLA, which Keras would choose for TensorFlow, is slower on the CPU and compiles every shape.
    return "auto" if prepare().backend == "jax" else False


def traced_call(model: Any) -> Call:
    """Turn a network, with the weights it has now, into a plain function on arrays.

    TensorFlow traces it once for all shapes, which is as fast as a trace for each and gives the
    same bits; JAX compiles it for every shape; PyTorch does neither.

    Parameters
    ----------
    model : keras.Model
        From (N, Y, X, C) to (N, Y, X, 1).

    Returns
    -------
    callable
        From float32 (N, Y, X, C) to float32 (N, Y, X, 1), without dropout.
    """
    import keras

    return {"tensorflow": _tensorflow_call, "torch": _torch_call, "jax": _jax_call}[
        keras.config.backend()
    ](model)


def _tensorflow_call(model: Any) -> Call:
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


def convolve_upsampled(skip: Any, below: Any, kernel: Any, kernel_below: Any, bias: Any) -> Any:
    """Add a convolution of a map to a transposed one of a map of half its size; TensorFlow only.

    Parameters
    ----------
    skip : tensor, shape (N, 2Y, 2X, F)
        The larger map.
    below : tensor, shape (N, Y, X, B)
        The smaller map.
    kernel : tensor, shape (3, 3, F, F)
        For the larger map.
    kernel_below : tensor, shape (4, 4, F, B)
        For the smaller map.
    bias : tensor, shape (F,)
        Added everywhere.

    Returns
    -------
    tensor, shape (N, 2Y, 2X, F)
    """
    import tensorflow as tf

    # Only if its shape is that of `skip` is it known beforehand that no sum is broadcast, and only
    # then TensorFlow computes sum and activation in one go with the convolution.
    upsampled = tf.nn.conv2d_transpose(below, kernel_below, tf.shape(skip), 2, "SAME")
    return tf.nn.bias_add(tf.nn.conv2d(skip, kernel, 1, "SAME"), bias) + upsampled


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


def _tensorflow_device() -> Device:
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        with contextlib.suppress(RuntimeError):  # in use already
            tf.config.experimental.set_memory_growth(device, True)
    if devices:
        details = tf.config.experimental.get_device_details(devices[0])
        return Device("tensorflow", "gpu", details.get("device_name", devices[0].name))
    if platform.system() == "Windows":
        reason = "TensorFlow has no GPU build for Windows; use WSL2, or KERAS_BACKEND=torch"
    elif not tf.test.is_built_with_cuda():
        reason = "this build of TensorFlow has no GPU support"
    else:
        reason = (
            "TensorFlow finds no NVIDIA GPU; it needs a driver and "
            "`pip install tensorflow[and-cuda]`"
        )
    return Device("tensorflow", "cpu", _processor(), reason)


def _use_no_gpu_but_cudas() -> None:
    """Keep Keras from taking another GPU, as Apple's, on which nothing here was measured."""
    if not importlib.import_module("torch").cuda.is_available():
        os.environ.setdefault("KERAS_TORCH_DEVICE", "cpu")


def _torch_device() -> Device:
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return Device("torch", "gpu", torch.cuda.get_device_name(0))
    return Device("torch", "cpu", _processor(), "PyTorch finds no CUDA device")


def _jax_device() -> Device:
    jax = importlib.import_module("jax")
    device = jax.devices()[0]
    if device.platform == "cpu":
        return Device("jax", "cpu", _processor(), "JAX finds no accelerator")
    return Device("jax", "gpu", str(device.device_kind))


_FIND_DEVICE = {"tensorflow": _tensorflow_device, "torch": _torch_device, "jax": _jax_device}


def _multiplies_bfloat16(facts: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor multiplies bfloat16 in hardware, and oneDNN may (Linux only)."""
    cap = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    if cap.upper() in _WITHOUT_BFLOAT16:
        return False
    try:
        with facts.open(encoding="ascii", errors="replace") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
            return not {"amx_bf16", "avx512_bf16"}.isdisjoint(flags)
    except OSError:
        return False


def _uses_onednn(backend: str) -> bool:
    """Tell whether the engine computes with oneDNN; without, bfloat16 takes longer than float32."""
    asked = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower()
    return backend == "torch" or (backend == "tensorflow" and asked not in {"0", "false"})


def _processor() -> str:
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _no_engine(reason: str) -> InputError:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    remedy = "Use the model 'classical', which needs no network library"
    if platform.system() == "Darwin" and platform.machine() == "x86_64":
        remedy += "; TensorFlow has no current wheels for Intel Macs"
    elif sys.version_info >= (3, 14):
        remedy += "; TensorFlow has wheels for Python up to 3.13"
    return InputError(
        f"networks cannot be used ({reason}; {here})",
        expected="an installation of TensorFlow that can be imported",
        remedy=f"{remedy}; or reinstall with `pip install --force-reinstall tensorflow`, or "
        "`pip install torch` and set KERAS_BACKEND=torch.",
    )
