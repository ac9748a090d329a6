"""A network as a fast function from array to array."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import SMALL_CALL
from napari_snow_unet.unet.engine.device import Call
from napari_snow_unet.unet.engine.failures import is_out_of_memory, unsupported
from napari_snow_unet.unet.engine.fast_calls import small_calls_at_once, traced_call
from napari_snow_unet.unet.engine.selection import load_engine
from napari_snow_unet.unet.network.memory import (
    least_bytes_per_pixel,
    memory_available,
    most_bytes_per_pixel,
    require_window_memory,
)


def make_predictor(model: Any) -> Call:
    """Turn a network into a function from float32 (N, Y, X, C) in unit range to (N, Y, X).

    It returns probabilities, of the same pixels the same bits every time, may be called from any
    thread, and raises `InputError` for what it cannot compute, `MemoryError` where that is short.
    """
    # Measured on two cores with windows of 512 x 512 pixels, the time of one call being 1: Keras'
    # predict 1.5 in float32; the trace with its weights left variables 1.0 in float32, 1.1 in
    # bfloat16, to which they would be converted in every call; each of two calls side by side 0.95
    # in float32, 0.87 in bfloat16. Large calls are computed alone.
    channels = model.input_shape[-1]
    stride = _stride(model)
    call = traced_call(model)
    room = _Room.of(model)
    at_once = small_calls_at_once()
    machine = _WeightedSemaphore(at_once)

    @cache  # what was computed once is computed again, whatever memory is free by then
    def weight(shape: tuple[int, int, int]) -> int:
        require_window_memory(shape, room.least)
        pixels = math.prod(shape)
        return 1 if pixels <= SMALL_CALL and pixels * at_once <= room.pixels() else at_once

    def predict(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        pixels = np.ascontiguousarray(pixels, dtype=np.float32)
        _check_shape(pixels.shape, channels, stride)
        with machine.held(weight(pixels.shape[:3])):
            try:
                return call(pixels)[..., 0]
            except Exception as error:
                if is_out_of_memory(error):
                    raise MemoryError("the network got no memory for a window") from error
                if (refusal := unsupported(error)) is not None:
                    raise refusal from error
                raise

    return predict


class _WeightedSemaphore:
    """What calls share: a small one holds one place of it, a large one all of them."""

    def __init__(self, places: int) -> None:
        self._places, self._turn = threading.Semaphore(places), threading.Lock()

    @contextmanager
    def held(self, weight: int) -> Iterator[None]:
        """Wait for as many places; one call at a time, so that no two wait for each other's."""
        with self._turn:
            for _ in range(weight):
                self._places.acquire()
        try:
            yield
        finally:
            self._places.release(weight)


def window_that_fits(model: Any) -> Callable[[int], int]:
    """Return what lowers the edge of a square window to what surely fits into free memory."""
    room = _Room.of(model)
    return lambda edge: int(min(edge, math.sqrt(room.pixels())))


def _stride(model: Any) -> int:
    import keras

    return int(2 ** sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in model.layers))


@dataclass(frozen=True)
class _Room:
    """The memory that windows take on a CPU, at the least and at the most."""

    least: float  # bytes per pixel
    most: float

    @classmethod
    def of(cls, model: Any) -> _Room:
        import keras

        from napari_snow_unet.unet.network.fused_upsampling import UpsampledConvolution

        if (
            load_engine().kind != "cpu"
        ):  # it has memory of its own, and an engine that says it is full
            return cls(0, 0)
        convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
        merged = any(isinstance(x, UpsampledConvolution) for x in model.layers)
        filters, precision = convolutions[0].filters, convolutions[-1].dtype_policy.name
        least = least_bytes_per_pixel(filters, merged=merged, precision=precision)
        return cls(least, most_bytes_per_pixel(filters))

    def pixels(self) -> float:
        """Return how many pixels of windows surely fit into what is free now."""
        there = memory_available()
        return math.inf if there is None or not self.most else there / self.most


def _check_shape(shape: tuple[int, ...], channels: int, stride: int) -> None:
    good = len(shape) == 4 and shape[3] == channels and 0 not in shape
    if not good or shape[1] % stride or shape[2] % stride:
        raise InputError(
            f"an array of shape {shape}",
            expected=f"(N, Y, X, {channels}) with Y and X multiples of {stride}",
            remedy="Pad the window to such a size.",
        )
