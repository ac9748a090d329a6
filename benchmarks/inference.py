"""Time and compare the ways of computing a tile: the notebook's, and ours in two number formats.

    python benchmarks/inference.py FOLDER [--tiles N]

FOLDER holds ``images/NAME.png`` and ``masks/NAME.png`` (label images). Every tile goes through all
ways one after the other, so that other work on the machine slows all of them; only the ratios of
the medians mean something. From file to labels:

- notebook: Keras' ``predict`` for one tile, Otsu's method on the 8-bit map, connected components;
- float32, mixed_bfloat16: `segment` with the bundled network.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.images import read_image, read_labels
from napari_snow_unet.models import DEFAULT, find_model, open_model
from napari_snow_unet.models import DEFAULT_MODEL as NAME
from napari_snow_unet.segmentation.pipeline import run, segment

Way = Callable[[Path], NDArray[Any]]
REFERENCE, FAST = "float32", "mixed_bfloat16"


def main() -> None:
    """Print times, ratios and Dice coefficients."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiles", type=int, default=0, help="only the first so many")
    arguments = parser.parse_args()
    paths = sorted((arguments.folder / "images").glob("*.png"))
    paths = paths[: arguments.tiles or None]
    ours = {precision: _ours(precision) for precision in (REFERENCE, FAST)}
    ways: dict[str, Way] = {"notebook": _notebook(), **ours}
    for way in ways.values():
        way(paths[0])  # traces are made here
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    truth: dict[str, list[float]] = {name: [] for name in ways}
    between = []
    for path in paths:
        labels, mask = {}, read_labels(path.parents[1] / "masks" / path.name)
        for name, way in ways.items():
            start = perf_counter()
            labels[name] = way(path)
            seconds[name].append(perf_counter() - start)
            truth[name].append(_dice(labels[name], mask))
        between.append(_dice(labels[REFERENCE], labels[FAST]))
    print(f"{len(paths)} tiles of {arguments.folder.name}")
    for name in ways:
        ratio = median(seconds["notebook"]) / median(seconds[name])
        print(
            f"{name:16} {median(seconds[name]) * 1e3:7.0f} ms, notebook / this {ratio:5.2f}, "
            f"Dice against truth {mean(truth[name]):.4f}"
        )
    print(f"Dice {REFERENCE} against {FAST}: mean {mean(between):.4f}, least {min(between):.4f}")


def _notebook() -> Way:
    open_model(DEFAULT)  # prepares the engine
    import cv2

    from napari_snow_unet.unet.store import load_model

    network, _ = load_model(find_model(NAME))

    def label(path: Path) -> NDArray[Any]:
        red = read_image(path).array[..., :1].astype(np.float32) / 255
        grey = (network.predict(red[None], verbose=0)[0, ..., 0] * 255).astype(np.uint8)
        _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return np.asarray(cv2.connectedComponents(mask)[1])

    return label


def _ours(precision: str) -> Way:
    model = open_model(DEFAULT, precision=precision)
    return lambda path: run(segment(read_image(path).array, model)).labels


def _dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    both = np.count_nonzero((first > 0) & (second > 0))
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * both / total if total else 1.0


if __name__ == "__main__":
    main()
