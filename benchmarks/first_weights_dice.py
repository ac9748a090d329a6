"""Print the Dice of `segment` on folders with truth, tile by tile, beside the classical method.

    python benchmarks/first_weights_dice.py DATA/snow_figures DATA/tnbc --kept-aside

A folder holds ``images/``, ``masks/`` and ``manifest.csv``. Where the manifest has
``best_shift_dy_512px`` and ``best_shift_dx_512px`` the mask is moved by them onto its image, and
only what both cover is scored.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from napari_snow_unet.data.images import read_image, read_labels
from napari_snow_unet.metrics.instance import count_instances
from napari_snow_unet.metrics.instance import scores as instance_scores
from napari_snow_unet.metrics.pixel import PixelCounts, count_pixels
from napari_snow_unet.metrics.pixel import scores as pixel_scores
from napari_snow_unet.models import CLASSICAL, open_model
from napari_snow_unet.segmentation.pipeline import run, segment

# What the first weights were never shown: SNOW tiles by name, TNBC tiles by patient.
KEPT_ASIDE = ("ex_03", "ex_06", "ex_09", "ex_12", "03_", "07_")


def overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Return which part of an axis of the image and of its mask show the same, given a shift."""
    image = slice(max(shift, 0), length + min(shift, 0))
    return image, slice(image.start - shift, image.stop - shift)


def main() -> None:
    """Segment every tile with every model and print a table per folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--models", nargs="+", default=["default", CLASSICAL])
    parser.add_argument("--kept-aside", action="store_true", help="only tiles never trained on")
    arguments = parser.parse_args()
    models = {name: open_model(name) for name in arguments.models}
    for folder in arguments.folders:
        print(f"\n{folder.name}: Dice (PQ)")
        print("tile".ljust(16), *(name.rjust(16) for name in models))
        means: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
        pooled = dict.fromkeys(models, PixelCounts())
        with (folder / "manifest.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            stem = Path(row.get("file") or row["name"]).stem
            if arguments.kept_aside and not stem.startswith(KEPT_ASIDE):
                continue
            image = read_image(folder / "images" / f"{stem}.png").array
            truth = read_labels(folder / "masks" / f"{stem}.png")
            y, mask_y = overlap(truth.shape[0], int(row.get("best_shift_dy_512px", 0)))
            x, mask_x = overlap(truth.shape[1], int(row.get("best_shift_dx_512px", 0)))
            truth, cells = truth[mask_y, mask_x], []
            for name, model in models.items():
                labels = run(segment(image, model)).labels[y, x]
                counts = count_pixels(labels, truth)
                dice = pixel_scores(counts)["dice"] or 0.0
                quality = instance_scores(count_instances(labels, truth))["pq"] or 0.0
                means[name].append((dice, float(quality)))
                pooled[name] += counts
                cells.append(f"{dice:.3f} ({quality:.3f})".rjust(16))
            print(stem[:16].ljust(16), *cells)
        mean = (np.mean(values, axis=0) for values in means.values())
        print("mean".ljust(16), *(f"{m[0]:.3f} ({m[1]:.3f})".rjust(16) for m in mean))
        whole = (pixel_scores(counts)["dice"] for counts in pooled.values())
        print("pooled".ljust(16), *(f"{dice:.3f}        ".rjust(16) for dice in whole))


if __name__ == "__main__":
    main()
