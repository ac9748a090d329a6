"""Names and shapes of a U-Net's arrays, in the order of its layers; they follow from its config.

A name joins layer and array. The layers are down0a, down0b, ... of the encoder, where level 0 is
the finest; bottom4a and bottom4b at the coarsest level; up3, decode3a, decode3b, ... of the
decoder; and logits. With batch normalisation each layer except up and logits is followed by one
such as down0a_norm. Shapes are Keras': (rows, columns, input channels, output channels) for a
kernel, with the channels swapped for a transposed convolution (up).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.network.config import UNetConfig

Shape = tuple[int, ...]
NORM_ARRAYS = ("gamma", "beta", "moving_mean", "moving_variance")


def array_shapes(config: UNetConfig) -> dict[str, Shape]:
    """Return the shapes of a network's arrays by name, in the order of the layers."""
    size, bottom = config.kernel_size, config.levels - 1
    shapes: dict[str, Shape] = {}

    def twice(side: str, level: int, inputs: int) -> None:
        filters = config.filters(level)
        for part, channels in (("a", inputs), ("b", filters)):
            layer = f"{side}{level}{part}"
            shapes[f"{layer}.kernel"] = (size, size, channels, filters)
            shapes[f"{layer}.bias"] = (filters,)
            if config.normalization == "batch":
                shapes.update({f"{layer}_norm.{array}": (filters,) for array in NORM_ARRAYS})

    for level in range(bottom):
        twice("down", level, config.filters(level - 1) if level else config.channels)
    twice("bottom", bottom, config.filters(bottom - 1))
    for level in reversed(range(bottom)):
        filters = config.filters(level)
        shapes[f"up{level}.kernel"] = (2, 2, filters, config.filters(level + 1))
        shapes[f"up{level}.bias"] = (filters,)
        twice("decode", level, 2 * filters)
    shapes["logits.kernel"] = (1, 1, config.base_filters, 1)
    shapes["logits.bias"] = (1,)
    return shapes


def arrays_of(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a network of `build_unet` by name."""
    from keras.ops import convert_to_numpy

    return {_name(variable): convert_to_numpy(variable) for variable in model.weights}


def shapes_of(model: Any) -> dict[str, Shape]:
    """Return `array_shapes` of a network that is built."""
    return {_name(variable): tuple(variable.shape) for variable in model.weights}


def fill(model: Any, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Set the arrays of a network of `build_unet`."""
    for variable in model.weights:
        variable.assign(arrays[_name(variable)])


def _name(variable: Any) -> str:
    return str(variable.path).replace("/", ".")
