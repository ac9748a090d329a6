"""Train the first weights that ship, from real tiles and generated ones, in a given time.

    python tools/train_first_weights.py DATA --out FOLDER --minutes 35

DATA holds ``tnbc/``, ``snow_figures/`` and ``dsb2018/``, each with ``images/``, ``masks/`` and
``manifest.csv``. Every third SNOW tile and two TNBC patients are never shown to the network; no
choice is made by their scores either: what is saved is the end of the run.
"""

from __future__ import annotations

import argparse
import csv
import logging
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import keras
import numpy as np
from PIL import Image

from napari_snow_unet.unet.config import UNetConfig
from napari_snow_unet.unet.network import build_unet
from napari_snow_unet.unet.store import save_model

HELD_OUT_SNOW = ("ex_03", "ex_06", "ex_09", "ex_12")
HELD_OUT_PATIENTS = ("03", "07")
CROP, BATCH, PEAK_RATE, WARM_UP = 256, 8, 1e-3, 200
TRAINED_ON = (
    "Real tiles: 8 of the 12 SNOW tiles in the data set's example figure (Ding et al. 2023, "
    "Scientific Data 10:231, CC BY 4.0), 29 tiles of triple-negative breast cancer at 40x from "
    "patients 01, 02, 04, 05, 06 and 08 (Naylor et al. 2018, Zenodo 2579118, CC BY 4.0), 119 "
    "purple-stained and H&E images of the 2018 Data Science Bowl (BBBC038, CC0); and {generated} "
    "generated tiles of this package. Pixel sizes: TNBC has 0.25 um, was shown at zooms of 0.7 to "
    "1.3 (0.19 to 0.36 um); SNOW tiles have nuclei 1.34 times as long and count as 0.19 um, shown "
    "at 0.6 to 1.15. Scores on tiles kept aside: SNOW ex_03, ex_06, ex_09, ex_12 and TNBC patients "
    "03 and 07."
)
log = logging.getLogger("train_first_weights")


@dataclass(frozen=True)
class Source:
    """Tiles of one kind: how often they are drawn and how much they are zoomed."""

    tiles: list[tuple[str, np.ndarray, np.ndarray]]
    share: float
    zoom: tuple[float, float]


