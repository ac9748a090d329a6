"""A dataset small enough to train on in a second: dark discs on a bright ground."""

from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image


def disc_tile(seed: int, size: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Return an RGB tile with dark discs and its labels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for number in range(1, 6):
        center_y, center_x = rng.uniform(4, size - 4, 2)
        labels[(y - center_y) ** 2 + (x - center_x) ** 2 < 30] = number
    image = np.full((size, size, 3), (225, 190, 210), np.float64)
    image[labels > 0] = (110, 70, 140)
    image += rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="session")
def discs(tmp_path_factory) -> Path:
    """Return a folder with images/ and masks/ of ten tiles."""
    folder = tmp_path_factory.mktemp("discs")
    for seed in range(10):
        image, labels = disc_tile(seed)
        write_image(folder / "images" / f"d{seed}.png", image)
        write_labels(folder / "masks" / f"d{seed}.png", labels)
    return folder
