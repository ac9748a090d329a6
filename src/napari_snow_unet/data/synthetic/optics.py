"""Staining and scanning of a generated tile: colours, light, focus, sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.data.synthetic.fields import Field, smooth_noise, soft_step

# Optical densities of red, green and blue per unit of stain, after Ruifrok and Johnston (2001),
# Analytical and Quantitative Cytology and Histology 23:291-299. The pink of tissue is never pure
# eosin: a second, warmer vector spans the range of breast tissue slides.
HEMATOXYLIN = np.array([0.65, 0.70, 0.29])
EOSIN = np.array([0.07, 0.99, 0.11])
WARM_EOSIN = np.array([0.34, 0.76, 0.52])
BLOOD = np.array([0.20, 0.85, 0.55])


@dataclass(frozen=True)
class Appearance:
    """Staining and scanning of one tile."""

    # optical density of red, green and blue per unit of each stain
    hematoxylin: NDArray[np.float64]
    eosin: NDArray[np.float64]
    blood: NDArray[np.float64]
    white: NDArray[np.float64]  # colour of empty glass, 1 is saturated
    focus: float  # blur at the sharpest place, a standard deviation in pixels of 0.25 um
    defocus: float  # blur at the least sharp place
    sharpening: float  # strength of the scanner's unsharp mask
    noise: float  # of the sensor, in grey levels at full light
    unevenness: float  # relative variation of the lighting


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw staining, focus and sensor of a tile."""
    warmth = rng.beta(1.6, 1.6)
    eosin = (0.75 - 0.6 * warmth) * EOSIN + (0.25 + 0.6 * warmth) * WARM_EOSIN
    hematoxylin = HEMATOXYLIN + rng.normal((-0.01, 0.0, 0.05), (0.025, 0.025, 0.04))
    sharp = bool(rng.random() < 0.5)
    return Appearance(
        hematoxylin=hematoxylin * np.exp(rng.normal(-0.05, 0.16)),
        eosin=(eosin + rng.normal(0, 0.03, 3)) * np.exp(rng.normal(-0.1, 0.28)),
        blood=0.5 * (BLOOD + eosin) + rng.normal(0, 0.03, 3),
        white=rng.uniform(0.91, 0.98) + rng.normal((0, -0.012, 0.006), 0.006),
        focus=float(rng.uniform(0.7, 1.1) if sharp else rng.uniform(1.0, 1.7)),
        defocus=float(rng.uniform(1.5, 2.4)),
        sharpening=float(rng.uniform(0.3, 0.9) if sharp else rng.uniform(0, 0.6)),
        noise=float(rng.uniform(0.8, 3.5)),
        unevenness=float(rng.uniform(0.0, 0.02)),
    )


def expose(
    section: tuple[Field, Field, Field],
    look: Appearance,
    scale: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Pass light through hematoxylin, eosin and blood, and record it like a scanner."""
    size = len(section[0])
    stains = look.hematoxylin, look.eosin, look.blood
    lighting = 1 + look.unevenness * smooth_noise(size, 200 * scale, rng)
    blurred = soft_step(smooth_noise(size, 70 * scale, rng) - 0.9, 0.35)
    image = np.empty((size, size, 3), dtype=np.uint8)
    for colour in range(3):
        light = np.ones((size, size), dtype=np.float32)
        for amount, stain in zip(section, stains, strict=True):
            light *= np.power(np.float32(10), -np.float32(stain[colour]) * amount)
        near = ndimage.gaussian_filter(light, np.hypot(look.focus * scale, 0.4), truncate=3)
        far = ndimage.gaussian_filter(light, np.hypot(look.defocus * scale, 0.4), truncate=3)
        signal = near + blurred * (far - near)
        signal += look.sharpening * (signal - ndimage.gaussian_filter(signal, 1.3, truncate=3))
        signal *= look.white[colour] * lighting
        grain = rng.standard_normal((size, size), dtype=np.float32)
        grain = grain + 0.6 * np.roll(grain, 1, axis=1)
        grey = 255 * signal + look.noise * np.sqrt(np.clip(signal, 0.02, 1)) * grain
        image[..., colour] = np.rint(np.clip(grey, 0, 255))
    return image
