"""Stain, light, folds and debris of other laboratories, on crops before a channel is taken.

Pixels are 8-bit (Y, X, C); stains are changed in optical density, where they add up (Beer and
Lambert), by the matrix of Ruifrok and Johnston that also gives the hematoxylin channel. Every
function takes its random generator. Annotations stay where they are.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LOOKS = {"usual": 0.7, "dark": 0.1, "pale": 0.1, "pink": 0.1}  # share of the crops
# Standard deviations at strength 1, of logarithms of amounts and of optical densities.
AMOUNT, OF_HEMATOXYLIN, OF_EOSIN, HUE, GLASS, TINT = 0.25, 0.15, 0.25, 0.04, 0.04, 0.015
_DENSITY = -np.log(np.maximum(np.arange(256), 1) / 255).astype(np.float32)


def vary_stain(rng: np.random.Generator, pixels: Bytes, strength: float) -> Bytes:
    """Change amount and hue of hematoxylin and eosin, and the colour of the glass.

    At strength 1 most amounts change by a factor between 0.6 and 1.7; a tenth of the crops each
    is dark, pale or pink beyond that. Grey pixels are returned as they are.
    """
    import cv2

    if pixels.shape[-1] != 3 or not strength:
        return pixels
    change, glass = _draw_stain(rng, strength)
    return _transmitted(cv2.transform(_density(pixels), change.T) + glass)


def _draw_stain(rng: np.random.Generator, strength: float) -> tuple[Floats, Floats]:
    """Draw a matrix that multiplies optical densities (..., 3), and the density of the glass."""
    from skimage.color import hed_from_rgb, rgb_from_hed

    look = rng.choice([*LOOKS], p=[*LOOKS.values()])
    every, hematoxylin, eosin = rng.normal(0, (AMOUNT, OF_HEMATOXYLIN, OF_EOSIN))
    stains = rgb_from_hed.copy()  # the third is what neither stain explains
    stains[:2] += strength * rng.normal(0, HUE, (2, 3))
    extreme = rng.uniform(0.4, 0.8)
    if look == "dark":
        every = abs(every) + extreme
    elif look == "pale":
        every = -abs(every) - extreme
    elif look == "pink":
        hematoxylin, eosin = hematoxylin - extreme, eosin + extreme / 2
        stains[0] += min(0.5 * extreme * strength, 0.6) * (rgb_from_hed[1] - rgb_from_hed[0])
    stains *= np.linalg.norm(rgb_from_hed, axis=1, keepdims=True)
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    amounts = np.exp(strength * np.array([every + hematoxylin, every + eosin, every]))
    glass = strength * (abs(rng.normal(0, GLASS)) + rng.normal(0, TINT, 3))
    change = hed_from_rgb @ (amounts[:, None] * stains)
    return change.astype(np.float32), glass.astype(np.float32)


def add_artefact(rng: np.random.Generator, pixels: Bytes, truth: Bytes) -> tuple[Bytes, Bytes]:
    """Light a crop unevenly, fold it, or show glass with debris instead, where nothing is true."""
    draw = rng.integers(3)
    if draw == 0:
        return uneven_light(rng, pixels), truth
    if draw == 1:
        return folded(rng, pixels), truth
    return glass_with_debris(rng, pixels.shape), np.zeros_like(truth)


def uneven_light(rng: np.random.Generator, pixels: Bytes) -> Bytes:
    """Darken or brighten a crop smoothly towards an edge or its corners."""
    y, x = _coordinates(pixels.shape)
    turn = rng.uniform(0, 2 * math.pi)
    slope = rng.uniform(0, 0.25) * (math.cos(turn) * x + math.sin(turn) * y)
    corners = rng.uniform(-0.1, 0.2) * (x * x + y * y)
    return _transmitted(_density(pixels) + (slope + corners)[..., None])


def folded(rng: np.random.Generator, pixels: Bytes) -> Bytes:
    """Lay a dark band across a crop: a second, blurred layer of its tissue."""
    import cv2

    y, x = _coordinates(pixels.shape)
    turn, place, width = rng.uniform(0, math.pi), rng.uniform(-0.7, 0.7), rng.uniform(0.06, 0.3)
    bend = rng.uniform(-0.3, 0.3) * (math.cos(turn) * y - math.sin(turn) * x) ** 2
    across = np.abs(math.cos(turn) * x + math.sin(turn) * y + bend - place) / width
    band = np.clip(4 * (1 - across), 0, 1) * rng.uniform(0.5, 1.2)
    density = _density(pixels)
    layer = cv2.GaussianBlur(density[::-1, ::-1], (0, 0), rng.uniform(4, 12))
    return _transmitted(density + layer.reshape(density.shape) * band[..., None])


def glass_with_debris(rng: np.random.Generator, shape: tuple[int, ...]) -> Bytes:
    """Return glass with specks, flakes and fibres of any colour, more or less in focus."""
    import cv2

    height, width, planes = shape
    density = np.full((height, width, 3), abs(rng.normal(0, 0.06)), np.float32)
    density += rng.normal(0, 0.02, 3).astype(np.float32)
    for _ in range(rng.integers(1, 9)):
        piece = np.zeros((height, width), np.float32)
        at = rng.uniform(0, (width, height))
        if rng.random() < 0.3:  # a fibre
            steps = rng.normal(rng.normal(0, 6, 2), 4, (rng.integers(3, 30), 2))
            path = np.rint(at + np.cumsum(steps, axis=0)).astype(np.int32)
            cv2.polylines(piece, [path], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_AA)
        else:  # a speck or a flake
            turns = np.sort(rng.uniform(0, 2 * math.pi, rng.integers(5, 12)))
            reach = math.exp(rng.uniform(0.7, 3.7)) * rng.uniform(0.5, 1.0, turns.size)
            edge = at + reach[:, None] * np.c_[np.cos(turns), np.sin(turns)]
            cv2.fillPoly(piece, [np.rint(edge).astype(np.int32)], 1.0, cv2.LINE_AA)
        piece = cv2.GaussianBlur(piece, (0, 0), math.exp(rng.uniform(-0.7, 2.0)))
        colour = rng.uniform(0.1, 1.6) * rng.dirichlet((4.0, 4.0, 4.0)) * 3
        density += piece[..., None] * colour.astype(np.float32)
    density += rng.uniform(0, 0.02) * rng.standard_normal((height, width, 1), np.float32)
    return _transmitted(density if planes == 3 else density[..., :planes])


def _coordinates(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return coordinates from -1 to 1, as a column and a row."""
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape[:2])
    return y[:, None], x


def _density(pixels: Bytes) -> Floats:
    return _DENSITY[pixels]


def _transmitted(density: NDArray[np.floating]) -> Bytes:
    """Return the pixels of optical densities; nothing is brighter than white."""
    light = np.exp(-np.maximum(density, 0, dtype=np.float32))
    return np.rint(255 * light).astype(np.uint8)
