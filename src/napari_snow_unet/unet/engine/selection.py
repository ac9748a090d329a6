"""Choose the Keras backend and its device, and load them: TensorFlow, PyTorch or JAX."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import sys
import threading
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import messages
from napari_snow_unet.unet.engine.device import Device, processor_name
from napari_snow_unet.unet.engine.process import symbols_kept_apart, without_chatter
from napari_snow_unet.unet.engine.tensorflow import reproducible_kernels, tensorflow_device

BACKENDS = ("tensorflow", "torch", "jax")

_lock = threading.Lock()
_ready: list[Device] = []


def select_backend() -> str:
    """Choose the Keras backend: loaded one, else ``KERAS_BACKEND``, else the first installed."""
    loaded = sys.modules.get("keras")
    if loaded is not None:
        chosen = str(loaded.config.backend())
    else:
        installed = (name for name in BACKENDS if _is_installed(name))
        chosen = os.environ.get("KERAS_BACKEND") or next(installed, "")
    if not chosen:
        raise _no_engine("none of TensorFlow, PyTorch and JAX is installed")
    if chosen not in BACKENDS:
        raise InputError(messages.unknown_backend(chosen))
    os.environ["KERAS_BACKEND"] = chosen
    return chosen


def select_device(backend: str = "auto", device: str = "auto") -> None:
    """Choose Keras backend and device for this process, before Keras is first imported."""
    if backend != "auto":
        if "keras" in sys.modules and (loaded := select_backend()) != backend:
            raise InputError(messages.backend_in_use(backend, loaded))
        os.environ["KERAS_BACKEND"] = backend
    for needed in (select_backend(), "keras"):
        if not _is_installed(needed):
            raise _no_engine(f"{needed} is not installed")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"], os.environ["JAX_PLATFORMS"] = "-1", "cpu"
    if device == "gpu" and (loaded_on := load_engine()).kind != "gpu":
        raise InputError(messages.no_gpu(loaded_on.reason))


def may_have_gpu() -> bool:
    """Tell whether to look for a GPU: NVIDIA's driver, Keras and a backend are installed.

    Only loading the backend, which takes seconds, would make sure.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return False
    drivers = Path("/proc/driver/nvidia/version"), Path("/dev/dxg")
    driver = shutil.which("nvidia-smi") or any(path.exists() for path in drivers)
    return bool(driver) and _is_installed("keras") and any(map(_is_installed, BACKENDS))


def load_engine() -> Device:
    """Import Keras and its backend once, without reserving all memory of the device."""
    with _lock:
        if not _ready:
            backend = select_backend()
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
            with without_chatter(), symbols_kept_apart():
                try:
                    if backend == "torch":
                        _use_no_gpu_but_cudas()
                    importlib.import_module("keras")
                    device = _FIND_DEVICE[backend]()
                except Exception as error:  # a broken engine fails in its own ways
                    raise _no_engine(f"{type(error).__name__}: {str(error)[:300]}") from error
            _ready.append(device)
        return _ready[0]


def compute_reproducibly() -> str:
    """Make training reproducible bit by bit; return why that is not possible, or an empty text."""
    # Before anything is computed. TensorFlow's CPU kernels do so when operations run one after the
    # other, each on all cores (on two cores as fast as together); its GPU kernels when set to.
    device = load_engine()
    if device.backend == "tensorflow":
        return reproducible_kernels(device.kind)
    if device.backend == "torch":
        torch = importlib.import_module("torch")
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        if device.kind == "gpu":
            return messages.TORCH_NOT_REPRODUCIBLE
    return ""


def seed_engine(seed: int) -> None:
    """Seed random numbers that a backend draws itself: dropout in PyTorch."""
    if load_engine().backend == "torch":
        importlib.import_module("torch").manual_seed(seed)


def environment_for_threads(count: int) -> dict[str, str]:
    """Return environment variables that limit the threads of another process (not with JAX)."""
    return {"TF_NUM_INTRAOP_THREADS": str(count), "OMP_NUM_THREADS": str(count)}


def _use_no_gpu_but_cudas() -> None:
    """Keep Keras from using other GPUs, such as Apple's, on which nothing was tested."""
    if not importlib.import_module("torch").cuda.is_available():
        os.environ.setdefault("KERAS_TORCH_DEVICE", "cpu")


def _torch_device() -> Device:
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return Device("torch", "gpu", torch.cuda.get_device_name(0))
    return Device("torch", "cpu", processor_name(), messages.TORCH_WITHOUT_CUDA)


def _jax_device() -> Device:
    jax = importlib.import_module("jax")
    device = jax.devices()[0]
    if device.platform == "cpu":
        return Device("jax", "cpu", processor_name(), messages.JAX_WITHOUT_GPU)
    return Device("jax", "gpu", str(device.device_kind))


_FIND_DEVICE = {"tensorflow": tensorflow_device, "torch": _torch_device, "jax": _jax_device}


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _no_engine(reason: str) -> InputError:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    wheels: messages.Wheels = "missing"
    if platform.system() == "Darwin" and platform.machine() == "x86_64":
        wheels = "Intel Mac"
    elif sys.version_info >= (3, 14):
        wheels = "Python 3.14"
    return InputError(messages.no_engine(reason, here, wheels))
