"""Model folders for tests, as a training leaves them or as Keras and version 0.1 wrote them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.unet.models.array_file import write_arrays
from napari_snow_unet.unet.models.folder import CHECKSUMS, CONFIG, KERAS_WEIGHTS, WEIGHTS
from napari_snow_unet.unet.network.arrays import array_shapes, arrays_of
from napari_snow_unet.unet.network.config import UNetConfig


def save_model(model: Any, config: UNetConfig, folder: Path, *, by_keras: bool = False) -> Path:
    """Write a model folder, or write into it again."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / (KERAS_WEIGHTS if by_keras else WEIGHTS)
    if by_keras:
        model.save_weights(weights)
    else:
        write_arrays(weights, arrays_of(model))
    (folder / CONFIG).write_text(config.to_json(), encoding="utf-8")
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    (folder / CHECKSUMS).write_text(f"{checksum}  {weights.name}\n", encoding="utf-8")
    return folder


def random_arrays(config: UNetConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Return weights for a network as if it were trained: no biases or statistics of 0 and 1."""
    rng = np.random.default_rng(seed)

    def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith(".kernel"):
            inputs = np.prod(shape[:3]) if not name.startswith("up") else shape[3]
            return rng.normal(0, np.sqrt(2 / inputs), shape)
        middle = 1 if name.endswith((".gamma", ".moving_variance")) else 0
        return middle + rng.uniform(-0.2, 0.2, shape)

    shapes = array_shapes(config)
    return {name: drawn(name, shape).astype(np.float32) for name, shape in shapes.items()}
