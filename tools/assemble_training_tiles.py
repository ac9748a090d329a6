"""Put the tiles together that the bundled network is trained on, as one prepared dataset.

    python tools/assemble_training_tiles.py DATA -o DATASET

DATA holds ``tnbc/``, ``snow_figures/`` and ``dsb2018/``, each with ``images/``, ``masks/`` and
``manifest.csv``. Masks of SNOW tiles are moved by the shift in their manifest. TNBC is dealt into
four folds of two patients each, SNOW into four of three tiles; the other tiles train in every
fold. The column ``weight`` of the dataset's manifest lets the few tiles of the two sets that the
network is meant for count as much as the many others.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.manifest import Tile

FOLDS = 4
GENERATED, GENERATED_SIZE = 72, 384
FIRST_SEED = 7_000_000  # far from the seeds of the package's own samples and test set
DENSITIES = (0.0, 0.1, 1.0, 0.0, 0.5, 1.5)  # a third is tissue without nuclei
WEIGHTS = {"snow": 10.0, "tnbc": 3.0, "dsb_he": 1.0, "dsb": 0.25, "generated": 1.0}
TNBC_UM = 0.25


@dataclass(frozen=True)
class Made:
    """A tile to put in: name, RGB, labels."""

    name: str
    image: NDArray[np.uint8]
    labels: NDArray[np.int32]


def real_tiles(folder: Path, prefix: str) -> Iterator[Made]:
    """Read the tiles of a folder, masks moved where the manifest says so."""
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image

    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        stem = Path(row.get("file") or row["name"]).stem
        image = read_image(folder / "images" / f"{stem}.png").array[..., :3]
        labels = read_labels(folder / "masks" / f"{stem}.png")
        if "best_shift_dy_512px" in row:
            shift = int(row["best_shift_dy_512px"]), int(row["best_shift_dx_512px"])
            image, labels = aligned(image, labels, shift)
        yield Made(f"{prefix}_{stem}", image, labels)


def aligned(
    image: NDArray[np.uint8], labels: NDArray[np.int32], shift: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Lay labels moved by (dy, dx) pixels on the image, and cut off what only one of them has."""
    height, width = labels.shape
    (dy, dx) = shift
    rows, columns = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    moved = labels[rows.start - dy : rows.stop - dy, columns.start - dx : columns.stop - dx]
    return np.ascontiguousarray(image[rows, columns]), np.ascontiguousarray(moved)


def generated_tiles() -> Iterator[Made]:
    """Generate tiles, a third of them without nuclei."""
    from napari_snow_unet.data.synthetic import generate_tile

    for number in range(GENERATED):
        density = DENSITIES[number % len(DENSITIES)]
        tile = generate_tile(FIRST_SEED + number, size=GENERATED_SIZE, density=density)
        yield Made(f"generated_{number:03d}", tile.image, tile.labels)


def described(tile: Tile, patients: list[str]) -> Tile:
    """Say of a tile what it is for: part, fold, weight, pixel size."""
    kind, *rest = tile.name.split("_")
    weight = WEIGHTS["dsb_he" if tile.name.startswith("dsb_he_") else kind]
    extra = {**tile.extra, "weight": f"{weight:g}"}
    if kind == "tnbc":
        fold = patients.index(rest[0]) % FOLDS
        return replace(tile, split="train", fold=fold, um_per_px=TNBC_UM, extra=extra)
    fold_of_snow = int(rest[-1]) % FOLDS if kind == "snow" else None
    return replace(tile, split="train", fold=fold_of_snow, extra=extra)


def with_validation(tiles: list[Tile]) -> list[Tile]:
    """Let the last generated tiles validate where no fold does: they show that a run is sane."""
    last = {tile.name for tile in tiles if tile.name.startswith("generated")}
    last = set(sorted(last)[-len(DENSITIES) :])
    return [replace(tile, split="val") if tile.name in last else tile for tile in tiles]


def assemble(data: Path, dataset: Path) -> None:
    """Write the dataset."""
    from napari_snow_unet.base.progress import run
    from napari_snow_unet.data.datasets.manifest import read_manifest, write_manifest
    from napari_snow_unet.data.datasets.prepare.dataset import prepare
    from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
    from napari_snow_unet.data.datasets.splits import SplitPlan
    from napari_snow_unet.data.formats.label_images import write_labels
    from napari_snow_unet.data.pixels.images import write_image

    sources = {"snow": "snow_figures", "tnbc": "tnbc", "dsb": "dsb2018"}
    with tempfile.TemporaryDirectory() as temporary:
        raw = Path(temporary)
        for folder in ("images", "masks"):
            (raw / folder).mkdir()
        made = [tile for name in sources for tile in real_tiles(data / sources[name], name)]
        for tile in (*made, *generated_tiles()):
            write_image(raw / "images" / f"{tile.name}.png", tile.image)
            write_labels(raw / "masks" / f"{tile.name}.png", tile.labels)
        done = run(prepare([raw], dataset, PrepareOptions(split=SplitPlan(train=1.0))))
    if done.problems:
        raise SystemExit(f"{len(done.problems)} tiles cannot be used, see {dataset}/problems.csv")
    tiles = read_manifest(dataset)
    patients = sorted({tile.name.split("_")[1] for tile in tiles if tile.name.startswith("tnbc")})
    write_manifest(dataset, with_validation([described(tile, patients) for tile in tiles]))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    assemble(arguments.data, arguments.out)


if __name__ == "__main__":
    main()
