"""Staining between nests: fibres, debris of dead cells, blood, haze."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_snow_unet.data.synthetic.composition import Composition
from napari_snow_unet.data.synthetic.fields import Field, sample, smooth_noise, soft_step
from napari_snow_unet.data.synthetic.layout import TissueLayout

SMALLEST_TEXTURE = 128  # pixels; textures repeat


def stain_stroma(
    architecture: TissueLayout, scale: float, composition: Composition, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return hematoxylin and eosin of fibres and their gaps, as if all tissue were stroma."""
    size = len(architecture.hole)
    bundles, strands = _fibres(architecture, scale, rng)
    patch = smooth_noise(size, 30 * scale, rng)
    grain = smooth_noise(size, 1.3 * scale, rng) + 0.8 * smooth_noise(size, 3.5 * scale, rng)
    gaps = composition.looseness + 0.5 * patch
    filled = soft_step(0.7 * bundles + 0.5 * strands + 0.12 * grain - gaps + 0.35, 0.3)
    dense = soft_step(bundles + 0.8 * patch - 1.6, 0.3)
    slow = smooth_noise(size, 50 * scale, rng)
    amount = 0.62 + 0.11 * strands + 0.12 * slow + 0.4 * dense + 0.04 * grain
    web = 0.16 + 0.12 * soft_step(strands + 0.3 * grain, 0.5) + 0.04 * grain
    eosin = composition.collagen * (filled * amount + (1 - filled) * web)
    bluish = smooth_noise(size, 35 * scale, rng)
    hematoxylin = 0.035 + 0.022 * bluish + filled * (0.03 + 0.018 * strands)
    return hematoxylin.clip(0), eosin.clip(0)


def _fibres(
    architecture: TissueLayout, scale: float, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Draw thick and thin fibres: noise stretched along two alternating directions."""
    size = len(architecture.hole)
    y, x = _textured(architecture, scale)
    tilt = np.float32(rng.choice([-1, 1]) * rng.uniform(0.25, 0.9))
    tilted_y, tilted_x = y + tilt * x, x - tilt * y
    weft = soft_step(smooth_noise(size, 28 * scale, rng) - 0.3, 0.3)
    edge = max(size, SMALLEST_TEXTURE)
    thick = smooth_noise(edge, 5.5 * scale, rng)
    thin = 0.85 * smooth_noise(edge, 2.2 * scale, rng) + 0.5 * smooth_noise(edge, 0.9 * scale, rng)
    stretch = np.float32(6)
    warp = (sample(texture, y, x / stretch) for texture in (thick, thin))
    turned = (sample(texture, tilted_y, tilted_x / stretch) for texture in (thick, thin))
    bundles, strands = (a + weft * (b - a) for a, b in zip(warp, turned, strict=True))
    return bundles, strands


def _textured(architecture: TissueLayout, scale: float) -> tuple[Field, Field]:
    """Return the coordinates across and along the fibres in pixels."""
    return architecture.across * np.float32(scale), architecture.along * np.float32(scale)


def stain_debris(
    size: int, scale: float, composition: Composition, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return hematoxylin and eosin of dead tissue: grainy and pink, with dust of nuclei."""
    grain = smooth_noise(size, 1.6 * scale, rng) + 0.8 * smooth_noise(size, 4 * scale, rng)
    lumps = smooth_noise(size, 10 * scale, rng)
    dust = soft_step(grain + 0.6 * lumps - 2.9, 0.2)
    eosin = 1.2 * composition.cytoplasm * (1 + 0.22 * grain + 0.2 * lumps)
    hematoxylin = 0.05 + 0.015 * grain + 0.35 * dust
    return hematoxylin.clip(0), eosin.clip(0)


def stain_haze(
    architecture: TissueLayout, scale: float, composition: Composition, rng: np.random.Generator
) -> Field:
    """Return hematoxylin outside of nuclei: crushed cells and cut rims without an outline."""
    size = len(architecture.hole)
    y, x = _textured(architecture, scale)
    edge = max(size, SMALLEST_TEXTURE)
    long = sample(smooth_noise(edge, 4.5 * scale, rng), y, x / np.float32(3))
    spots = smooth_noise(size, 6 * scale, rng)
    nest = soft_step(architecture.depth, 2)
    smears = soft_step(long - rng.uniform(1.7, 2.6), 0.3) * (1 - nest)
    smears += soft_step(spots - rng.uniform(1.1, 2.2), 0.35) * nest
    return np.asarray(0.2 * composition.haze * smears, dtype=np.float32)


def spill_blood(size: int, scale: float, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return red blood cells, discs without a nucleus, and their vessel."""
    blood = np.zeros((size, size), dtype=np.float32)
    if rng.random() > 0.35:
        return blood, blood
    centre = rng.uniform(0.1, 0.9, 2) * size
    spread = rng.uniform(8, 26) * scale * np.exp(rng.normal(0, 0.4, 2))
    for cy, cx in rng.normal(centre, spread, (int(rng.integers(6, 40)), 2)):
        radius, squash = rng.uniform(7.5, 10.5) * scale, rng.uniform(0.75, 1.0)
        reach = int(1.4 * radius) + 2
        top, left = max(0, int(cy) - reach), max(0, int(cx) - reach)
        box = slice(top, max(top, int(cy) + reach)), slice(left, max(left, int(cx) + reach))
        if not blood[box].size:
            continue
        y, x = np.mgrid[top : top + blood[box].shape[0], left : left + blood[box].shape[1]]
        r = np.hypot((x - cx) * squash, y - cy).astype(np.float32) / radius
        disc = (r < 1) * (0.30 + 0.14 * r**2) * rng.uniform(0.8, 1.25)
        blood[box] = np.maximum(blood[box], disc)
    ragged = 0.1 * smooth_noise(size, 6 * scale, rng)
    near = ndimage.gaussian_filter(np.float32(blood > 0), 6 * scale)
    return blood, 0.9 * soft_step(near + ragged * np.sqrt(near) - 0.3, 0.03)
