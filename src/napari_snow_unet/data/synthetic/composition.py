"""The composition of a generated tile: kind of tissue, cells, their spacing and stain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NO_FAT = -5.0
NOTHING_DEAD = -9.0


@dataclass(frozen=True)
class Composition:
    """The composition of one tile. Lengths are in pixels of 0.25 um."""

    nest_length: float  # scale of the nests
    epithelium: float  # tendency towards epithelium (positive) or stroma (negative)
    lumens: float  # tendency towards holes inside nests
    clefts: float  # tendency towards holes around nests
    looseness: float  # tendency towards holes between fibres
    fat: float  # tendency towards fat cells
    cells: float  # factor on the density of nuclei
    stromal_cells: float  # fraction of that density in stroma
    lymphocytes: float  # extent of lymphocyte crowds
    dead: float  # extent of dead tissue
    spacing: float  # minimum distance of nuclei in nests, relative to the sum of their radii
    nuclear_size: float  # factor on the radius of epithelial nuclei
    variety: float  # spread of size and shape
    pale: float  # fraction of vesicular nuclei
    stain: float  # factor on the stain of all nuclei
    basophilia: float  # hematoxylin in the cytoplasm of nests
    cytoplasm: float  # eosin in the cytoplasm of nests
    membranes: float  # visibility of the borders between cells
    halos: float  # fraction of nuclei with a clear halo
    collagen: float  # eosin of fibres
    haze: float  # amount of hematoxylin without an outline


def draw_composition(rng: np.random.Generator) -> Composition:
    """Draw the composition of a tile: nests, ducts, sheets, scattered cells, infiltrates or fat."""
    kind = rng.choice(
        ["nests", "ducts", "sheet", "scattered", "infiltrate", "fat"],
        p=[0.38, 0.16, 0.12, 0.18, 0.08, 0.08],
    )
    epithelium = {"sheet": 1.6, "scattered": -1.3, "infiltrate": -0.6, "fat": -0.3}.get(kind, 0.05)
    return Composition(
        nest_length=float(rng.uniform(45, 70) if kind == "ducts" else rng.uniform(24, 50)),
        epithelium=epithelium + float(rng.normal(0, 0.3)),
        lumens=1.0 if kind == "ducts" else float(rng.uniform(0, 0.6)),
        clefts=float(rng.uniform(-0.6, 1.6)),
        looseness=float(rng.normal(0.0, 0.6)),
        fat=float(rng.uniform(0.0, 1.2)) if kind == "fat" else NO_FAT,
        cells=float(rng.uniform(0.45, 1.3)),
        stromal_cells=float(rng.uniform(0.06, 0.36)),
        lymphocytes=float(rng.normal(0.3 if kind == "infiltrate" else -1.7, 0.4)),
        dead=float(rng.normal(-1.2, 0.3)) if rng.random() < 0.12 else NOTHING_DEAD,
        spacing=float(rng.uniform(0.88, 1.3)),
        nuclear_size=float(np.exp(rng.normal(0.02, 0.12))),
        variety=float(rng.uniform(0.6, 1.5)),
        pale=float(rng.beta(1.2, 1.8)),
        stain=float(np.exp(rng.normal(0.07, 0.12))),
        basophilia=float(rng.uniform(0.04, 0.21)),
        cytoplasm=float(rng.uniform(0.12, 0.30)),
        membranes=float(rng.uniform(-0.5, 1.0)),
        halos=float(rng.beta(1, 5)),
        collagen=float(rng.uniform(0.3, 0.62)),
        haze=float(rng.uniform(0.2, 1.2)),
    )
