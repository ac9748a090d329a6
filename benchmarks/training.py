"""Training speed and result beside a plain notebook: the same network, tiles, batches and scores.

    python benchmarks/training.py [--tiles 48] [--size 256] [--batch-size 4] [--epochs 6]

The notebook is Keras' `fit` on arrays in memory, in float32, with Keras' own metrics and default
settings. Ours is what `napari-snow-unet train --preset paper --precision auto` does, reading files
and writing checkpoints. Each side runs in processes of its own, in turns. A step is a batch of
training; its median leaves out the first three of each process, in which everything is built.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

SIDES = ("notebook", "ours", "ours in float32")
WARM_UP = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=48, help="for training; a quarter validates")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(measure(arguments.side, arguments.data, arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        data = make_tiles(Path(folder) / "data", arguments)
        results = {side: [] for side in SIDES}
        for _ in range(arguments.rounds):
            for side in SIDES:
                results[side].append(in_child(side, data))
    report(results, arguments)


def measure(side: str, data: Path, arguments: argparse.Namespace) -> dict:
    if side == "notebook":
        return notebook(data, arguments)
    return ours(data, arguments, "float32" if "float32" in side else "auto")


def make_tiles(folder: Path, arguments: argparse.Namespace) -> Path:
    from napari_snow_unet.data.formats.label_images import write_labels
    from napari_snow_unet.data.pixels.images import write_image
    from napari_snow_unet.data.synthetic import generate_tile

    for number in range(arguments.tiles + arguments.tiles // 4):
        tile = generate_tile(1000 + number, size=arguments.size)
        write_image(folder / "images" / f"{number:03d}.png", tile.image)
        write_labels(folder / "masks" / f"{number:03d}.png", tile.labels)
    return folder


def in_child(side: str, data: Path) -> dict:
    words = [sys.executable, __file__, *sys.argv[1:], "--side", side, "--data", str(data)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout.splitlines()[-1])


def fraction(arguments: argparse.Namespace) -> float:
    return (arguments.tiles // 4) / (arguments.tiles + arguments.tiles // 4)


def notebook(data: Path, arguments: argparse.Namespace) -> dict:
    import keras
    from PIL import Image

    from napari_snow_unet.unet.network.build import build_unet
    from napari_snow_unet.unet.runs.dataset import open_training_set
    from napari_snow_unet.unet.runs.options import make_options

    keras.utils.set_random_seed(0)
    tiles = open_training_set(data, validation_fraction=fraction(arguments))

    def arrays(part):
        images = [np.asarray(Image.open(tile.image))[..., :1] / 255 for tile in part]
        masks = [(np.asarray(Image.open(tile.mask)) > 0)[..., None] for tile in part]
        return np.stack(images).astype("float32"), np.stack(masks).astype("float32")

    def dice(truth, probability):
        found = keras.ops.cast(probability > 0.5, "float32")
        both = keras.ops.sum(truth * found)
        return 2 * both / (keras.ops.sum(truth) + keras.ops.sum(found) + 1e-7)

    class Clock(keras.callbacks.Callback):
        steps, began = [], 0.0

        def on_train_batch_begin(self, batch, logs=None):
            self.began = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            self.steps.append(time.perf_counter() - self.began)

    model = build_unet(make_options("paper").network())
    model.compile(
        optimizer="adam",
        loss="binary_crossentropy",
        metrics=[
            "accuracy",
            keras.metrics.AUC(),
            keras.metrics.Precision(),
            keras.metrics.Recall(),
            dice,
        ],
    )
    train, validation = arrays(tiles.train), arrays(tiles.validation)
    began = time.perf_counter()
    model.fit(
        *train,
        batch_size=arguments.batch_size,
        epochs=arguments.epochs,
        validation_data=validation,
        callbacks=[Clock()],
        verbose=0,
    )
    seconds = time.perf_counter() - began
    probability = model.predict(validation[0], verbose=0)
    return result(Clock.steps, seconds, probability, validation[1])


def ours(data: Path, arguments: argparse.Namespace, precision: str) -> dict:
    from napari_snow_unet.unet.runs.options import make_options
    from napari_snow_unet.unet.training import loop
    from napari_snow_unet.unet.training import start as training_start

    options = make_options(
        "paper",
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        precision=precision,
        validation_fraction=fraction(arguments),
    )
    moments = []

    def listen(progress):
        if progress.state == "training":
            moments.append((progress.batch, time.perf_counter()))

    with tempfile.TemporaryDirectory() as folder:
        run, _ = training_start.begin_training(data, Path(folder) / "run", options)
        began = time.perf_counter()
        loop.train(run, listen=listen, listed=False)
        seconds = time.perf_counter() - began
        probability, truth = predictions(run)
    # From the end of a batch to the end of the next: waiting for data counts.
    steps = [end[1] - start[1] for start, end in pairwise(moments) if end[0] == start[0] + 1]
    return result(steps, seconds, probability, truth)


def predictions(run) -> tuple[np.ndarray, np.ndarray]:
    from napari_snow_unet.unet.models.store import load_model
    from napari_snow_unet.unet.training.batches import ValidationBatches

    model, config = load_model(run.last)
    batches = ValidationBatches(run.tiles(), config, most_pixels=1, workers=0)
    pairs = [batches[i] for i in range(batches.num_batches)]
    found = [np.asarray(model.predict_on_batch(pixels)) for pixels, _ in pairs]
    return np.concatenate(found), np.concatenate([truth for _, truth in pairs])


def result(steps: list[float], seconds: float, probability: np.ndarray, truth: np.ndarray) -> dict:
    found, true = probability > 0.5, truth > 0
    dice = 2 * (found & true).sum() / (found.sum() + true.sum())
    return {"steps": steps[WARM_UP:], "seconds": seconds, "dice": float(dice)}


def report(results: dict[str, list[dict]], arguments: argparse.Namespace) -> None:
    print(
        f"{arguments.tiles} tiles of {arguments.size} x {arguments.size}, batches of "
        f"{arguments.batch_size}, {arguments.epochs} epochs, {arguments.rounds} rounds"
    )
    print(f"{'':16}{'ms a step':>12}{'tiles a second':>16}{'whole run, s':>14}  Dice at the end")
    medians = {}
    for side, rounds in results.items():
        medians[side] = statistics.median(step for each in rounds for step in each["steps"])
        speed = arguments.batch_size / medians[side]
        seconds = statistics.mean(each["seconds"] for each in rounds)
        dice = ", ".join(f"{each['dice']:.4f}" for each in rounds)
        print(f"{side:16}{1000 * medians[side]:>12.0f}{speed:>16.2f}{seconds:>14.1f}  {dice}")
    for side in SIDES[1:]:
        print(f"the notebook's step takes {medians['notebook'] / medians[side]:.2f} times {side}")


if __name__ == "__main__":
    main()
