"""Random numbers of a network that depend only on seed and epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_snow_unet.unet.engine.selection import seed_engine

_WEIGHTS, _DROPOUT = 2, 3  # streams of random numbers, besides those of `crops`


def initialise(model: Any, seed: int) -> None:
    """Draw the initial weights of every layer with the layer's own initializer."""
    for number, layer in enumerate(model.layers):
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        settings = {**layer.kernel_initializer.get_config(), "seed": _draw(seed, _WEIGHTS, number)}
        drawn = type(layer.kernel_initializer).from_config(settings)
        kernel.assign(drawn(tuple(kernel.shape), dtype="float32"))


def reseed_dropout(model: Any, seed: int, epoch: int) -> None:
    """Seed all dropout layers for an epoch, counted from 0."""
    seed_engine(_draw(seed, _DROPOUT, epoch))
    for number, layer in enumerate(model.layers):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            state = [_draw(seed, _DROPOUT, epoch, number), 0]
            generator.state.assign(np.array(state, np.uint32))


def _draw(*key: int) -> int:
    return int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)  # fits a signed number
