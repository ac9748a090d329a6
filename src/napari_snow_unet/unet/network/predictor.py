"""A network as a fast function from array to array."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.precision import Precision
from napari_snow_unet.unet.engine import openvino as engine
from napari_snow_unet.unet.engine.device import Call, processor_name
from napari_snow_unet.unet.engine.failures import is_out_of_memory, unsupported
from napari_snow_unet.unet.network import messages
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import Room
from napari_snow_unet.unet.network.operators import Arrays, compose, in_two_parts


@dataclass(frozen=True)
class Predictor:
    """A network ready to predict: the same pixels always give the same bits.

    Attributes
    ----------
    predict : callable
        From float32 (N, Y, X, C) in unit range, Y and X multiples of the network's stride, to the
        probability of nucleus, float32 (N, Y, X) in 0..1; thread-safe. It raises `InputError` for
        other arrays and for more pixels than can fit into memory, and `MemoryError` when memory
        runs out, whatever the engine raises.
    precision : str
        Its number format.
    device : str
        Its device, in words.
    room : Room
        The memory that a window needs.
    calls_at_once : int
        Number of threads that gain from calling it at the same time.
    messages : tuple of str
        Remarks for the user.
    release_memory : callable
        Releases the memory of the last windows.
    """

    predict: Call
    precision: str
    device: str
    room: Room
    calls_at_once: int = 1
    messages: tuple[str, ...] = ()
    release_memory: Callable[[], None] = field(default=lambda: None)


def on_processor(config: UNetConfig, arrays: Arrays, precision: Precision) -> Predictor:
    """Compile a network with OpenVINO.

    Parameters
    ----------
    config : UNetConfig
        Its architecture.
    arrays : mapping from str to ndarray of float32
        Its weights by name, see `arrays.array_shapes`.
    precision : {"float32", "fast", "bfloat16", "float16"}
        Number format, see `models.open_model`.

    Returns
    -------
    Predictor
        In float32, and with a message, if "fast" finds nothing faster.

    Raises
    ------
    InputError
        If the processor lacks the requested number format, or OpenVINO cannot be loaded.
    """
    engine.load_openvino()
    fast = _is_fast(precision)
    try:
        compiled = _compiled(config, arrays, fast=fast)
    except InputError as error:
        if not fast:
            raise
        if precision != "fast":
            raise _unavailable(precision, ("float32",)) from error
        fast, compiled = False, _compiled(config, arrays, fast=False)

    def call(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        planes = np.moveaxis(pixels, -1, 1)
        planes = in_two_parts(planes) if fast else np.ascontiguousarray(planes)
        return compiled(planes)[:, 0]

    number_format = "bfloat16" if fast else "float32"
    room = Room.on_processor(config, number_format, compiled.windows)
    return Predictor(
        guarded(call, config, room),
        number_format,
        f"{processor_name()} (cpu, openvino)",
        room,
        compiled.calls_at_once,
        (messages.NO_BFLOAT16,) if precision == "fast" and not fast else (),
        compiled.release_memory,
    )


def _is_fast(precision: Precision) -> bool:
    """Tell whether to compute in bfloat16; refuse a requested format that is unavailable."""
    if precision == "float32":
        return False
    there = engine.computes_bfloat16()
    if precision != "fast" and (precision != "bfloat16" or not there):
        raise _unavailable(precision, ("float32", "bfloat16") if there else ("float32",))
    return there


def _unavailable(precision: Precision, available: tuple[str, ...]) -> InputError:
    return InputError(messages.precision_unavailable(precision, processor_name(), available))


def _compiled(config: UNetConfig, arrays: Arrays, *, fast: bool) -> engine.Compiled:
    pixels = engine.input_of(config.channels * (3 if fast else 1))
    probability = compose(config, arrays, pixels, engine.Operators(), first_in_two_parts=fast)
    return engine.Compiled(pixels, probability, "bfloat16" if fast else "float32")


def by_keras(config: UNetConfig, arrays: Arrays, precision: Precision) -> Predictor:
    """Build a Keras network on the device of `engine.selection`; see `on_processor`.

    "fast" is the fastest number format of that device.
    """
    from napari_snow_unet.unet.engine.fast_calls import traced_call
    from napari_snow_unet.unet.engine.precision import fast_precision
    from napari_snow_unet.unet.engine.selection import load_engine

    device = load_engine()
    from napari_snow_unet.unet.network.arrays import fill
    from napari_snow_unet.unet.network.build import build_unet

    policy = fast_precision() if precision == "fast" else precision
    policy = policy if policy == "float32" else f"mixed_{policy.removeprefix('mixed_')}"
    model = build_unet(config, precision=policy, first="float32")
    fill(model, arrays)
    call, one_at_a_time = traced_call(model), threading.Lock()

    def compute(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        with one_at_a_time:
            return call(pixels)[..., 0]

    room = Room()  # a GPU has its own memory, and its engine reports when it is full
    return Predictor(
        guarded(compute, config, room),
        policy.removeprefix("mixed_"),
        f"{device.name} ({device.kind}, {device.backend})",
        room,
    )


def guarded(call: Call, config: UNetConfig, room: Room) -> Call:
    """Refuse arrays that a network cannot compute or has no memory for, before an engine fails."""

    def predict(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        pixels = np.ascontiguousarray(pixels, dtype=np.float32)
        _check_shape(pixels.shape, config.channels, config.stride)
        room.require(pixels.shape[:3])
        try:
            return call(pixels)
        except Exception as error:
            if is_out_of_memory(error):
                raise MemoryError(messages.NO_MEMORY_FOR_WINDOW) from error
            if (refusal := unsupported(error)) is not None:
                raise refusal from error
            raise

    return predict


def _check_shape(shape: tuple[int, ...], channels: int, stride: int) -> None:
    good = len(shape) == 4 and shape[3] == channels and 0 not in shape
    if not good or shape[1] % stride or shape[2] % stride:
        raise InputError(messages.window_shape(shape, channels, stride))
