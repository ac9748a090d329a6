"""Samples for File > Open Sample: generated H&E tiles, no file and no network needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_snow_unet.data.synthetic import GENERATOR_VERSION, SyntheticTile, generate_tile
from napari_snow_unet.napari_plugin import LayerData

TILE_SEED = 2026
STACK_SEEDS = (200, 205, 210, 214)


def open_tile() -> list[LayerData]:
    """Return one SNOW-like tile of 512 x 512 pixels, scaled in micrometres."""
    return [_image(generate_tile(TILE_SEED), TILE_SEED)]


def open_tile_with_truth() -> list[LayerData]:
    """Return one SNOW-like tile and the exact labels of its nuclei."""
    tile = generate_tile(TILE_SEED)
    truth = {**_shared(tile.pixel_size_um, TILE_SEED), "name": "SNOW-like tile ground truth"}
    return [_image(tile, TILE_SEED), (tile.labels, truth, "labels")]


def open_stack() -> list[LayerData]:
    """Return a short stack of SNOW-like tiles, of shape (4, 512, 512, 3)."""
    tiles = [generate_tile(seed) for seed in STACK_SEEDS]
    facts = _shared(tiles[0].pixel_size_um, *STACK_SEEDS)
    facts["scale"] = (1.0, *facts["scale"])
    facts["units"] = ("pixel", *facts["units"])
    facts |= {"name": "SNOW-like stack", "rgb": True}
    return [(np.stack([tile.image for tile in tiles]), facts, "image")]


def _image(tile: SyntheticTile, seed: int) -> LayerData:
    facts = _shared(tile.pixel_size_um, seed) | {"name": "SNOW-like tile", "rgb": True}
    return tile.image, facts, "image"


def _shared(pixel_size_um: float, *seeds: int) -> dict[str, Any]:
    return {
        "scale": (pixel_size_um, pixel_size_um),
        "units": ("um", "um"),
        "metadata": {"generated": {"seeds": list(seeds), "generator_version": GENERATOR_VERSION}},
    }
