"""The nuclei of generated tiles: outlines, which are the ground truth, and chromatin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.data.synthetic.composition import Composition
from napari_snow_unet.data.synthetic.fields import Field, smooth_noise
from napari_snow_unet.data.synthetic.nucleus_places import Site

SMALLEST_PX = 40.0  # at 0.25 um; smaller ones are specks
MOST_HIDDEN = 0.35  # largest fraction of a nucleus that others may cover
ANGLES = np.linspace(-np.pi, np.pi, 97)
HARMONICS = np.arange(1, 9)[:, None]


@dataclass(frozen=True)
class GeneratedNuclei:
    """All nuclei of a tile."""

    labels: NDArray[np.int32]  # ground truth
    chromatin: Field  # hematoxylin of nuclei
    cover: Field  # 1 where a nucleus replaces cytoplasm


def draw_nuclei(
    sites: list[Site], size: int, scale: float, composition: Composition, rng: np.random.Generator
) -> GeneratedNuclei:
    """Draw 4-connected nuclei, numbered in row-major order; where two overlap, the first stays."""
    labels = np.zeros((size, size), dtype=np.int32)
    chromatin = np.zeros((size, size), dtype=np.float32)
    cover = np.zeros((size, size), dtype=np.float32)
    texture = 0.7 * smooth_noise(size, 1.3 * scale, rng)
    texture += 0.8 * smooth_noise(size, 2.6 * scale, rng)
    for number, site in enumerate(sites, start=1):
        box, radius = _outline(site, scale, size, rng)
        inside = radius < 1
        visible = _largest_component(inside & (labels[box] == 0))
        if visible.sum() < max((1 - MOST_HIDDEN) * inside.sum(), SMALLEST_PX * scale**2, 1):
            continue
        # Sections are thin but not flat: below its neighbour a nucleus is still stained.
        whole = visible | (inside & (labels[box] > 0))
        labels[box][visible] = number
        soft = abs(rng.normal(0, 0.7)) * scale  # not all nuclei lie in focus
        amount = _chromatin(site, radius, texture[box], scale, rng) * whole
        amount = ndimage.gaussian_filter(amount, soft, truncate=3)
        covered = ndimage.gaussian_filter(whole.astype(np.float32), soft, truncate=3)
        below = chromatin[box]
        chromatin[box] = np.maximum(below, amount) + 0.45 * np.minimum(below, amount)
        cover[box] = np.maximum(cover[box], covered)
    return GeneratedNuclei(
        _in_row_major_order(labels), chromatin * np.float32(composition.stain), cover
    )


def _outline(
    site: Site, scale: float, size: int, rng: np.random.Generator
) -> tuple[tuple[slice, slice], NDArray[np.float64]]:
    """Return a box and the relative radius in it: below 1 is inside a wavy, bent superellipse."""
    long, wide = site.length * scale, site.width * scale
    reach = int(1.35 * max(long, wide)) + 3
    top, left = max(0, int(site.y) - reach), max(0, int(site.x) - reach)
    bottom, right = (max(0, min(size, int(value) + reach + 1)) for value in (site.y, site.x))
    box = slice(top, max(top, bottom)), slice(left, max(left, right))
    y, x = np.ogrid[box]
    cos, sin = np.cos(site.turn), np.sin(site.turn)
    u = ((x - site.x) * cos + (y - site.y) * sin) / long
    v = ((y - site.y) * cos - (x - site.x) * sin) / wide
    v = v + rng.normal(0, 0.1) * (u**2 - 0.35) * (long / wide) ** 1.2
    power = max(1.3, site.kind.taper + rng.normal(0, 0.12))
    radius = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
    return box, radius / np.interp(np.arctan2(v, u), ANGLES, _waves(site.kind.roughness, rng))


def _waves(roughness: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return an outline's relative radius by angle: harmonics, and sometimes a notch."""
    strength = roughness * rng.standard_normal(HARMONICS.shape) / HARMONICS
    phase = rng.uniform(0, 2 * np.pi, HARMONICS.shape)
    wave = 1 + (strength * np.cos(HARMONICS * ANGLES + phase)).sum(axis=0)
    depth, place = rng.uniform(0.08, 0.25), rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.12:
        wave -= depth * np.exp(6 * (np.cos(ANGLES - place) - 1))
    return np.clip(wave, 0.55, 1.35)


def _chromatin(
    site: Site,
    radius: NDArray[np.float64],
    texture: Field,
    scale: float,
    rng: np.random.Generator,
) -> Field:
    """Return the hematoxylin of one nucleus: even stain, dark membrane, clumps, nucleoli."""
    kind = site.kind
    stain = max(0.10, rng.normal(kind.stain, kind.stain_spread))
    to_edge = np.clip(1 - radius, 0, None) * np.sqrt(site.length * site.width)
    membrane = np.exp(-((to_edge / 1.7) ** 2))
    amount = stain * np.exp(kind.clumps * rng.uniform(0.6, 1.4) * texture)
    amount = amount + kind.membrane * rng.uniform(0.5, 1.4) * membrane * (1 + 0.2 * texture)
    height, width = radius.shape
    rows, columns = np.ogrid[:height, :width]
    for _ in range(rng.poisson(kind.nucleoli)):
        cy = rng.normal(height / 2, 0.16 * site.width * scale)
        cx = rng.normal(width / 2, 0.16 * site.width * scale)
        squared = ((rows - cy) ** 2 + (columns - cx) ** 2) / (rng.uniform(1.4, 2.8) * scale) ** 2
        amount = amount + rng.uniform(0.15, 0.35) * np.exp(-(squared**2))
    return np.clip(amount, 0.05, 1.2).astype(np.float32)


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    components, count = ndimage.label(mask)
    if count < 2:
        return mask
    return np.asarray(components == 1 + int(np.bincount(components.ravel())[1:].argmax()))


def _in_row_major_order(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumber the labels 1 to N by their first pixel."""
    ids, first = np.unique(labels, return_index=True)
    ids, first = ids[ids > 0], first[ids > 0]
    table = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int32)
    table[ids[np.argsort(first)]] = np.arange(1, ids.size + 1)
    return table[labels]
