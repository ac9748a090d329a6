"""The places of nuclei in a generated tile, with their kind, size and direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_snow_unet.data.synthetic.composition import Composition
from napari_snow_unet.data.synthetic.fields import smooth_noise
from napari_snow_unet.data.synthetic.layout import TissueLayout

BORDER = 3.0  # minimum distance of a centre to the border of a nest, in pixels of 0.25 um


@dataclass(frozen=True)
class Kind:
    """The appearance of the nuclei of a cell type."""

    length: float  # long semi-axis, in pixels of 0.25 um
    width: float  # short semi-axis
    spread: float  # standard deviation of the logarithm of the size
    roughness: float  # relative size of the waves of the outline
    taper: float  # exponent of the superellipse: 2 is an ellipse, less has pointed ends
    stain: float  # mean of the hematoxylin
    stain_spread: float  # its standard deviation
    membrane: float  # hematoxylin on the nuclear membrane
    clumps: float  # contrast of the chromatin
    nucleoli: float  # mean number


TUMOUR = Kind(16.2, 13.4, 0.13, 0.075, 2.2, 0.36, 0.07, 0.10, 0.20, 0.6)
VESICULAR = Kind(18.2, 14.8, 0.13, 0.075, 2.2, 0.20, 0.04, 0.22, 0.34, 2.0)
DARK = Kind(13.5, 9.8, 0.18, 0.12, 2.0, 0.62, 0.12, 0.05, 0.10, 0.0)
LYMPHOCYTE = Kind(10.6, 9.7, 0.08, 0.04, 2.1, 0.55, 0.10, 0.08, 0.22, 0.0)
FIBROBLAST = Kind(18.5, 5.3, 0.24, 0.09, 1.7, 0.42, 0.12, 0.08, 0.14, 0.0)
PLUMP = Kind(17.0, 8.3, 0.17, 0.08, 1.9, 0.27, 0.08, 0.16, 0.22, 0.5)


@dataclass(frozen=True)
class Site:
    """A nucleus before it is drawn: centre in pixels, direction in radians, semi-axes, kind."""

    y: float
    x: float
    turn: float
    length: float
    width: float
    kind: Kind


def place_nuclei(
    architecture: TissueLayout,
    scale: float,
    density: float,
    composition: Composition,
    rng: np.random.Generator,
) -> list[Site]:
    """Place nuclei at random, also beyond the edge of the tile, with minimum distances."""
    size = len(architecture.hole)
    margin = 20 * scale
    count = int(2.6 * density * composition.cells * ((size + 2 * margin) / (30 * scale)) ** 2)
    crowds = smooth_noise(size, 32 * scale, rng) + composition.lymphocytes > 0
    places = rng.uniform(-margin, size + margin, (count, 2))
    chances = rng.random((count, 2))
    spacings = composition.spacing * rng.uniform(0.8, 1.15, count)
    placed: list[Site] = []
    taken = np.empty((count, 3))
    for (y, x), (chance, choice), spacing in zip(places, chances, spacings, strict=True):
        row, column = _pixel(y, size), _pixel(x, size)
        depth, crowd = float(architecture.depth[row, column]), bool(crowds[row, column])
        wanted = 1.0 if depth > 0 or crowd else composition.stromal_cells
        wanted *= 1 - 0.96 * architecture.dead[row, column]
        if chance > wanted or architecture.hole[row, column] > 0.3 or abs(depth) < BORDER:
            continue
        kind = _kind_in_nest(choice, composition) if depth > 0 else _kind_in_stroma(choice, crowd)
        site = _site(y, x, kind, _fibre_direction(architecture, row, column), composition, rng)
        radius = scale * np.sqrt(site.length * site.width)
        near = taken[: len(placed)]
        apart = (near[:, 0] - y) ** 2 + (near[:, 1] - x) ** 2
        least = max(spacing, 1.05) if kind in (LYMPHOCYTE, FIBROBLAST) else spacing
        if (apart >= (least * (near[:, 2] + radius)) ** 2).all():
            taken[len(placed)] = y, x, radius
            placed.append(site)
    return placed


def _pixel(place: float, size: int) -> int:
    return min(max(int(place), 0), size - 1)


def _kind_in_nest(choice: float, composition: Composition) -> Kind:
    if choice > 0.97:
        return LYMPHOCYTE
    if choice > 0.93:
        return DARK
    return VESICULAR if choice < 0.9 * composition.pale else TUMOUR


def _kind_in_stroma(choice: float, crowd: bool) -> Kind:
    if choice > 0.88 or (crowd and choice > 0.07):
        return LYMPHOCYTE
    return PLUMP if choice > 0.56 else FIBROBLAST


def _site(
    y: float,
    x: float,
    kind: Kind,
    fibres: float,
    composition: Composition,
    rng: np.random.Generator,
) -> Site:
    """Draw size and direction of a nucleus: along the fibres in stroma, any in nests."""
    grow = np.exp(rng.normal(0, kind.spread * composition.variety))
    slim = np.exp(rng.normal(0, (0.2 if kind is FIBROBLAST else 0.09) * composition.variety))
    if kind in (TUMOUR, VESICULAR):
        grow *= composition.nuclear_size
    aligned = kind in (FIBROBLAST, PLUMP)
    turn = rng.normal(fibres, 0.2) if aligned else rng.uniform(0, np.pi)
    return Site(y, x, turn, float(kind.length * grow * slim), float(kind.width * grow / slim), kind)


def _fibre_direction(architecture: TissueLayout, row: int, column: int) -> float:
    """Return the direction along which the coordinate across the fibres is constant."""
    across, last = architecture.across, len(architecture.across) - 1
    low, high = max(row - 2, 0), min(row + 2, last)
    left, right = max(column - 2, 0), min(column + 2, last)
    down = across[high, column] - across[low, column]
    sideways = across[row, right] - across[row, left]
    return float(np.arctan2(-sideways, down))
