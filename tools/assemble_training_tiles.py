"""Put the tiles together that the bundled network is trained on, as one prepared dataset.

    python tools/assemble_training_tiles.py DATA -o DATASET
    python tools/assemble_training_tiles.py DATA -o DATASET --leave-out tnbc

DATA holds ``tnbc/``, ``snow_figures/``, ``nuinsseg/`` and ``dsb2018/``, each with ``images/``,
``masks/`` and ``manifest.csv``; all of them are CC BY or CC0. Masks of SNOW tiles are moved by the
shift in their manifest. The dark tiles of NuInsSeg get a higher white point, but every fourth stays
as it is, an example of dark tissue.

TNBC is dealt into four folds of two patients each, SNOW into four of three tiles, NuInsSeg into
four of groups of organs, an organ's human and mouse tiles together; the other tiles train in every
fold. With ``--leave-out`` all tiles of one source validate, and no other. The column ``weight`` of
the dataset's manifest lets the few tiles of the sets that the network is meant for count as much
as the many others.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
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
WEIGHTS = {
    "snow": 10.0,
    "tnbc": 3.0,
    "nuinsseg": 0.6,
    "dsb_he": 1.0,
    "dsb": 0.25,
    "generated": 1.0,
}
PIXEL_UM = {"tnbc": 0.25, "nuinsseg": 0.25}
FOLDERS = {"snow": "snow_figures", "tnbc": "tnbc", "nuinsseg": "nuinsseg", "dsb": "dsb2018"}
# The white point of a dark tile is lifted by one gain for all channels.
WHITE_PERCENTILE, WHITE, LARGEST_GAIN = 99, 240, 2.2
DARK_EVERY, DARK = 4, "_dark"  # of these tiles, and the end of their names
# Organs that look alike stay in one fold; the others are groups of their own.
GROUP_OF_ORGAN = {
    "cerebellum": "brain",
    "muscle_tibia": "muscle",
    "cardia": "stomach",
    "pylorus": "stomach",
    "jejunum": "gut",
    "rectum": "gut",
}


@dataclass(frozen=True)
class Made:
    """A tile to put in: name, RGB, labels, and the patient or the organs that share a fold."""

    name: str
    image: NDArray[np.uint8]
    labels: NDArray[np.int32]
    group: str = ""


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
        group = row.get("patient") or row.get("organ") or ""
        if prefix == "nuinsseg":
            if int(row["source_number"]) % DARK_EVERY:
                image = lifted(image)
            else:
                stem += DARK
        if "best_shift_dy_512px" in row:
            shift = int(row["best_shift_dy_512px"]), int(row["best_shift_dx_512px"])
            image, labels = aligned(image, labels, shift)
        yield Made(f"{prefix}_{stem}", image, labels, GROUP_OF_ORGAN.get(group, group))


def lifted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Brighten a dark image, so that its brightest pixels are nearly white."""
    brightest = max(float(np.percentile(image, WHITE_PERCENTILE)), 1.0)
    gain = min(max(WHITE / brightest, 1.0), LARGEST_GAIN)
    return np.clip(np.rint(image * gain), 0, 255).astype(np.uint8)


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


def described(tile: Tile, folds: dict[str, int]) -> Tile:
    """Say of a tile what it is for: part, fold, weight, pixel size."""
    kind = tile.name.split("_")[0]
    weight = WEIGHTS["dsb_he" if tile.name.startswith("dsb_he_") else kind]
    return replace(
        tile,
        split="train",
        fold=folds.get(tile.name),
        um_per_px=PIXEL_UM.get(kind),
        extra={**tile.extra, "weight": f"{weight:g}"},
    )


def dealt(made: list[Made]) -> dict[str, int]:
    """Return the fold of each tile that has one."""
    folds: dict[str, int] = {}
    patients = sorted({tile.group for tile in made if tile.name.startswith("tnbc")})
    for tile in made:
        if tile.name.startswith("tnbc"):
            folds[tile.name] = patients.index(tile.group) % FOLDS
        elif tile.name.startswith("snow"):
            folds[tile.name] = int(tile.name.split("_")[-1]) % FOLDS
    organs = Counter(tile.group for tile in made if tile.name.startswith("nuinsseg"))
    sizes, fold_of = [0] * FOLDS, {}
    for organ, number in sorted(organs.items(), key=lambda item: (-item[1], item[0])):
        fold_of[organ] = sizes.index(min(sizes))  # the largest group first, into the smallest fold
        sizes[fold_of[organ]] += number
    return folds | {t.name: fold_of[t.group] for t in made if t.name.startswith("nuinsseg")}


def with_validation(tiles: list[Tile]) -> list[Tile]:
    """Let the last generated tiles validate where no fold does: they show that a run is sane."""
    last = {tile.name for tile in tiles if tile.name.startswith("generated")}
    last = set(sorted(last)[-len(DENSITIES) :])
    return [replace(tile, split="val") if tile.name in last else tile for tile in tiles]


def without(tiles: list[Tile], source: str) -> list[Tile]:
    """Let all tiles of one source validate, and train on the others."""
    return [
        replace(tile, fold=None, split="val" if tile.name.split("_")[0] == source else "train")
        for tile in tiles
    ]


def assemble(data: Path, dataset: Path, leave_out: str | None = None) -> None:
    """Write the dataset."""
    from napari_snow_unet.base.progress import run
    from napari_snow_unet.data.datasets.manifest import read_manifest, write_manifest
    from napari_snow_unet.data.datasets.prepare.dataset import prepare
    from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
    from napari_snow_unet.data.datasets.splits import SplitPlan
    from napari_snow_unet.data.formats.label_images import write_labels
    from napari_snow_unet.data.pixels.images import write_image

    with tempfile.TemporaryDirectory() as temporary:
        raw = Path(temporary)
        for folder in ("images", "masks"):
            (raw / folder).mkdir()
        made = [tile for name in FOLDERS for tile in real_tiles(data / FOLDERS[name], name)]
        for tile in (*made, *generated_tiles()):
            write_image(raw / "images" / f"{tile.name}.png", tile.image)
            write_labels(raw / "masks" / f"{tile.name}.png", tile.labels)
        done = run(prepare([raw], dataset, PrepareOptions(split=SplitPlan(train=1.0))))
    if done.problems:
        raise SystemExit(f"{len(done.problems)} tiles cannot be used, see {dataset}/problems.csv")
    folds = dealt(made)
    tiles = [described(tile, folds) for tile in read_manifest(dataset)]
    tiles = without(tiles, leave_out) if leave_out else with_validation(tiles)
    write_manifest(dataset, tiles)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument(
        "--leave-out",
        choices=sorted(FOLDERS),
        metavar="SOURCE",
        help="let all tiles of this source validate: " + ", ".join(sorted(FOLDERS)),
    )
    arguments = parser.parse_args()
    assemble(arguments.data, arguments.out, arguments.leave_out)


if __name__ == "__main__":
    main()
