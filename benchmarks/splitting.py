"""Print PQ, AJI and Dice for ways to tell touching nuclei apart and to drop small ones.

    python benchmarks/splitting.py DATASET --folds build/weights/folds

Probability maps come from the networks of `make crossvalidate`, each of tiles it has never seen,
and of fresh generated tiles. Truths of TNBC and SNOW are components of binary masks, in which
touching nuclei are one; those of generated tiles are exact. So a way to split has to gain on the
generated tiles more than it loses on the real ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

GENERATED = 6  # tiles per fold
FIRST_SEED = 8_200_000  # never in a training
HEIGHTS = (None, 0.5, 0.75, 1.0, 1.5, 2.0)
AREAS_UM2 = (0.0, 2.5, 5.0, 7.5)
Map = tuple[str, np.ndarray, np.ndarray]


def maps(dataset: Path, folds: Path, fold: int) -> list[Map]:
    """Return (kind, probability, true labels) of what a network has never seen."""
    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.data.synthetic import generate_tile
    from napari_snow_unet.metrics.scores.instance import as_instances
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.pipeline import run, segment

    model = open_model(folds / f"fold-{fold}" / "last")
    found = []
    for tile in read_manifest(dataset):
        if tile.fold == fold:
            image = read_image(dataset / tile.image).array
            truth = as_instances(read_labels(dataset / tile.mask))
            found.append((tile.name.split("_")[0], run(segment(image, model)).probability, truth))
    for seed in range(FIRST_SEED + fold * GENERATED, FIRST_SEED + (fold + 1) * GENERATED):
        made = generate_tile(seed)
        found.append(("generated", run(segment(made.image, model)).probability, made.labels))
    return found


def measured(tiles: list[Map], height: float | None, area_um2: float) -> str:
    """Return pooled PQ, AJI and Dice."""
    from napari_snow_unet.metrics.scores.instance import InstanceCounts, count_instances
    from napari_snow_unet.metrics.scores.instance import instance_scores as instance_scores
    from napari_snow_unet.metrics.scores.pixel import PixelCounts, count_pixels
    from napari_snow_unet.metrics.scores.pixel import pixel_scores as pixel_scores
    from napari_snow_unet.segmentation.plane import nuclei, touching
    from napari_snow_unet.segmentation.plane.threshold import choose_level, grey_histogram

    pixels, instances = PixelCounts(), InstanceCounts()
    touching.MARKER_HEIGHT_PX = height or 0.0
    for _, probability, truth in tiles:
        level = choose_level(grey_histogram(probability))
        area = area_um2 / nuclei.REFERENCE_PIXEL_UM**2
        labels = nuclei.label_nuclei(
            probability > level, separate=height is not None, min_area=area, fill_holes=True
        )
        pixels += count_pixels(labels, truth)
        instances += count_instances(labels, truth)
    scores = instance_scores(instances)
    dice = pixel_scores(pixels)["dice"]
    return f"{scores['pq']:.3f} {scores['aji']:.3f} {dice:.3f}".rjust(22)


def main() -> None:
    """Print a table: rows are heights and areas, columns the kinds of tiles."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--only", type=int, nargs="+", help="folds to look at")
    arguments = parser.parse_args()
    from napari_snow_unet.data.datasets.manifest import read_manifest

    folds = arguments.only or sorted({t.fold for t in read_manifest(arguments.dataset)} - {None})
    tiles = [each for fold in folds for each in maps(arguments.dataset, arguments.folds, fold)]
    kinds = list(dict.fromkeys(kind for kind, _, _ in tiles))
    print("height  area".ljust(16), *(f"{kind}: PQ AJI Dice".rjust(22) for kind in kinds))
    grid = [(height, AREAS_UM2[1]) for height in HEIGHTS]
    grid += [(1.0, area) for area in AREAS_UM2 if area != AREAS_UM2[1]]
    for height, area in grid:
        name = "no split" if height is None else f"{height:g} px"
        cells = (measured([t for t in tiles if t[0] == kind], height, area) for kind in kinds)
        print(f"{name:9}{area:g} um2".ljust(16), *cells)


if __name__ == "__main__":
    main()
