"""The U-Net step by step, for engines and file formats other than Keras.

Each of them implements `Operators`; `compose` calls it in the order of `build.build_unet`, without
dropout and with the normalisation folded into the kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.network.config import UNetConfig

Floats = NDArray[np.float32]
Arrays = Mapping[str, Floats]
Map = TypeVar("Map")

_BATCH_EPSILON = 1e-3  # Keras' default, under the root of the variance


class Operators(Protocol[Map]):
    """Steps of a network on maps (N, C, Y, X); kernels are (output, input, rows, columns)."""

    def convolve(self, x: Map, kernel: Floats, bias: Floats) -> Map:
        """Convolve with a stride of 1, padded with zeros to the same size."""

    def activate(self, x: Map, activation: str) -> Map:
        """Apply relu, elu, silu or sigmoid."""

    def halve(self, x: Map) -> Map:
        """Take the maximum of every 2 x 2 pixels."""

    def double(self, x: Map, kernel: Floats, bias: Floats) -> Map:
        """Double the size by a transposed convolution; the kernel is (input, output, 2, 2)."""

    def join(self, skip: Map, x: Map) -> Map:
        """Concatenate the channels of two maps."""


def compose(
    config: UNetConfig,
    arrays: Arrays,
    pixels: Map,
    operators: Operators[Map],
    *,
    first_in_two_parts: bool = False,
) -> Map:
    """Compute the network, from pixels in unit range to the probability of nucleus.

    Parameters
    ----------
    config : UNetConfig
        The architecture.
    arrays : mapping from str to ndarray of float32
        The weights by name, see `arrays.array_shapes`.
    pixels : object
        The input, a map of `operators`.
    operators : Operators
        Computes or writes each step.
    first_in_two_parts : bool, default: False
        Whether the pixels are those of `in_two_parts`; the kernel of the first convolution is then
        split in the same way. In bfloat16, rounding costs most in that convolution.

    Returns
    -------
    object
        The probability, of one channel.
    """

    def convolve(x: Map, name: str) -> Map:
        kernel, bias = _folded(arrays, name)
        if first_in_two_parts and name == "down0a":
            high = _bfloat16(kernel)
            kernel = np.concatenate([high, high, kernel - high], axis=2)
        return operators.convolve(x, np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), bias)

    def convolve_twice(x: Map, name: str) -> Map:
        for part in ("a", "b"):
            x = operators.activate(convolve(x, f"{name}{part}"), config.activation)
        return x

    x, skips = pixels, []
    for level in range(config.levels - 1):
        skips.append(convolve_twice(x, f"down{level}"))
        x = operators.halve(skips[-1])
    x = convolve_twice(x, f"bottom{config.levels - 1}")
    for level in reversed(range(config.levels - 1)):
        kernel, bias = arrays[f"up{level}.kernel"], arrays[f"up{level}.bias"]
        x = operators.double(x, np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), bias)
        x = convolve_twice(operators.join(skips[level], x), f"decode{level}")
    return operators.activate(convolve(x, "logits"), "sigmoid")


def in_two_parts(planes: Floats) -> Floats:
    """Return the high, low and high bits of an image as (N, 3C, Y, X), exact in bfloat16.

    With a kernel split into high, high and low bits, the neglected products are below 2**-16.
    """
    high = _bfloat16(planes)
    return np.concatenate([high, planes - high, high], axis=1)


def _folded(arrays: Arrays, name: str) -> tuple[Floats, Floats]:
    """Return kernel and bias of a convolution, with the following normalisation folded in."""
    kernel, bias = arrays[f"{name}.kernel"], arrays[f"{name}.bias"]
    if f"{name}_norm.gamma" not in arrays:
        return kernel, bias
    gamma, beta, mean, variance = (
        arrays[f"{name}_norm.{part}"].astype(np.float64)
        for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + _BATCH_EPSILON)
    return (kernel * scale).astype(np.float32), ((bias - mean) * scale + beta).astype(np.float32)


def _bfloat16(array: Floats) -> Floats:
    """Round to the eight significant bits of bfloat16, ties to even."""
    bits = np.ascontiguousarray(array).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)
