"""A generated tile from a seed, and the frozen test set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.synthetic.composition import draw_composition
from napari_snow_unet.data.synthetic.layout import lay_out
from napari_snow_unet.data.synthetic.nuclei import draw_nuclei
from napari_snow_unet.data.synthetic.nucleus_places import place_nuclei
from napari_snow_unet.data.synthetic.optics import draw_appearance, expose
from napari_snow_unet.data.synthetic.section import stain_section

GENERATOR_VERSION = 2
PIXEL_SIZE_UM = 0.25
FROZEN_TEST_SEEDS = tuple(range(90_000, 90_020))


@dataclass(frozen=True)
class SyntheticTile:
    """A generated H&E tile and its ground truth.

    Attributes
    ----------
    image : ndarray of uint8, shape (Y, X, 3)
        Red, green and blue.
    labels : ndarray of int32, shape (Y, X)
        0 is background, 1 to N are nuclei in row-major order, each one 4-connected component.
        Touching nuclei have different labels.
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

    Other versions of NumPy or other processors may round differently, which changes single grey
    levels and, rarely, a pixel on an outline.

    Parameters
    ----------
    seed : int
        Random seed of staining, focus, tissue and cells.
    size : int, default: 512
        Edge in pixels.
    pixel_size_um : float, default: 0.25
        Micrometres per pixel, 0.1 to 1; nuclei and fibres keep their true size.
    density : float, default: 1.0
        Factor on the number of nuclei, 0 to 4; above 1 space becomes scarce.
    glass : bool, default: False
        Generate empty glass.

    Returns
    -------
    SyntheticTile
        Image and labels.

    Raises
    ------
    ValueError
        If `seed`, `size`, `pixel_size_um` or `density` is out of range.
    """
    if seed < 0 or size < 1 or not 0.1 <= pixel_size_um <= 1 or not 0 <= density <= 4:
        raise ValueError(
            f"The tile has seed {seed}, size {size}, pixel_size_um {pixel_size_um} and density "
            f"{density}. Choose a seed from 0, a size from 1, a pixel size from 0.1 to 1 µm and a "
            "density from 0 to 4."
        )
    # A stream for each step, so that changing one leaves the others as they are.
    streams = np.random.SeedSequence([GENERATOR_VERSION, seed]).spawn(7)
    optics, tissue, layout, places, nuclei, stains, sensor = (
        np.random.Generator(np.random.PCG64(stream)) for stream in streams
    )
    scale = PIXEL_SIZE_UM / pixel_size_um
    look = draw_appearance(optics)
    if glass:
        nothing = np.zeros((size, size), dtype=np.float32)
        image = expose((nothing, nothing, nothing), look, scale, sensor)
        return SyntheticTile(image, np.zeros((size, size), dtype=np.int32), pixel_size_um)
    composition = draw_composition(tissue)
    architecture = lay_out(size, scale, composition, layout)
    sites = place_nuclei(architecture, scale, density, composition, places)
    drawn = draw_nuclei(sites, size, scale, composition, nuclei)
    section = stain_section(drawn, architecture, scale, composition, stains)
    return SyntheticTile(expose(section, look, scale, sensor), drawn.labels, pixel_size_um)


def frozen_test_set(size: int = 512) -> Iterator[SyntheticTile]:
    """Yield the generated test set in the order of its seeds; it is never used for training."""
    for seed in FROZEN_TEST_SEEDS:
        yield generate_tile(seed, size=size)