def read_tiles(folder: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Read (name, RGB, foreground) of a folder, SNOW masks moved by the shift in its manifest."""
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tiles = []
    for row in rows:
        stem = Path(row.get("file") or row["name"]).stem
        rgb = np.asarray(Image.open(folder / "images" / f"{stem}.png").convert("RGB"))
        mask = np.asarray(Image.open(folder / "masks" / f"{stem}.png")) > 0
        if "best_shift_dy_512px" in row:
            dy, dx = int(row["best_shift_dy_512px"]), int(row["best_shift_dx_512px"])
            height, width = mask.shape
            y, x = max(dy, 0), max(dx, 0)
            bottom, right = height + min(dy, 0), width + min(dx, 0)
            rgb = rgb[y:bottom, x:right]
            mask = mask[y - dy : bottom - dy, x - dx : right - dx]
        tiles.append((stem, rgb, mask.astype(np.uint8)))
    return tiles


def generated_tiles(number: int, seed: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Draw generated tiles whose seeds lie far from those of the package's test set."""
    if not number:
        return []
    from napari_snow_unet.data.synthetic import generate_tile

    tiles = []
    for index in range(number):
        density = 0.0 if index % 8 == 0 else 1.0  # every eighth is tissue without nuclei
        made = generate_tile(7_000_000 + seed * number + index, density=density)
        tiles.append((str(index), made.image, (made.labels > 0).astype(np.uint8)))
    return tiles


def draw_crop(rng: np.random.Generator, sources: list[Source]) -> tuple[np.ndarray, np.ndarray]:
    """Cut one crop at a random place, angle and zoom and vary its light: (Y, X) in 0..1, 0 or 1."""
    if rng.random() < 0.04:
        return blank_field(rng), np.zeros((CROP, CROP), np.uint8)
    shares = np.array([source.share for source in sources])
    source = sources[rng.choice(len(sources), p=shares / shares.sum())]
    _, rgb, mask = source.tiles[rng.integers(len(source.tiles))]
    zoom = math.exp(rng.uniform(*np.log(source.zoom)))
    turn, mirror = rng.uniform(0, 2 * math.pi), rng.choice((-1, 1))
    squeeze = math.exp(rng.uniform(-0.1, 0.1))
    linear = (
        np.array(
            [[math.cos(turn), -math.sin(turn) * mirror], [math.sin(turn), math.cos(turn) * mirror]]
        )
        @ np.diag([squeeze, 1 / squeeze])
        / zoom
    )
    middle = np.array([rng.uniform(0, rgb.shape[1]), rng.uniform(0, rgb.shape[0])])
    matrix = np.c_[linear, middle - linear @ np.full(2, CROP / 2)]
    flags = cv2.WARP_INVERSE_MAP
    border = {"borderMode": cv2.BORDER_REFLECT_101}
    smooth = rgb if zoom >= 0.85 else cv2.GaussianBlur(rgb, (0, 0), 0.4 / zoom)
    pixels = cv2.warpAffine(smooth, matrix, (CROP, CROP), flags=flags | cv2.INTER_LINEAR, **border)
    truth = cv2.warpAffine(mask, matrix, (CROP, CROP), flags=flags | cv2.INTER_NEAREST, **border)
    return vary_light(rng, pixels), truth


def blank_field(rng: np.random.Generator) -> np.ndarray:
    """Return an empty field of any brightness, half of them with uneven light and noise."""
    plane = np.full((CROP, CROP), rng.uniform(0, 1), np.float32)
    if rng.random() < 0.5:
        ramp = np.linspace(-1, 1, CROP, dtype=np.float32)
        plane += rng.normal(0, 0.05) * ramp + rng.normal(0, 0.05) * ramp[:, None]
        plane += rng.normal(0, rng.uniform(0, 0.03), (CROP, CROP))
    return np.clip(plane, 0, 1)


def vary_light(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Take the red channel, at times mixed with the others, and vary focus, light and noise."""
    weights = np.array([1.0, 0.0, 0.0])
    if rng.random() < 0.15:
        weights = rng.dirichlet((1.0, 1.0, 0.3))
    if rng.random() < 0.15:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
        rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, quality)[1], cv2.IMREAD_COLOR)
    x = (rgb @ weights.astype(np.float32)) / np.float32(255)
    if rng.random() < 0.35:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 1.8))
    elif rng.random() < 0.25:
        x = x + rng.uniform(0.3, 1.2) * (x - cv2.GaussianBlur(x, (0, 0), 1.5))
    x = np.clip(x, 0, 1) ** math.exp(rng.uniform(-0.6, 0.6))
    x = (x - x.mean()) * rng.uniform(0.7, 1.25) + x.mean() + rng.uniform(-0.12, 0.12)
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(0, 0.04), x.shape)
    return np.clip(x, 0, 1)


def draw_batch(seed: int, step: int, sources: list[Source]) -> tuple[np.ndarray, np.ndarray]:
    """Return batch number `step`: a function of seed and step alone."""
    rng = np.random.default_rng((seed, step))
    crops = [draw_crop(rng, sources) for _ in range(BATCH)]
    pixels = np.stack([crop[0] for crop in crops])[..., None].astype(np.float32)
    return pixels, np.stack([crop[1] for crop in crops])[..., None].astype(np.float32)


def draw_batches(seed: int, sources: list[Source]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches, the next ones being drawn meanwhile."""
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(draw_batch, seed, step, sources) for step in range(4)]
        step = len(waiting)
        while True:
            batch = waiting.pop(0).result()
            waiting.append(pool.submit(draw_batch, seed, step, sources))
            step += 1
            yield batch


def bce_and_dice(truth, probability):
    """Mean binary cross-entropy plus one minus the soft Dice of the batch."""
    ops = keras.ops
    overlap = 2 * ops.sum(truth * probability) + 1
    dice = overlap / (ops.sum(truth) + ops.sum(probability) + 1)
    return ops.mean(keras.losses.binary_crossentropy(truth, probability)) + 1 - dice


def otsu_dice(model: keras.Model, tiles: list[tuple[str, np.ndarray, np.ndarray]]) -> list[float]:
    """Return the Dice of every tile at Otsu's threshold of the 8-bit probability."""
    scores = []
    for _, rgb, mask in tiles:
        height, width = (-(-n // 64) * 64 for n in mask.shape)
        red = rgb[..., 0].astype(np.float32) / 255
        padding = ((0, height - red.shape[0]), (0, width - red.shape[1]))
        red = np.pad(red, padding, mode="symmetric")
        probability = np.asarray(model.predict_on_batch(red[None, ..., None]))[0, ..., 0]
        grey = np.rint(probability[: mask.shape[0], : mask.shape[1]] * 255).astype(np.uint8)
        level = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
        found = grey > max(level, 0.3 * 255)
        scores.append(2 * (found & (mask > 0)).sum() / max(found.sum() + mask.sum(), 1))
    return scores


def main() -> None:
    """Read, train, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--steps", type=int, default=10**6, help="end after these, if sooner")
    parser.add_argument("--generated", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="snow-first")
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--normalization", default="none")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    keras.utils.set_random_seed(arguments.seed)

    snow, tnbc = read_tiles(arguments.data / "snow_figures"), read_tiles(arguments.data / "tnbc")
    held_out = {
        "snow": [tile for tile in snow if tile[0] in HELD_OUT_SNOW],
        "tnbc": [tile for tile in tnbc if tile[0][:2] in HELD_OUT_PATIENTS],
    }
    sources = [
        Source([tile for tile in snow if tile[0] not in HELD_OUT_SNOW], 0.35, (0.6, 1.15)),
        Source([t for t in tnbc if t[0][:2] not in HELD_OUT_PATIENTS], 0.40, (0.7, 1.3)),
        Source(read_tiles(arguments.data / "dsb2018"), 0.10, (0.5, 1.2)),
    ]
    if made := generated_tiles(arguments.generated, arguments.seed):
        sources.append(Source(made, 0.15, (0.7, 1.3)))
    config = UNetConfig(
        normalization=arguments.normalization,
        dropout=0.0,
        pixel_size_um=(0.19, 0.36),
        name=arguments.name,
        trained_on=TRAINED_ON.format(generated=arguments.generated),
    )
    model = build_unet(config, precision=arguments.precision)
    optimizer = keras.optimizers.AdamW(PEAK_RATE, weight_decay=1e-4, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, loss=bce_and_dice, jit_compile=False)

    def report(step: int, loss: float) -> None:
        means = {
            kind: round(float(np.mean(otsu_dice(model, t))), 4) for kind, t in held_out.items()
        }
        log.info("step %d: loss %.4f, Dice on tiles kept aside %s", step, loss, means)
        plain = build_unet(config)
        plain.set_weights(model.get_weights())
        save_model(plain, replace(config, dropout=0.1), arguments.out, overwrite=True)

    started, reported, losses = time.monotonic(), 0.0, []
    for step, (pixels, truth) in enumerate(draw_batches(arguments.seed, sources)):
        minutes = (time.monotonic() - started) / 60
        progress = max(minutes / arguments.minutes, step / arguments.steps)
        if progress >= 1:
            break
        rate = PEAK_RATE * 0.5 * (1 + math.cos(math.pi * progress)) * min(1, (step + 1) / WARM_UP)
        optimizer.learning_rate = rate
        losses.append(float(model.train_on_batch(pixels, truth)))
        if minutes - reported > 4:
            report(step, float(np.mean(losses[-200:])))
            reported = minutes
    report(step, float(np.mean(losses[-200:])))
    for kind, tiles in held_out.items():
        names = [tile[0] for tile in tiles]
        log.info(
            "%s %s",
            kind,
            dict(zip(names, np.round(otsu_dice(model, tiles), 3).tolist(), strict=True)),
        )


if __name__ == "__main__":
    main()
