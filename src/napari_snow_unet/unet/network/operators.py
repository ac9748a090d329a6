"""The U-Net step by step, for engines and formats other than Keras: from its config and arrays.

What runs a network without Keras, or writes it to a file, gives an `Operators`; `compose` calls it
in the order of `build.build_unet`, without dropout and with normalisation folded into kernels.
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
    """What a network is made of. Maps are (N, C, Y, X); kernels are (to, from, rows, columns)."""

    def convolve(self, x: Map, kernel: Floats, bias: Floats) -> Map:
        """Convolve with a stride of 1, padded with zeros to the same size."""

    def activate(self, x: Map, activation: str) -> Map:
        """Apply relu, elu, silu or sigmoid."""

    def halve(self, x: Map) -> Map:
        """Take the largest of every 2 x 2 pixels."""

    def double(self, x: Map, kernel: Floats, bias: Floats) -> Map:
        """Convolve transposed with a stride of 2; the kernel is (from, to, 2, 2)."""

    def join(self, skip: Map, x: Map) -> Map:
        """Put the channels of two maps behind each other."""


def compose(
    config: UNetConfig,
    arrays: Arrays,
    pixels: Map,
    operators: Operators[Map],
    *,
    first_in_two_parts: bool = False,
) -> Map:
    """Go through the network, from pixels in unit range to the probability of nucleus.

    Parameters
    ----------
    config : UNetConfig
        The architecture.
    arrays : mapping from str to ndarray of float32
        The weights by name, see `arrays.array_shapes`.
    pixels : object
        The input, one of the maps that `operators` takes and returns.
    operators : Operators
        What each step is done by.
    first_in_two_parts : bool, default: False
        Whether the pixels are those of `in_two_parts`, and the kernel of the first convolution is
        split in the same way. In bfloat16 that is the convolution in which rounding costs most.

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
    """Return high, low and high part of an image, (N, 3C, Y, X), whose sums bfloat16 holds.

    With a kernel of the parts high, high and low the products that are left out are below 2**-16.
    """
    high = _bfloat16(planes)
    return np.concatenate([high, planes - high, high], axis=1)


def _folded(arrays: Arrays, name: str) -> tuple[Floats, Floats]:
    """Return kernel and bias of a convolution, the normalisation behind it included."""
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
    """Round to the nearest number with the eight significant bits of bfloat16, ties to even."""
    bits = np.ascontiguousarray(array).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)
