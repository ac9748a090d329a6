"""Texts about engines and devices: refusals, and how trainings fail."""

from __future__ import annotations

from typing import Literal

from napari_snow_unet.base.errors import Message

#: What a plain installation lacks, and where there is no TensorFlow to install.
Wheels = Literal["missing", "Intel Mac", "Python 3.14"]

_INSTALL = {
    "missing": 'Install it with `pip install "napari-snow-unet[train]"`.',
    "Intel Mac": "TensorFlow has no current wheels for Intel Macs. Train on another computer: "
    "its models can be used here.",
    "Python 3.14": "TensorFlow has wheels for Python 3.11 to 3.13. Use one of these, or install "
    'PyTorch with `pip install "napari-snow-unet[train]" torch`.',
}

NO_KERNELS = Message(
    "The engine cannot compute in this number format with the processor instructions in use.",
    "Choose float32, or remove the environment variable ONEDNN_MAX_CPU_ISA or DNNL_MAX_CPU_ISA "
    "if it is set.",
    ("precision",),
)
UNKNOWN_DEVICE = "The device is unknown."
TORCH_WITHOUT_CUDA = "PyTorch found no CUDA device."
JAX_WITHOUT_GPU = "JAX found no GPU."
TENSORFLOW_ON_WINDOWS = (
    "TensorFlow has no GPU support on Windows. Use WSL2, or PyTorch as the Keras backend."
)
TENSORFLOW_WITHOUT_CUDA = "This build of TensorFlow has no GPU support."
TENSORFLOW_WITHOUT_GPU = (
    "TensorFlow found no NVIDIA GPU. To use one, install its driver and run "
    "`pip install tensorflow[and-cuda]`."
)
TORCH_NOT_REPRODUCIBLE = (
    "PyTorch has no reproducible GPU kernels for some operations: repeating the training may "
    "change the last digits."
)
TENSORFLOW_IN_USE = (
    "TensorFlow was in use before the training: repeating the training may change the last digits."
)


def no_engine(reason: str, here: str, wheels: Wheels) -> Message:
    """Return the refusal where nothing can train, or compute on a GPU."""
    return Message(
        f"Training and GPUs need TensorFlow, which cannot be used ({reason}; {here}).",
        _INSTALL[wheels],
    )


def unknown_backend(name: str) -> Message:
    """Return the refusal of a value of KERAS_BACKEND."""
    return Message(
        f"The environment variable KERAS_BACKEND is {name!r}.",
        "Set it to tensorflow, torch or jax, or remove it.",
    )


def backend_in_use(wanted: str, loaded: str) -> Message:
    """Return the refusal of a second backend in one process."""
    return Message(
        f"Keras already runs on {loaded} in this process, so {wanted} cannot be used.",
        "Restart the program.",
    )


def no_gpu(reason: str) -> Message:
    """Return the refusal of a GPU that was asked for."""
    return Message(
        f"No GPU can be used. {reason.rstrip('.')}.",
        "Choose the device auto or cpu, or another Keras backend.",
    )


def networks_unusable(reason: str, here: str) -> Message:
    """Return the refusal where OpenVINO cannot be loaded, or compiles nothing."""
    return Message(
        f"Neural networks cannot be used on this computer ({reason}; {here}).",
        "Choose the model 'classical', which needs no network, or reinstall OpenVINO with "
        "`pip install --force-reinstall openvino`.",
    )


def disk_full(file: str, epoch: int) -> Message:
    """Return how a training failed on a full disk."""
    return Message(f"The disk is full ({file}).", f"Free some space. {_resume(epoch)}", ("resume",))


def file_error(reason: str, epoch: int) -> Message:
    """Return how a training failed on a file."""
    return Message(
        f"A file cannot be read or written ({reason}).",
        f"Make the folder writable, and restore missing tiles. {_resume(epoch)}",
        ("resume",),
    )


def out_of_memory(epoch: int) -> Message:
    """Return how a training failed for lack of memory."""
    return Message(
        "There is not enough memory for a batch.",
        f"Close other programs. {_resume(epoch)} Or start a new training on the CPU, or with "
        "smaller batches or crops.",
        ("batch_size", "crop"),
    )


def loss_not_finite(epoch: int, batch: int) -> Message:
    """Return how a training failed; epoch and batch count from 1."""
    kept = f"Results up to epoch {epoch - 1} are kept. " if epoch > 1 else ""
    return Message(
        f"The loss is no longer a finite number (epoch {epoch}, batch {batch}).",
        f"{kept}Start a new training with a lower learning rate, or in float32.",
        ("learning_rate", "precision"),
    )


def _resume(epoch: int) -> str:
    after = f"continues after epoch {epoch}" if epoch else "starts again with the first epoch"
    return f"Then resume the training: it {after}."
