"""Which of Keras' engines computes, on which device, and how it is made ready.

Under ``KERAS_BACKEND=torch`` or ``jax`` the same functions do what those engines need.
"""

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
from napari_snow_unet.unet.engine.device import Device, processor_name
from napari_snow_unet.unet.engine.process import symbols_kept_apart, without_chatter
from napari_snow_unet.unet.engine.tensorflow import reproducible_kernels, tensorflow_device

BACKENDS = ("tensorflow", "torch", "jax")

_lock = threading.Lock()
_ready: list[Device] = []


def select_backend() -> str:
    """Choose the engine: what Keras runs, else ``KERAS_BACKEND``, else the first installed."""
    loaded = sys.modules.get("keras")
    if loaded is not None:
        chosen = str(loaded.config.backend())
    else:
        installed = (name for name in BACKENDS if _is_installed(name))
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


def select_device(engine: str = "auto", device: str = "auto") -> None:
    """Choose engine and device for this process, before Keras is imported for the first time."""
    if engine != "auto":
        if "keras" in sys.modules and select_backend() != engine:
            raise InputError(
                f"the engine {engine!r} while Keras runs on {select_backend()!r}",
                expected="one engine per process",
                remedy="Start a new process.",
            )
        os.environ["KERAS_BACKEND"] = engine
    for needed in (select_backend(), "keras"):
        if not _is_installed(needed):
            raise _no_engine(f"{needed} is not installed")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"], os.environ["JAX_PLATFORMS"] = "-1", "cpu"
    if device == "gpu" and (found := load_engine()).kind != "gpu":
        raise InputError(
            f"no GPU can be used ({found.reason})",
            expected="a GPU that the engine can use",
            remedy="Choose the device auto or cpu, or another engine.",
        )


def may_have_gpu() -> bool:
    """Tell whether it is worth looking for a GPU: NVIDIA's driver, Keras and an engine are there.

    To be sure takes loading the engine, which takes seconds.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return False
    drivers = Path("/proc/driver/nvidia/version"), Path("/dev/dxg")
    driver = shutil.which("nvidia-smi") or any(path.exists() for path in drivers)
    return bool(driver) and _is_installed("keras") and any(map(_is_installed, BACKENDS))


def load_engine() -> Device:
    """Import Keras and its engine, claim the device without taking all its memory; once."""
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
    """Make training give the same bits every time; return why that cannot be promised, or ""."""
    # Before anything is computed. TensorFlow's CPU kernels do so when operations run one after the
    # other, each on all cores (on two cores as fast as together); its GPU kernels when told to.
    device = load_engine()
    if device.backend == "tensorflow":
        return reproducible_kernels(device.kind)
    if device.backend == "torch":
        torch = importlib.import_module("torch")
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        if device.kind == "gpu":
            return "PyTorch has no reproducible kernels for all operations on a GPU"
    return ""


def seed_engine(seed: int) -> None:
    """Seed what an engine draws without asking Keras: dropout in PyTorch."""
    if load_engine().backend == "torch":
        importlib.import_module("torch").manual_seed(seed)


def environment_for_threads(count: int) -> dict[str, str]:
    """Return the variables with which another process computes in so many threads (not JAX)."""
    return {"TF_NUM_INTRAOP_THREADS": str(count), "OMP_NUM_THREADS": str(count)}


def _use_no_gpu_but_cudas() -> None:
    """Keep Keras from taking another GPU, as Apple's, on which nothing here was measured."""
    if not importlib.import_module("torch").cuda.is_available():
        os.environ.setdefault("KERAS_TORCH_DEVICE", "cpu")


def _torch_device() -> Device:
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return Device("torch", "gpu", torch.cuda.get_device_name(0))
    return Device("torch", "cpu", processor_name(), "PyTorch finds no CUDA device")


def _jax_device() -> Device:
    jax = importlib.import_module("jax")
    device = jax.devices()[0]
    if device.platform == "cpu":
        return Device("jax", "cpu", processor_name(), "JAX finds no accelerator")
    return Device("jax", "gpu", str(device.device_kind))


_FIND_DEVICE = {"tensorflow": tensorflow_device, "torch": _torch_device, "jax": _jax_device}


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _no_engine(reason: str) -> InputError:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    remedy = 'Add it with `pip install "napari-snow-unet[train]"`.'
    if platform.system() == "Darwin" and platform.machine() == "x86_64":
        remedy = "It has no current wheels for Intel Macs: train elsewhere, the models work here."
    elif sys.version_info >= (3, 14):
        remedy = (
            "It has wheels for Python 3.11 to 3.13: use one of these, or PyTorch by "
            '`pip install "napari-snow-unet[train]" torch`.'
        )
    return InputError(
        f"what trains networks, and computes them on GPUs, cannot be used ({reason}; {here})",
        expected="an installation of TensorFlow that can be imported",
        remedy=remedy,
    )
