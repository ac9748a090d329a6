"""SNOW-like H&E tiles with exact ground truth, for samples, tests, the demo and training.

A tile simulates light passing through a stained section. The composition and layout of the tissue
are drawn first; then nuclei are placed and drawn together with their labels, so that the ground
truth is exact. Hematoxylin and eosin stain fibres, cell bodies and nuclei; light is absorbed by the
Beer-Lambert law; focus, uneven lighting, sharpening and noise of the scanner come last.

Throughout this package `size` is the edge of a tile in pixels, and `scale` is the number of its
pixels per pixel of 0.25 um along each axis.
"""

from napari_snow_unet.data.synthetic.tile import (
    FROZEN_TEST_SEEDS,
    GENERATOR_VERSION,
    PIXEL_SIZE_UM,
    SyntheticTile,
    frozen_test_set,
    generate_tile,
)

__all__ = [
    "FROZEN_TEST_SEEDS",
    "GENERATOR_VERSION",
    "PIXEL_SIZE_UM",
    "SyntheticTile",
    "frozen_test_set",
    "generate_tile",
]
