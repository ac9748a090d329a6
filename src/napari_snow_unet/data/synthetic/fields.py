"""Random fields and soft masks from which generated tiles are built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Field = NDArray[np.float32]


def smooth_noise(size: int, length: float, rng: np.random.Generator) -> Field:
    """Draw noise smoothed by a Gaussian of `length` pixels, periodic, of mean 0 and deviation 1."""
    # Only the frequencies that survive the smoothing are drawn, straight in Fourier space.
    reach = min((size - 1) // 2, int(np.ceil(0.7 * size / max(length, 0.5))))
    index = np.r_[0 : reach + 1, -reach:0]
    shape = (index.size, reach + 1)
    drawn = rng.standard_normal(shape, np.float32) + 1j * rng.standard_normal(shape, np.float32)
    frequency = index / size
    squared = frequency[:, None] ** 2 + frequency[None, : reach + 1] ** 2
    drawn *= np.exp(-2 * (np.pi * length) ** 2 * squared)
    drawn[0, 0] = 0
    spectrum = np.zeros((size, size // 2 + 1), dtype=np.complex64)
    spectrum[index, : reach + 1] = drawn
    field = fft.irfft2(spectrum, s=(size, size))
    return np.asarray(field / max(float(field.std()), 1e-12), dtype=np.float32)


def soft_step(field: NDArray[np.floating], width: float) -> Field:
    """Turn a field into a mask with soft edges: 0 far below zero, 1 far above."""
    return np.asarray(1 / (1 + np.exp(-np.clip(field / width, -30, 30))), dtype=np.float32)


def halved(size: int) -> int:
    """Return the edge of the grid with every second pixel."""
    return (size + 1) // 2


def enlarge(field: NDArray[np.floating], size: int) -> Field:
    """Interpolate a field of a coarse grid linearly to `size` x `size` pixels."""
    factor = size / field.shape[0]
    return np.asarray(ndimage.zoom(field, factor, order=1, grid_mode=True, mode="nearest"))


def signed_distance(inside: NDArray[np.bool_], pixel: float) -> Field:
    """Return the distance to the border of a mask, positive inside; `pixel` is a pixel's edge."""
    far = pixel * inside.shape[0]
    if inside.all() or not inside.any():
        return np.full(inside.shape, far if inside.all() else -far, dtype=np.float32)
    into = ndimage.distance_transform_edt(inside)
    away = ndimage.distance_transform_edt(~inside)
    return np.asarray(pixel * (into - away), dtype=np.float32)


def sample(texture: Field, y: NDArray[np.floating], x: NDArray[np.floating]) -> Field:
    """Sample a periodic texture at fractional coordinates."""
    return np.asarray(ndimage.map_coordinates(texture, [y, x], order=1, mode="grid-wrap"))
