"""The layout of generated tissue: nests of epithelium, clefts, lumens and fibres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.data.synthetic.composition import NO_FAT, Composition
from napari_snow_unet.data.synthetic.fat import lay_out_fat
from napari_snow_unet.data.synthetic.fields import (
    Field,
    enlarge,
    halved,
    signed_distance,
    smooth_noise,
    soft_step,
)


@dataclass(frozen=True)
class TissueLayout:
    """Maps of the tissue."""

    depth: Field  # distance to the border of the nests in pixels of 0.25 um, positive inside
    hole: Field  # 1 where there is no tissue
    dead: Field  # 1 in dead tissue without nuclei
    across: Field  # coordinate across the fibres, in pixels of 0.25 um
    along: Field  # coordinate along them


def lay_out(
    size: int, scale: float, composition: Composition, rng: np.random.Generator
) -> TissueLayout:
    """Lay out nests, holes and fibres."""
    coarse, half = halved(size), scale / 2
    nests = smooth_noise(coarse, composition.nest_length * half, rng)
    nests += 0.22 * smooth_noise(coarse, 0.25 * composition.nest_length * half, rng)
    nest = _without_small(nests + composition.epithelium > 0, 10 * half)
    depth = enlarge(signed_distance(nest, 1 / half), size)
    depth += 1.2 * smooth_noise(size, 5 * scale, rng)
    hole = np.maximum(
        _lumens(depth, scale, composition, rng), _clefts(depth, scale, composition, rng)
    )
    if composition.fat > NO_FAT:
        fat, away = lay_out_fat(size, scale, composition, rng)
        hole, depth = np.maximum(hole, fat), np.minimum(depth, away - 8)
    across, along = _fibre_coordinates(depth, scale, rng)
    ruined = smooth_noise(size, 40 * scale, rng) + 0.1 * smooth_noise(size, 6 * scale, rng)
    return TissueLayout(depth, hole, soft_step(ruined + composition.dead, 0.08), across, along)


def _without_small(mask: NDArray[np.bool_], thickness: float) -> NDArray[np.bool_]:
    """Remove connected components that are nowhere deeper than `thickness`."""
    components, count = ndimage.label(mask)
    if not count:
        return mask
    inner = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    deepest = ndimage.maximum(inner, components, np.arange(count + 1))
    keep = np.asarray(deepest) >= thickness
    keep[0] = False
    return np.asarray(keep[components])


def _lumens(
    depth: Field, scale: float, composition: Composition, rng: np.random.Generator
) -> Field:
    """Open the middle of ducts, and small spaces anywhere in nests."""
    size = len(depth)
    rim = rng.uniform(30, 55)  # layers of cells that remain
    ragged = 4 * smooth_noise(size, 9 * scale, rng) + 1.2 * smooth_noise(size, 2.5 * scale, rng)
    ragged += 14 * smooth_noise(size, 24 * scale, rng)
    inner = np.minimum(depth - rim, rim + 40 - depth) + ragged
    middle = soft_step(inner - 60 * (1 - composition.lumens), 1.2)
    small = smooth_noise(size, 13 * scale, rng) + 0.12 * smooth_noise(size, 3 * scale, rng)
    spaces = soft_step(small - 3.1 + 0.9 * composition.lumens, 0.06) * soft_step(depth - 10, 2)
    return np.maximum(middle, spaces)


def _clefts(
    depth: Field, scale: float, composition: Composition, rng: np.random.Generator
) -> Field:
    """Separate nests from stroma in places, as in shrunken tissue."""
    size = len(depth)
    width = 5.5 * (smooth_noise(size, 26 * scale, rng) + composition.clefts - 0.4)
    width += 1.3 * smooth_noise(size, 4 * scale, rng)
    cleft = soft_step(width / 2 - np.abs(depth + 1 + width / 2), 0.7) * soft_step(width - 1.5, 0.4)
    return np.asarray(0.97 * cleft, dtype=np.float32)


def _fibre_coordinates(depth: Field, scale: float, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return coordinates across and along wavy, frayed fibres that bend around the nests."""
    size = len(depth)
    turn = rng.uniform(0, np.pi)
    y, x = (np.mgrid[:size, :size] / scale).astype(np.float32)
    sway = rng.uniform(10, 24) * smooth_noise(size, 60 * scale, rng)
    sway += 4 * smooth_noise(size, 18 * scale, rng)
    fray = 1.6 * smooth_noise(size, 6 * scale, rng) + 0.7 * smooth_noise(size, 2.2 * scale, rng)
    across = y * np.float32(np.cos(turn)) - x * np.float32(np.sin(turn)) + sway
    along = x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))
    along += 16 * smooth_noise(size, 30 * scale, rng)
    near = np.exp(-np.clip(-depth, 0, None) / 30)
    across += 14 * near * smooth_noise(size, 30 * scale, rng) + 0.25 * near * depth
    crimp = rng.uniform(0, 2.0) * np.sin(along / rng.uniform(7, 14) + 0.08 * across)
    return across + fray + crimp.astype(np.float32), along
