"""Staining of generated cell bodies, each in its own shade, with borders and halos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.data.synthetic.composition import Composition
from napari_snow_unet.data.synthetic.fields import Field, enlarge, halved, smooth_noise, soft_step


def stain_cytoplasm(
    labels: NDArray[np.int32], scale: float, composition: Composition, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Stain cell bodies as if all tissue were epithelium: hematoxylin, eosin."""
    size = len(labels)
    cell, distance, border = _cells(labels, scale, rng)
    count = int(cell.max()) + 1
    grain, granule = smooth_noise(size, 1.3 * scale, rng), smooth_noise(size, 3.0 * scale, rng)
    patch, slow = smooth_noise(size, 9 * scale, rng), smooth_noise(size, 40 * scale, rng)
    shade = np.exp(rng.normal(0, 0.16, (2, count))).astype(np.float32)
    halo = (rng.random(count) < composition.halos) * rng.uniform(0.4, 1.0, count)
    clear = halo.astype(np.float32)[cell] * np.exp(-((distance / 4.0) ** 2))
    vacuoles = soft_step(patch + 0.5 * granule - 2.3, 0.2)
    thin = (1 - 0.8 * clear) * (1 - 0.7 * vacuoles)
    eosin = 1 + 0.10 * granule + 0.06 * grain + 0.12 * patch + 0.12 * slow
    eosin = composition.cytoplasm * shade[0][cell] * eosin
    hematoxylin = 1 + 0.14 * granule + 0.10 * grain + 0.22 * patch + 0.15 * slow
    hematoxylin = composition.basophilia * shade[1][cell] * hematoxylin
    line = composition.membranes * border
    return (
        (hematoxylin * thin * (1 - 0.35 * line)).clip(0),
        (eosin * thin * (1 - 0.45 * line)).clip(0),
    )


def _cells(
    labels: NDArray[np.int32], scale: float, rng: np.random.Generator
) -> tuple[NDArray[np.int32], Field, Field]:
    """Return each pixel's cell, the distance to its nucleus (pixels of 0.25 um), and borders."""
    size = len(labels)
    seeds = labels[::2, ::2].copy()
    coarse, half = halved(size), scale / 2
    outside = (
        ndimage.distance_transform_edt(seeds == 0) if seeds.any() else np.full(seeds.shape, 99)
    )
    places = rng.integers(0, coarse, (max(1, round((size / (26 * scale)) ** 2)), 2))
    # cells whose nuclei are outside the section
    lonely = [(y, x) for y, x in places if outside[y, x] > 16 * half]
    for number, (y, x) in enumerate(lonely or [(0, 0)], start=int(labels.max()) + 1):
        seeds[y, x] = number
    away, nearest = ndimage.distance_transform_edt(seeds == 0, return_indices=True)
    cell = seeds[nearest[0], nearest[1]]
    edge = np.zeros(cell.shape, dtype=np.float32)
    edge[1:] += cell[1:] != cell[:-1]
    edge[:, 1:] += cell[:, 1:] != cell[:, :-1]
    border = ndimage.gaussian_filter(edge.clip(0, 1), max(0.8 * half, 0.3)) * 1.6
    whole = cell.repeat(2, axis=0).repeat(2, axis=1)[:size, :size]
    return whole, enlarge(away / half, size), enlarge(border, size).clip(0, 1)
