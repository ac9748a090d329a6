"""Transposed convolution, concatenation and convolution as one layer, for predicting."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.unet.engine import tensorflow

Floats = NDArray[np.float32]


class UpsampledConvolution(keras.layers.Layer):
    """A 3 x 3 convolution of a map and of one of half its size, brought up to it before."""

    # It computes what a transposed 2 x 2 convolution with a stride of 2, the concatenation behind
    # the other map and a 3 x 3 convolution compute one after the other. All three are sums of
    # products, so they equal the sum of a 3 x 3 convolution of the one map and a transposed 4 x 4
    # convolution of the other: 17 products in place of 20, nothing is concatenated, and the engine
    # adds in one go with the convolution.

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self._filters = filters

    def build(self, shapes: list[tuple[int | None, ...]]) -> None:
        """Make the arrays that `merge` fills."""
        filters, below = self._filters, shapes[1][-1]
        self.kernel = self.add_weight((3, 3, filters, filters), name="kernel")
        self.kernel_below = self.add_weight((4, 4, filters, below), name="kernel_below")
        self.bias = self.add_weight((filters,), name="bias")

    def merge(self, up: Floats, kernel: Floats, bias: Floats) -> None:
        """Take over the kernels (2, 2, F, B) going up and (3, 3, 2F, F), and a bias (F,)."""
        # The bias of the transposed one has to be 0: it would be added within the map alone, not
        # around it.
        own, other = np.split(kernel, 2, axis=2)
        self.set_weights([own, composed_kernel(up, other), bias])

    def call(self, maps: list[Any]) -> Any:
        """Compute a map (N, 2Y, 2X, F) from one of that shape and one of (N, Y, X, B)."""
        arrays = self.kernel, self.kernel_below, self.bias
        return tensorflow.convolve_upsampled(*maps, *map(keras.ops.convert_to_tensor, arrays))

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """Return the shape of the larger map."""
        return shapes[0]


def composed_kernel(up: Floats, kernel: Floats) -> Floats:
    """Return one kernel (4, 4, O, B) for a transposed convolution (2, 2, F, B) and (3, 3, F, O)."""
    # For a stride of 2 and padding "same". Transposed kernels are rows, columns, to, from.
    whole = np.zeros((4, 4, kernel.shape[3], up.shape[3]))
    # A pixel below lies on rows 0 and 1 of a block of two; the tap at row r sees what is r - 1
    # further down, so it carries row y of the block to row y - (r - 1). Row 0 of `whole` is -1.
    for y, x in np.ndindex(2, 2):
        for row, column in np.ndindex(3, 3):
            taps = kernel[row, column].T.astype(np.float64) @ up[y, x]
            whole[y + 2 - row, x + 2 - column] += taps
    return whole.astype(np.float32)
