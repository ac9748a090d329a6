"""Texts about model files: why one is refused, and what to choose instead."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

CHOOSE_ANOTHER = "Choose another model."
CHOOSE_FOLDER = "Choose a folder with config.json and model.safetensors."
COPY_AGAIN = "Copy the model again, or choose another one."
OF_ONE_MODEL = "Use weights and config of the same model."
ANOTHER_OPTIMIZER = "The training was started by another version. Start a new one from its model."
_SAVE_WEIGHTS = (
    "Where it was made, save the weights alone with model.save_weights('model.weights.h5') and put "
    "them beside a config.json of this package; or train the model here."
)

CONFIG_TOO_LARGE = Message("The file is too large for a model's config.", CHOOSE_FOLDER)
SAVED_MODEL = Message("This is a TensorFlow SavedModel, which can run code.", _SAVE_WEIGHTS)
FOLDER_WITHOUT_CONFIG = Message("The folder has no config.json.", CHOOSE_FOLDER)
PICKLE = Message("This is a pickle, which can run any code.", _SAVE_WEIGHTS)
KERAS_ARCHIVE = Message(
    "This is a whole Keras model, which can run code (a Lambda layer).", _SAVE_WEIGHTS
)
LEGACY_KERAS = Message(
    "This is a legacy Keras .h5 model, which can run code (a Lambda layer).", _SAVE_WEIGHTS
)
KERAS_WEIGHTS_ALONE = Message("There is no config.json beside the weights.", _SAVE_WEIGHTS)
WEIGHTS_ALONE = Message("There is no config.json beside the weights.", CHOOSE_FOLDER)
NOT_A_MODEL = Message("This file is not a model.", CHOOSE_FOLDER)
TOO_MANY_ENTRIES = Message("The weights file has far too many entries.", CHOOSE_ANOTHER)


def unreadable(reason: str) -> Message:
    """Return the refusal of a file that the system does not open."""
    return Message(f"The file cannot be read ({reason}).", CHOOSE_FOLDER)


def not_weights(kind: str) -> Message:
    """Return the refusal of a file that does not start as safetensors or HDF5."""
    return Message(f"The weights are damaged or not {kind}.", COPY_AGAIN)


def damaged(kind: str, reason: str) -> Message:
    """Return the refusal of weights that cannot be parsed."""
    return Message(f"The weights are damaged or not {kind} ({reason}).", COPY_AGAIN)


def checksum_differs(computed: str, stored: str) -> Message:
    """Return the refusal of weights that are not those of their SHA256SUMS."""
    return Message(
        f"The weights have changed: their SHA-256 is {computed[:12]}..., SHA256SUMS lists "
        f"{stored[:12]}...",
        COPY_AGAIN,
    )


def too_large(size: int, most: int) -> Message:
    """Return the refusal of a weights file by its bytes."""
    return Message(
        f"The weights file has {counted(size, 'byte')}; the network needs at most {most:,}.",
        CHOOSE_ANOTHER,
    )


def array_type(name: str, kind: str) -> Message:
    """Return the refusal of an array that does not hold plain numbers."""
    return Message(f"The array {name[:80]!r} has the unusable type {kind}.", CHOOSE_ANOTHER)


def unknown_type(kind: str) -> Message:
    """Return the refusal of a type that NumPy does not have."""
    return Message(f"An array has the unusable type {kind}.", CHOOSE_ANOTHER)


def number_of_weights(weights: int, arrays: int, needed: int) -> Message:
    """Return the refusal of arrays by their number of values."""
    return Message(
        f"The number of weights is wrong: {weights:,} (arrays: {arrays}); the network needs "
        f"{needed:,}.",
        OF_ONE_MODEL,
    )


def array_missing(name: str) -> Message:
    """Return the refusal of weights that lack an array."""
    return Message(f"The weights lack the array {name!r}.", OF_ONE_MODEL)


def array_shape(name: str, shape: tuple[int, ...], needed: tuple[int, ...]) -> Message:
    """Return the refusal of an array of another shape."""
    return Message(
        f"The array {name[:80]!r} has the shape {shape}; the network needs {needed}.", OF_ONE_MODEL
    )


def array_unknown(name: str, shape: tuple[int, ...]) -> Message:
    """Return the refusal of an array that the network does not have."""
    return Message(
        f"The array {name[:80]!r} of shape {shape} is not part of the network.", OF_ONE_MODEL
    )


def not_finite(name: str) -> Message:
    """Return the refusal of weights that are NaN or infinite."""
    return Message(f"The array {name!r} has values that are infinite or NaN.", CHOOSE_ANOTHER)


def link(name: str) -> Message:
    """Return the refusal of a link in HDF5."""
    return Message(f"The entry {name!r} is a link to another place.", CHOOSE_ANOTHER)


def not_an_array(name: str) -> Message:
    """Return the refusal of an entry in HDF5 without numbers."""
    return Message(f"The entry {name!r} is not an array.", CHOOSE_ANOTHER)


def outside_data(name: str) -> Message:
    """Return the refusal of HDF5 data in another file."""
    return Message(f"The array {name!r} is stored in another file.", CHOOSE_ANOTHER)


def large_chunks(name: str) -> Message:
    """Return the refusal of HDF5 chunks larger than their array."""
    return Message(f"The array {name!r} has chunks larger than itself.", CHOOSE_ANOTHER)


def compression(name: str) -> Message:
    """Return the refusal of an unusual HDF5 filter."""
    return Message(f"The array {name!r} has an unusual compression.", CHOOSE_ANOTHER)


def other_gpu(device: str, precision: str, before: str, precision_before: str) -> Message:
    """Return the refusal of a restarted GPU process on another device."""
    return Message(
        f"The GPU changed: the network now runs on {device} in {precision}, before on {before} in "
        f"{precision_before}.",
        "Restart this program, or use the CPU.",
    )


def gpu_process_ended(code: int) -> Message:
    """Return how the process on the GPU failed."""
    return Message(f"The GPU process has ended (exit code {code}).", "Run again, or use the CPU.")


def gpu_failed(reason: str) -> Message:
    """Return how the network on the GPU failed."""
    return Message(f"The GPU failed ({reason}).", "Run again, or use the CPU.")


def onnx_missing(reason: str) -> Message:
    """Return the refusal of an export without its package."""
    return Message(
        f"The package for ONNX is missing ({reason}).",
        'Install it: `pip install "napari-snow-unet[export]"`.',
    )
