"""The margin of a window in which the prediction depends on pixels beyond it."""

from __future__ import annotations

from napari_snow_unet.unet.network.config import UNetConfig


def window_halo(config: UNetConfig) -> int:
    """Return the margin of a window to discard, in pixels: 96 for the default."""
    # A multiple of 16 and of the stride: windows and what is used of them start on the coarsest
    # grid, so the receptive field beyond a block of that grid counts, which is smaller than that
    # beyond a pixel.
    ends = [_reach(config, pixel) for pixel in range(config.stride)]
    beyond = max(max(-low, high - config.stride + 1) for low, high in ends)
    grid = max(config.stride, 16)  # both are powers of two
    return -(-beyond // grid) * grid


def _reach(config: UNetConfig, pixel: int) -> tuple[int, int]:
    """Return the first and last input pixel on one axis that an output pixel depends on."""
    # Followed back through the deepest path: each pair of convolutions widens the interval, a
    # transposed convolution of stride 2 reads pixel x // 2 of the level below, a pooled pixel reads
    # two of the level above.
    reach = 2 * (config.kernel_size // 2)
    low = high = pixel
    for _ in range(config.levels - 1):
        low, high = (low - reach) // 2, (high + reach) // 2
    low, high = low - reach, high + reach
    for _ in range(config.levels - 1):
        low, high = 2 * low - reach, 2 * high + 1 + reach
    return low, high
