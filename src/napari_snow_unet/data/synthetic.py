"""SNOW-like H&E tiles with exact truth: for samples, tests, demonstrations and training.

A tile is built as light passes through a stained section. Fields of hematoxylin and eosin density
are laid out first (regions, fibres, cells, nuclei with chromatin), light is absorbed after the law
of Beer and Lambert, then come focus, uneven lighting and noise of the sensor. The labels are drawn
together with the nuclei, before any blur, so they are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.data.synthetic_nuclei import Nuclei, draw_nuclei
from napari_snow_unet.data.synthetic_tissue import (
    Appearance,
    draw_appearance,
    lay_out_regions,
    smooth_noise,
    stain_background,
)

GENERATOR_VERSION = 1
PIXEL_SIZE_UM = 0.25
FROZEN_TEST_SEEDS = tuple(range(90_000, 90_020))
# Optical densities of red, green and blue per unit of stain, after Ruifrok and Johnston (2001),
# Analytical and Quantitative Cytology and Histology 23:291-299, as in ImageJ's "H&E" vectors.
HEMATOXYLIN = np.array([0.644, 0.717, 0.267], dtype=np.float32)
EOSIN = np.array([0.093, 0.954, 0.283], dtype=np.float32)
BLOOD = np.array([0.16, 0.86, 0.48], dtype=np.float32)  # eosin and haemoglobin together


@dataclass(frozen=True)
class SyntheticTile:
    """A generated H&E tile and its truth.

    Attributes
    ----------
    image : ndarray of uint8, shape (Y, X, 3)
        Red, green and blue.
    labels : ndarray of int32, shape (Y, X)
        0 is background, 1 to N are nuclei in reading order; each is one 4-connected component.
        Touching nuclei keep their own labels.
    pixel_size_um : float
        Micrometres per pixel.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.int32]
    pixel_size_um: float


def generate_tile(
    seed: int,
    *,
    size: int = 512,
    pixel_size_um: float = PIXEL_SIZE_UM,
    density: float = 1.0,
    glass: bool = False,
) -> SyntheticTile:
    """Generate a tile; the same arguments and generator version give the same tile.

    Parameters
    ----------
    seed : int
        Everything about the tile is drawn from it: staining, focus, tissue, cells.
    size : int, default: 512
        Edge in pixels.
    pixel_size_um : float, default: 0.25
        Micrometres per pixel; nuclei and fibres keep their true size.
    density : float, default: 1.0
        Factor on the number of nuclei; 0 gives tissue without nuclei.
    glass : bool, default: False
        Nothing but the slide.

    Returns
    -------
    SyntheticTile
        Image and labels.

    Raises
    ------
    ValueError
        If `size`, `pixel_size_um` or `density` cannot be meant.
    """
    if size < 1 or not 0.05 <= pixel_size_um <= 5 or not 0 <= density <= 10:
        raise ValueError(
            f"size {size}, pixel_size_um {pixel_size_um} and density {density}: expected a size "
            "of at least 1, a pixel size from 0.05 to 5 and a density from 0 to 10"
        )
    rng = np.random.default_rng(np.random.SeedSequence([GENERATOR_VERSION, seed]))
    look = draw_appearance(rng)
    scale = PIXEL_SIZE_UM / pixel_size_um
    if glass:
        empty = np.zeros((size, size), dtype=np.float32)
        image = _expose([(empty, HEMATOXYLIN)], look, scale, rng)
        return SyntheticTile(image, np.zeros((size, size), dtype=np.int32), pixel_size_um)
    regions = lay_out_regions(size, scale, look, rng)
    nuclei = draw_nuclei(regions, scale, density * look.density, look, rng)
    hematoxylin, eosin, blood = stain_background(regions, scale, look, rng)
    hematoxylin, eosin = _stain_nuclei(nuclei, hematoxylin, eosin, look)
    stains = [(hematoxylin, HEMATOXYLIN), (eosin, EOSIN), (blood, BLOOD)]
    return SyntheticTile(_expose(stains, look, scale, rng), nuclei.labels, pixel_size_um)


def frozen_test_set(size: int = 512) -> Iterator[SyntheticTile]:
    """Yield the generated test set: fixed seeds, never used for training.

    Parameters
    ----------
    size : int, default: 512
        Edge of the tiles in pixels.

    Yields
    ------
    SyntheticTile
        In the order of `FROZEN_TEST_SEEDS`.
    """
    for seed in FROZEN_TEST_SEEDS:
        yield generate_tile(seed, size=size)


def _stain_nuclei(
    nuclei: Nuclei, hematoxylin: NDArray[np.float32], eosin: NDArray[np.float32], look: Appearance
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    inside = nuclei.labels > 0
    hematoxylin = np.where(inside, nuclei.chromatin * look.hematoxylin, hematoxylin)
    eosin = np.where(inside, 0.45 * eosin, eosin)
    return hematoxylin + nuclei.haze * look.hematoxylin, eosin


def _expose(
    stains: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    look: Appearance,
    scale: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Let light through the stained section: absorption, focus, lighting, noise."""
    size = stains[0][0].shape[0]
    lighting = 1 + look.unevenness * smooth_noise(size, 200 * scale, rng)
    planes = []
    for colour in range(3):
        absorbed = sum(
            amount * (vector[colour] * tint[colour])
            for (amount, vector), tint in zip(stains, look.tints, strict=False)
        )
        light = np.power(np.float32(10), -np.asarray(absorbed, dtype=np.float32))
        light = ndimage.gaussian_filter(light, look.focus * scale) * look.white[colour] * lighting
        grain = rng.standard_normal((size, size), dtype=np.float32)
        planes.append(light * 255 + look.noise * np.sqrt(np.clip(light, 0.02, 1)) * grain)
    return np.rint(np.clip(np.stack(planes, axis=-1), 0, 255)).astype(np.uint8)
