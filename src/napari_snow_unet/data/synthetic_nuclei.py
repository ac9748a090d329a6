"""The nuclei of generated tiles: where they lie, their outlines and chromatin, what is hazy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.data.synthetic_tissue import Appearance, Regions, smooth_noise

SPACING_PX = 30.0  # between places for nuclei in epithelium, in pixels of 0.25 um
SMALLEST_PX = 40.0
MOST_HIDDEN = 0.3  # part of a nucleus that others may cover


@dataclass(frozen=True)
class Nuclei:
    """All nuclei of a tile.

    Attributes
    ----------
    labels : ndarray of int32, shape (Y, X)
        The truth.
    chromatin : ndarray of float32, shape (Y, X)
        Hematoxylin inside nuclei.
    haze : ndarray of float32, shape (Y, X)
        Hematoxylin of nuclei that lie out of focus, which nobody would annotate.
    """

    labels: NDArray[np.int32]
    chromatin: NDArray[np.float32]
    haze: NDArray[np.float32]


@dataclass(frozen=True)
class _Kind:
    """A cell type: semi-axes in pixels of 0.25 um, their spread, and how its chromatin looks."""

    length: float
    width: float
    spread: float
    roughness: float
    stain: float
    stain_spread: float
    rim: float
    clump: float
    nucleoli: float


TUMOUR = _Kind(16.5, 12.7, 0.20, 0.10, 0.46, 0.15, 0.13, 0.13, 0.5)
VESICULAR = _Kind(18.0, 14.0, 0.18, 0.08, 0.25, 0.08, 0.24, 0.14, 0.9)
LYMPHOCYTE = _Kind(10.2, 9.4, 0.10, 0.05, 0.72, 0.12, 0.04, 0.12, 0.0)
FIBROBLAST = _Kind(20.0, 5.8, 0.25, 0.09, 0.50, 0.16, 0.05, 0.08, 0.0)
PLUMP = _Kind(17.0, 8.6, 0.20, 0.09, 0.34, 0.12, 0.12, 0.10, 0.2)
IN_NESTS = ((TUMOUR, 0.55), (VESICULAR, 0.38), (LYMPHOCYTE, 0.07))
IN_STROMA = ((FIBROBLAST, 0.50), (PLUMP, 0.22), (LYMPHOCYTE, 0.28))


def draw_nuclei(
    regions: Regions, scale: float, density: float, look: Appearance, rng: np.random.Generator
) -> Nuclei:
    """Place and draw all nuclei of a tile.

    Parameters
    ----------
    regions : Regions
        Where which tissue is.
    scale : float
        Pixels per pixel of 0.25 um.
    density : float
        Factor on the number of nuclei.
    look : Appearance
        How much lies out of focus.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Nuclei
        Labels, chromatin and haze.
    """
    size = len(regions.hole)
    labels = np.zeros((size, size), dtype=np.int32)
    chromatin = np.zeros((size, size), dtype=np.float32)
    texture = smooth_noise(size, 1.5 * scale, rng) + 0.7 * smooth_noise(size, 3.2 * scale, rng)
    haze = np.zeros((size, size), dtype=np.float32)
    clusters = smooth_noise(size, 30 * scale, rng)
    for y, x in _places(size, scale, rng):
        row, column = min(max(int(y), 0), size - 1), min(max(int(x), 0), size - 1)
        nest = regions.epithelium[row, column] > 0.5
        crowd = clusters[row, column] > 1.3  # lymphocytes gather
        wanted = density * (0.85 if crowd else 0.72 if nest else 0.24)
        if rng.random() > wanted or regions.hole[row, column] > 0.3:
            continue
        kind = LYMPHOCYTE if crowd and not nest else _choose(IN_NESTS if nest else IN_STROMA, rng)
        turn = rng.uniform(0, np.pi) if nest else rng.normal(regions.direction[row, column], 0.3)
        box, inside, radius = _outline(y, x, turn, kind, scale, size, rng)
        if not inside.any():
            continue
        amount = _chromatin(kind, radius, texture[box], scale, rng)
        if rng.random() < 0.16 * look.haze:
            haze[box] = np.maximum(haze[box], np.where(inside, amount, 0))
            continue
        free = inside & (labels[box] == 0)
        if free.sum() < max((1 - MOST_HIDDEN) * inside.sum(), SMALLEST_PX * scale**2):
            continue
        labels[box][free] = labels.max() + 1
        chromatin[box][free] = amount[free]
    blurred = ndimage.gaussian_filter(haze, 4.5 * scale)
    return Nuclei(_one_piece_each(labels, SMALLEST_PX * scale**2), chromatin, 0.8 * blurred)


def _places(size: int, scale: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points of a hexagonal grid, jittered, in random order; they reach over the border."""
    step = SPACING_PX * scale
    rows = np.arange(-step, size + step, step * 0.87)
    points = np.array(
        [
            (y, x + (i % 2) * step / 2)
            for i, y in enumerate(rows)
            for x in np.arange(-step, size + step, step)
        ]
    )
    points += rng.normal(0, 0.24 * step, points.shape)
    return rng.permutation(points)


