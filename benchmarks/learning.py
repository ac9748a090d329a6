"""What a short training on generated tiles is worth: beside the classical method, on unseen tiles.

    python benchmarks/learning.py [--tiles 100] [--size 256] [--epochs 60] [--keep FOLDER]

Generates tiles, trains on them with `napari-snow-unet train` and its default preset, and scores
the best epoch and the classical method on the package's frozen test set of generated tiles, whose
seeds no training uses. Dice is of pixels, at Otsu's threshold, the mean over tiles.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FIRST_SEED = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=100)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="folder for tiles and training")
    arguments = parser.parse_args()
    from napari_snow_unet.metrics.scores.summary import mean_with_interval

    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        generate(folder / "tiles", arguments.tiles, arguments.size)
        seconds = train(folder / "tiles", folder / "training", arguments.epochs)
        print(f"{arguments.tiles} tiles, {arguments.epochs} epochs, {seconds / 60:.1f} minutes")
        for model in ("classical", str(folder / "training")):
            mean = mean_with_interval(dice_of(model))
            name = Path(model).name
            print(f"{name:10} Dice {mean.value:.3f} ({mean.low:.3f} to {mean.high:.3f}), {mean.n}")


def generate(folder: Path, number: int, size: int) -> None:
    from napari_snow_unet.data.formats.label_images import write_labels
    from napari_snow_unet.data.pixels.images import write_image
    from napari_snow_unet.data.synthetic import generate_tile

    for seed in range(FIRST_SEED, FIRST_SEED + number):
        path = folder / "images" / f"{seed}.png"
        if not path.exists():
            tile = generate_tile(seed, size=size)
            write_labels(folder / "masks" / f"{seed}.png", tile.labels, overwrite=True)
            write_image(path, tile.image)


def train(tiles: Path, folder: Path, epochs: int) -> float:
    """Train, or go on with a training that was interrupted; return the seconds it took."""
    program = [sys.executable, "-c", "from napari_snow_unet.cli import main; main()", "train"]
    new = [str(tiles), "-o", str(folder), "--epochs", str(epochs)]
    began = time.monotonic()
    words = ["--resume", str(folder)] if (folder / "config.json").exists() else new
    subprocess.run([*program, *words], check=True)
    return time.monotonic() - began


def dice_of(name: str) -> list[float | None]:
    from napari_snow_unet.data.synthetic import frozen_test_set
    from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.options import Options
    from napari_snow_unet.segmentation.pipeline import run, segment

    model = open_model(name)
    found = []
    for tile in frozen_test_set():
        labels = run(segment(tile.image, model, Options(pixel_size_um=tile.pixel_size_um))).labels
        found.append(pixel_scores(count_pixels(labels, tile.labels))["dice"])
    return found


if __name__ == "__main__":
    main()
