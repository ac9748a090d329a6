"""Fat cells of generated tissue: large holes with thin walls."""

from __future__ import annotations

import numpy as np

from napari_snow_unet.data.synthetic.composition import Composition
from napari_snow_unet.data.synthetic.fields import (
    Field,
    enlarge,
    halved,
    signed_distance,
    smooth_noise,
    soft_step,
)

DIAMETER = 130.0  # in pixels of 0.25 um


def lay_out_fat(
    size: int, scale: float, composition: Composition, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return 1 inside fat cells, and the distance from them: pixels of 0.25 um, negative inside."""
    coarse, half = halved(size), scale / 2
    where = smooth_noise(coarse, 55 * half, rng) + composition.fat
    y, x = np.mgrid[:coarse, :coarse].astype(np.float32)
    y += 6 * half * smooth_noise(coarse, 15 * half, rng)
    x += 6 * half * smooth_noise(coarse, 15 * half, rng)
    first = np.full((coarse, coarse), np.inf, dtype=np.float32)
    second, fatty = first.copy(), np.zeros((coarse, coarse), dtype=np.bool_)
    count = max(2, round(1.7 * (size / (DIAMETER * scale)) ** 2))
    for cy, cx in rng.uniform(-0.1, 1.1, (count, 2)) * coarse:
        row, column = (min(max(int(value), 0), coarse - 1) for value in (cy, cx))
        distance = np.hypot(y - np.float32(cy), x - np.float32(cx))
        nearer = distance < first
        second = np.minimum(second, np.where(nearer, first, distance))
        first = np.where(nearer, distance, first)
        fatty = np.where(nearer, where[row, column] > 0, fatty)
    wall = (2.5 + 1.5 * smooth_noise(coarse, 20 * half, rng)) * half
    inside = np.minimum(second - first - wall, 0.8 * DIAMETER * half - first) / half
    holes = soft_step(enlarge(np.where(fatty, inside, -9), size), 1.0)
    return holes, enlarge(signed_distance(~(fatty & (inside > 0)), 1 / half), size)