def _choose(kinds: tuple[tuple[_Kind, float], ...], rng: np.random.Generator) -> _Kind:
    return kinds[int(rng.choice(len(kinds), p=[share for _, share in kinds]))][0]


def _outline(
    y: float, x: float, turn: float, kind: _Kind, scale: float, size: int, rng: np.random.Generator
) -> tuple[tuple[slice, slice], NDArray[np.bool_], NDArray[np.float32]]:
    """Return box, mask and relative radius of an ellipse with a wavy, slightly bent outline."""
    grow = np.exp(rng.normal(0, kind.spread))
    long = kind.length * grow * np.exp(rng.normal(0, 0.1)) * scale
    wide = kind.width * grow * np.exp(rng.normal(0, 0.1)) * scale
    reach = int(1.35 * max(long, wide)) + 2
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    box = (
        slice(top, max(top, min(size, int(y) + reach + 1))),
        slice(left, max(left, min(size, int(x) + reach + 1))),
    )
    gy, gx = np.mgrid[box].astype(np.float32)
    u = ((gx - x) * np.cos(turn) + (gy - y) * np.sin(turn)) / long
    v = ((gy - y) * np.cos(turn) - (gx - x) * np.sin(turn)) / wide
    v = v + rng.normal(0, 0.12) * (u**2 - 0.4) * long / wide
    angle = np.arctan2(v, u)
    wave = np.zeros_like(angle)
    for harmonic in range(2, 7):
        size_of_wave = kind.roughness * rng.normal() / harmonic**0.8
        wave += size_of_wave * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    radius = np.hypot(u, v) / np.clip(1 + wave, 0.5, 1.5)
    return box, radius < 1, radius.astype(np.float32)


def _chromatin(
    kind: _Kind,
    radius: NDArray[np.float32],
    texture: NDArray[np.float32],
    scale: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Hematoxylin of one nucleus: even stain, dark rim, clumps, nucleoli."""
    stain = max(0.15, rng.normal(kind.stain, kind.stain_spread))
    amount = stain + kind.rim * rng.uniform(0.5, 1.5) * np.clip(radius, 0, 1) ** 5
    amount = amount + stain * kind.clump * 1.6 * texture
    if rng.random() < kind.nucleoli:
        height, width = radius.shape
        for _ in range(int(rng.integers(1, 4))):
            cy, cx = rng.normal(height / 2, height / 9), rng.normal(width / 2, width / 9)
            gy, gx = np.ogrid[:height, :width]
            distance = ((gy - cy) ** 2 + (gx - cx) ** 2) / (rng.uniform(1.3, 2.4) * scale) ** 2
            amount = amount + 0.28 * np.exp(-distance)
    return np.clip(amount, 0.1, 1.6).astype(np.float32)


def _one_piece_each(labels: NDArray[np.int32], smallest: float) -> NDArray[np.int32]:
    """Keep the largest 4-connected piece of every label, drop specks, number in reading order."""
    kept = np.zeros_like(labels)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        pieces, count = ndimage.label(labels[box] == label)
        areas = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        if areas.max() >= smallest:
            kept[box][pieces == int(areas.argmax()) + 1] = label
    ids, first = np.unique(kept, return_index=True)
    order = ids[ids > 0][np.argsort(first[ids > 0])]
    table = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int32)
    table[order] = np.arange(1, order.size + 1)
    return table[kept]
