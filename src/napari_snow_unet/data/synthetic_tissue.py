"""The tissue between nuclei of generated tiles: regions, fibres, lumens, fat, blood, staining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Appearance:
    """How one tile was stained and scanned.

    Attributes
    ----------
    hematoxylin, eosin : float
        Amount of stain.
    tints : tuple of ndarray of float32, shape (3,)
        Factors on the colour vectors of hematoxylin, eosin and blood: batches of stain differ.
    focus : float
        Standard deviation of the blur in pixels of 0.25 um.
    noise : float
        Noise of the sensor in grey levels.
    unevenness : float
        Relative variation of the lighting.
    white : ndarray of float32, shape (3,)
        Colour of empty glass, 1 is saturated.
    density : float
        Factor on the number of nuclei.
    epithelium : float
        Tendency towards epithelium rather than stroma, about 0.
    haze : float
        Amount of nuclei out of focus.
    """

    hematoxylin: float
    eosin: float
    tints: tuple[Field, Field, Field]
    focus: float
    noise: float
    unevenness: float
    white: Field
    density: float
    epithelium: float
    haze: float


@dataclass(frozen=True)
class Regions:
    """Where which tissue is.

    Attributes
    ----------
    epithelium : ndarray of float32, shape (Y, X)
        1 in nests of epithelial cells, 0 in stroma.
    hole : ndarray of float32, shape (Y, X)
        1 in lumens, fat and cracks, 0 in tissue.
    direction : ndarray of float32, shape (Y, X)
        Direction of the fibres, radians.
    """

    epithelium: Field
    hole: Field
    direction: Field


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw staining, focus and cellularity of a tile."""
    tints = tuple(rng.normal(1, 0.07, 3).clip(0.8, 1.2).astype(np.float32) for _ in range(3))
    return Appearance(
        hematoxylin=float(rng.uniform(0.6, 1.05)),
        eosin=float(rng.uniform(0.32, 0.78)),
        tints=(tints[0], tints[1], tints[2]),
        focus=float(rng.uniform(0.9, 2.2)),
        noise=float(rng.uniform(1.5, 4.0)),
        unevenness=float(rng.uniform(0.0, 0.03)),
        white=(rng.uniform(0.92, 0.97) + rng.normal(0, 0.008, 3)).astype(np.float32),
        density=float(rng.choice([0.35, 0.7, 1.0, 1.0, 1.3])),
        epithelium=float(rng.normal(0.1, 0.5)),
        haze=float(rng.uniform(0.3, 1.4)),
    )


def smooth_noise(
    size: int,
    length: float,
    rng: np.random.Generator,
    *,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> Field:
    """Draw a smooth random field of mean 0 and standard deviation 1.

    Parameters
    ----------
    size : int
        Edge in pixels.
    length : float
        Standard deviation of the Gaussian it is smoothed with, in pixels.
    rng : numpy.random.Generator
        Source of randomness.
    stretch : float, default: 1.0
        Factor on the length along `angle`.
    angle : float, default: 0.0
        Radians from the x axis.

    Returns
    -------
    ndarray of float32, shape (size, size)
        The field; it wraps around at the borders.
    """
    spectrum = np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    along, across = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    squared = (along * stretch) ** 2 + across**2
    spectrum *= np.exp(-2 * (np.pi * length) ** 2 * squared)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(size, size))
    return (field / max(float(field.std()), 1e-12)).astype(np.float32)


def soft_step(field: NDArray[np.floating], width: float) -> Field:
    """Turn a field into a mask with soft edges: 0 far below zero, 1 far above."""
    return (1 / (1 + np.exp(-np.clip(field / width, -30, 30)))).astype(np.float32)


def lay_out_regions(size: int, scale: float, look: Appearance, rng: np.random.Generator) -> Regions:
    """Lay out nests of epithelium, stroma, lumens, fat and the run of the fibres."""
    broad = smooth_noise(size, 45 * scale, rng) + 0.35 * smooth_noise(size, 14 * scale, rng)
    epithelium = soft_step(broad + look.epithelium, 0.12)
    lumens = smooth_noise(size, 16 * scale, rng) + 0.25 * smooth_noise(size, 5 * scale, rng)
    hole = soft_step(lumens - rng.uniform(1.9, 2.9), 0.07) * epithelium
    # Cracks between nests and stroma, where the tissue shrank.
    crack = soft_step(smooth_noise(size, 22 * scale, rng) - rng.uniform(0.4, 1.6), 0.1)
    crack *= np.exp(-(((broad + look.epithelium + 0.25) / 0.13) ** 2)).astype(np.float32)
    hole = np.maximum(hole, soft_step(crack - 0.55, 0.06))
    if rng.random() < 0.3:
        hole = np.maximum(hole, _fat(size, scale, rng))
    main = rng.uniform(0, np.pi)
    direction = main + 0.5 * smooth_noise(size, 60 * scale, rng)
    return Regions(epithelium, hole, direction.astype(np.float32))


