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
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import Room
from napari_snow_unet.unet.network.operators import Arrays, compose, in_two_parts

NOT_FAST = "This computer does not compute in bfloat16, so float32 was used."


@dataclass(frozen=True)
class Predictor:
    """A network that is ready: every call with the same pixels gives the same bits.

    Attributes
    ----------
    predict : callable
        From float32 (N, Y, X, C) in unit range, Y and X multiples of the network's stride, to the
        probability of nucleus, float32 (N, Y, X) in 0..1, from any thread. It raises `InputError`
        for arrays of another kind, and for more pixels than can fit into memory; `MemoryError`
        whatever the engine calls it.
    precision : str
        The number format it computes in.
    device : str
        What computes it, in words.
    room : Room
        The memory that a window takes.
    calls_at_once : int
        How many threads may call it side by side, and gain by it.
    messages : tuple of str
        What a person should be told.
    release_memory : callable
        Gives back what the last windows took.
    """

    predict: Call
    precision: str
    device: str
    room: Room
    calls_at_once: int = 1
    messages: tuple[str, ...] = ()
    release_memory: Callable[[], None] = field(default=lambda: None)


def on_processor(config: UNetConfig, arrays: Arrays, precision: Precision) -> Predictor:
    """Compile a network by OpenVINO.

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
        In float32, and with a message, where "fast" finds nothing faster.

    Raises
    ------
    InputError
        If the processor does not compute in what is insisted on, or OpenVINO cannot be loaded.
    """
    engine.load_openvino()
    fast = _is_fast(precision)
    try:
        compiled = _compiled(config, arrays, fast=fast)
    except InputError as error:
        if not fast:
            raise
        if precision != "fast":
            raise _not_here(precision, "float32") from error
        fast, compiled = False, _compiled(config, arrays, fast=False)

    def call(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        planes = np.moveaxis(pixels, -1, 1)
        planes = in_two_parts(planes) if fast else np.ascontiguousarray(planes)
        return compiled(planes)[:, 0]

    found = "bfloat16" if fast else "float32"
    room = Room.on_processor(config, found, compiled.windows)
    return Predictor(
        guarded(call, config, room),
        found,
        f"{processor_name()} (cpu, openvino)",
        room,
        compiled.calls_at_once,
        (NOT_FAST,) if precision == "fast" and not fast else (),
        compiled.release_memory,
    )


def _is_fast(precision: Precision) -> bool:
    """Tell whether to compute in bfloat16; refuse what is insisted on in vain."""
    if precision == "float32":
        return False
    there = engine.computes_bfloat16()
    if precision != "fast" and (precision != "bfloat16" or not there):
        raise _not_here(precision, "float32 or bfloat16" if there else "float32")
    return there


def _not_here(precision: Precision, expected: str) -> InputError:
    return InputError(
        f"the precision {precision} on this processor, {processor_name()}",
        expected=expected,
        remedy="Choose one of these, or another folder for the results.",
    )


def _compiled(config: UNetConfig, arrays: Arrays, *, fast: bool) -> engine.Compiled:
    pixels = engine.input_of(config.channels * (3 if fast else 1))
    probability = compose(config, arrays, pixels, engine.Operators(), first_in_two_parts=fast)
    return engine.Compiled(pixels, probability, "bfloat16" if fast else "float32")


def by_keras(config: UNetConfig, arrays: Arrays, precision: Precision) -> Predictor:
    """Fill a network of Keras, on the device that `engine.selection` chooses; see `on_processor`.

    "fast" is the number format in which that device computes fastest.
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

    room = Room()  # a GPU has memory of its own, and an engine that says it is full
    return Predictor(
        guarded(compute, config, room),
        policy.removeprefix("mixed_"),
        f"{device.name} ({device.kind}, {device.backend})",
        room,
    )


def guarded(call: Call, config: UNetConfig, room: Room) -> Call:
    """Refuse what a network cannot compute or has no memory for, before an engine gets it."""

    def predict(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        pixels = np.ascontiguousarray(pixels, dtype=np.float32)
        _check_shape(pixels.shape, config.channels, config.stride)
        room.require(pixels.shape[:3])
        try:
            return call(pixels)
        except Exception as error:
            if is_out_of_memory(error):
                raise MemoryError("the network got no memory for a window") from error
            if (refusal := unsupported(error)) is not None:
                raise refusal from error
            raise

    return predict


def _check_shape(shape: tuple[int, ...], channels: int, stride: int) -> None:
    good = len(shape) == 4 and shape[3] == channels and 0 not in shape
    if not good or shape[1] % stride or shape[2] % stride:
        raise InputError(
            f"an array of shape {shape}",
            expected=f"(N, Y, X, {channels}) with Y and X multiples of {stride}",
            remedy="Pad the window to such a size.",
        )
