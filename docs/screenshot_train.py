"""Picture of the train dock in the middle of a training."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile
from stage import Stage, wait

TILES, EDGE, EPOCHS = 24, 256, 30


def write_dataset(folder: Path) -> None:
    """Write generated tiles and their labels."""
    for seed in range(TILES):
        tile = generate_tile(seed, size=EDGE)
        write_image(folder / "images" / f"tile{seed:02}.png", tile.image)
        write_labels(folder / "masks" / f"tile{seed:02}.png", tile.labels)


def take(dataset: Path, path: Path) -> None:
    """Train, and save a picture after two thirds of the epochs."""
    stage = Stage("Train a U-Net")
    dock, form = stage.dock, stage.dock.form
    form.places.dataset.value = dataset
    form.main.epochs.value, form.main.base_filters.value = EPOCHS, 4
    form.main.crop.value, form.main.learning_rate.value = 128, 0.003
    wait(lambda: dock.bar.train_button.isEnabled() and "Looking" not in form.device.text())
    QTest.mouseClick(dock.bar.train_button, Qt.MouseButton.LeftButton)
    wait(lambda: len(dock.curves.rows) >= EPOCHS * 2 // 3 or not dock.follower.following)
    stage.take(path)
    dock.follower.stop()
    wait(lambda: not dock.follower.following)
    stage.close()


def main(out: Path) -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory() as temporary:
        # The model of this training is none of the user's.
        models = str(Path(temporary, "models"))
        with patch.dict(os.environ, NAPARI_SNOW_UNET_MODELS=models):
            write_dataset(Path(temporary, "nuclei"))
            take(Path(temporary, "nuclei"), out / "train.png")