def _fat(size: int, scale: float, rng: np.random.Generator) -> Field:
    """Large round holes with thin walls, in one corner of the tile."""
    count = int(rng.integers(3, 9))
    centres = rng.uniform(-0.1, 0.6, (count, 2)) * size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    rough = 2.5 * scale * smooth_noise(size, 8 * scale, rng)
    holes = np.zeros((size, size), dtype=np.float32)
    nearest = np.full((size, size), np.inf, dtype=np.float32)
    for cy, cx in centres:
        nearest = np.minimum(nearest, np.hypot(y - cy, x - cx))
    for cy, cx in centres:
        distance = np.hypot(y - cy, x - cx)
        radius = rng.uniform(30, 60) * scale
        own = (distance <= nearest + 1) & (distance + rough < radius)
        holes = np.maximum(holes, ndimage.binary_erosion(own, iterations=max(1, round(2 * scale))))
    if rng.random() < 0.5:
        holes = holes[::-1]
    return ndimage.gaussian_filter(holes[:, ::-1] if rng.random() < 0.5 else holes, 0.8)


def stain_background(
    regions: Regions, scale: float, look: Appearance, rng: np.random.Generator
) -> tuple[Field, Field, Field]:
    """Stain everything but the nuclei.

    Returns
    -------
    hematoxylin, eosin, blood : ndarray of float32, shape (Y, X)
        Amounts of stain.
    """
    size = len(regions.hole)
    grain = smooth_noise(size, 1.2 * scale, rng)
    patch = smooth_noise(size, 9 * scale, rng)
    slow = smooth_noise(size, 70 * scale, rng)
    fibres = _fibres(regions, scale, rng)
    stroma = 0.30 + 0.16 * fibres + 0.03 * grain + 0.05 * slow
    cytoplasm = 0.27 + 0.05 * patch + 0.03 * grain + 0.04 * slow
    nest = regions.epithelium
    tissue = 1 - regions.hole
    eosin = (stroma * (1 - nest) + cytoplasm * nest).clip(0.03) * look.eosin * tissue
    # Cytoplasm rich in ribosomes and mucus of stroma take up some hematoxylin too.
    basophilic = 0.17 + 0.07 * patch + 0.03 * grain + 0.06 * slow
    mucoid = 0.075 + 0.04 * smooth_noise(size, 25 * scale, rng) + 0.03 * fibres
    hematoxylin = (basophilic * nest + mucoid * (1 - nest)).clip(0.01) * look.hematoxylin * tissue
    hematoxylin = hematoxylin + _smears(regions, scale, look, rng) * tissue
    dark = soft_step(smooth_noise(size, 11 * scale, rng) - rng.uniform(1.3, 2.3), 0.25)
    eosin = eosin + 0.35 * dark * (1 - nest) * tissue * (0.6 + 0.4 * fibres.clip(-1, 1))
    return hematoxylin, eosin.astype(np.float32), _blood(regions, scale, rng)


def _fibres(regions: Regions, scale: float, rng: np.random.Generator) -> Field:
    """Wavy bundles of collagen: stretched noise, bent by a slow displacement."""
    size = len(regions.hole)
    angle = float(np.median(regions.direction))
    length = 1.6 * scale
    straight = smooth_noise(size, length, rng, stretch=14, angle=angle)
    straight += 0.8 * smooth_noise(size, 3.2 * scale, rng, stretch=9, angle=angle)
    amount = 14 * scale
    bend = [amount * smooth_noise(size, 40 * scale, rng) for _ in range(2)]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    bent = ndimage.map_coordinates(straight, [y + bend[0], x + bend[1]], order=1, mode="wrap")
    return (bent / max(float(bent.std()), 1e-12)).astype(np.float32)


def _smears(regions: Regions, scale: float, look: Appearance, rng: np.random.Generator) -> Field:
    """Hematoxylin that is no nucleus: crushed cells and cells cut at their rim, without an edge."""
    size = len(regions.hole)
    angle = float(np.median(regions.direction))
    long = smooth_noise(size, 4.5 * scale, rng, stretch=3, angle=angle)
    spots = smooth_noise(size, 6 * scale, rng)
    smears = soft_step(long - rng.uniform(1.5, 2.4), 0.3) * (1 - regions.epithelium)
    smears += soft_step(spots - rng.uniform(1.2, 2.2), 0.35) * regions.epithelium
    return 0.26 * look.haze * look.hematoxylin * smears


def _blood(regions: Regions, scale: float, rng: np.random.Generator) -> Field:
    """Red blood cells: discs without a nucleus, dark in green and blue, fairly so in red."""
    size = len(regions.hole)
    blood = np.zeros((size, size), dtype=np.float32)
    if rng.random() > 0.4:
        return blood
    centre = rng.uniform(0.1, 0.9, 2) * size
    spread = rng.uniform(12, 45) * scale
    for _ in range(int(rng.integers(6, 40))):
        cy, cx = rng.normal(centre, spread)
        radius = rng.uniform(9.5, 13) * scale
        low_y, low_x = max(0, int(cy - radius - 2)), max(0, int(cx - radius - 2))
        box = slice(low_y, max(0, int(cy + radius + 3))), slice(low_x, max(0, int(cx + radius + 3)))
        y, x = np.mgrid[box].astype(np.float32)
        if not y.size or blood[box].size != y.size:
            continue
        squash = rng.uniform(0.7, 1.0)
        turn = rng.uniform(0, np.pi)
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = ((y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)) / squash
        r = np.hypot(u, v) / radius
        disc = (r < 1) * (0.33 + 0.12 * r**2) * rng.uniform(0.8, 1.2)
        blood[box] = np.maximum(blood[box], disc)
    return blood * (1 - regions.hole * 0.5)
