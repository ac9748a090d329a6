"""The stained section of a generated tile, composed of all its layers."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_snow_unet.data.synthetic.composition import NOTHING_DEAD, Composition
from napari_snow_unet.data.synthetic.cytoplasm import stain_cytoplasm
from napari_snow_unet.data.synthetic.fields import Field, smooth_noise, soft_step
from napari_snow_unet.data.synthetic.layout import TissueLayout
from napari_snow_unet.data.synthetic.nuclei import GeneratedNuclei
from napari_snow_unet.data.synthetic.stroma import (
    spill_blood,
    stain_debris,
    stain_haze,
    stain_stroma,
)

EOSIN_IN_NUCLEI = 0.5


def stain_section(
    nuclei: GeneratedNuclei,
    architecture: TissueLayout,
    scale: float,
    composition: Composition,
    rng: np.random.Generator,
) -> tuple[Field, Field, Field]:
    """Return the amounts of hematoxylin, eosin and blood in stroma, cells, debris and nuclei."""
    size = len(architecture.hole)
    nest = soft_step(architecture.depth, 1.0)
    stroma = stain_stroma(architecture, scale, composition, rng)
    bodies = stain_cytoplasm(nuclei.labels, scale, composition, rng)
    hematoxylin, eosin = _mixed(stroma, bodies, nest)
    if composition.dead > NOTHING_DEAD:
        debris = stain_debris(size, scale, composition, rng)
        hematoxylin, eosin = _mixed((hematoxylin, eosin), debris, architecture.dead)
    hematoxylin += stain_haze(architecture, scale, composition, rng)
    blood, vessel = spill_blood(size, scale, rng)
    vessel, blood = vessel * (1 - nest), blood * (1 - nest) * (1 - nuclei.cover)
    # A nucleus at the edge of a hole keeps its cytoplasm.
    body = soft_step(ndimage.gaussian_filter(nuclei.cover, 3.5 * scale) - 0.2, 0.05)
    hole = architecture.hole * (1 - body * soft_step(architecture.depth + 4, 1.0))
    tissue = (1 - hole) * (1 - vessel)
    uneven = 0.1 * smooth_noise(size, 110 * scale, rng)
    hematoxylin = (1 + uneven) * (hematoxylin * tissue * (1 - nuclei.cover) + nuclei.chromatin)
    eosin = (1 - uneven) * eosin * tissue * (1 - (1 - EOSIN_IN_NUCLEI) * nuclei.cover)
    return hematoxylin, eosin, blood


def _mixed(
    some: tuple[Field, Field], others: tuple[Field, Field], share: Field
) -> tuple[Field, Field]:
    """Mix stains: `share` is the fraction of the others."""
    return some[0] + share * (others[0] - some[0]), some[1] + share * (others[1] - some[1])
