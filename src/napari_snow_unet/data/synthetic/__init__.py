"""SNOW-like H&E tiles with exact truth: for samples, tests, demonstrations and training.

A tile is built as light passes through a stained section. The composition and the layout of the
tissue are drawn first, then nuclei are placed and drawn together with their labels, so the truth is
exact. Hematoxylin and eosin are laid over fibres, cell bodies and nuclei; light is absorbed after
the law of Beer and Lambert; last come focus, uneven lighting, sharpening and noise of the scanner.

Everywhere in this room `size` is the edge of a tile in pixels, and `scale` is how many of its
pixels a pixel of 0.25 um has along each axis.
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
