"""Print how good the bundled network is: cross-validation, the shipped weights, others' figures.

    python benchmarks/accuracy.py                     # tables of the committed scores alone
    python benchmarks/accuracy.py DATASET             # and score the shipped weights again
    python benchmarks/accuracy.py DATASET --folds build/weights/folds   # and augmented.csv

DATASET is what `tools/assemble_training_tiles.py` wrote. The committed scores are those of
`make crossvalidate`: every tile was segmented by a network that had seen no tile of its patient.
The classical method has no weights; its scores are committed beside them and, with DATASET,
computed again. The shipped weights were trained on all of these tiles: their scores say that the
file is whole, not how good they are on new tissue. With the folds of `make crossvalidate` their
tiles are segmented once more with test-time augmentation, and these scores are kept.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from pathlib import Path

SCORES = Path(__file__).parent.parent / "docs" / "accuracy"
COUNTS = ("true_positive", "false_positive", "false_negative", "true_negative")
COLUMNS = ("tile", *COUNTS, "dice", "pq", "aji")
SETS = {"tnbc": "TNBC, by patient", "snow": "SNOW tiles, aligned masks"}
PUBLISHED = (
    ("TNBC", "U-Net trained on TNBC alone", "Dice 0.742"),
    ("TNBC", "ResNet34 U-Net trained on 20,000 SNOW tiles", "Dice 0.8025"),
    ("TNBC", "the same, fine-tuned on TNBC", "Dice 0.824"),
)
Row = dict[str, str]


def read_scores(path: Path) -> dict[str, Row]:
    """Read a table of scores, by tile."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["tile"]: row for row in csv.DictReader(file)}


def score(
    dataset: Path, model_of: Callable[[int], str | Path], *, augmented: bool = False
) -> dict[str, Row]:
    """Segment the tiles that are in a fold, each with the model of its fold, and measure."""
    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.metrics.scores.instance import count_instances
    from napari_snow_unet.metrics.scores.instance import instance_scores as instance_scores
    from napari_snow_unet.metrics.scores.pixel import count_pixels
    from napari_snow_unet.metrics.scores.pixel import pixel_scores as pixel_scores
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.options import Options
    from napari_snow_unet.segmentation.pipeline import run, segment

    rows = {}
    judged = [tile for tile in read_manifest(dataset) if tile.fold is not None]
    for tile in sorted(judged, key=lambda tile: tile.fold or 0):  # one model after the other
        image = read_image(dataset / tile.image).array
        options = Options(pixel_size_um=tile.um_per_px, test_time_augmentation=augmented)
        found = run(segment(image, open_model(model_of(tile.fold)), options))
        truth = read_labels(dataset / tile.mask)
        counts = count_pixels(found.labels, truth)
        nuclei = instance_scores(count_instances(found.labels, truth))
        values = {"dice": pixel_scores(counts)["dice"], "pq": nuclei["pq"], "aji": nuclei["aji"]}
        rows[tile.name] = {
            "tile": tile.name,
            **{count: str(getattr(counts, count)) for count in COUNTS},
            **{key: "" if value is None else f"{value:.6g}" for key, value in values.items()},
        }
    return rows


def pooled_dice(rows: Iterable[Row]) -> float:
    """Return the Dice of all pixels together."""
    from napari_snow_unet.metrics.scores.pixel import PixelCounts
    from napari_snow_unet.metrics.scores.pixel import pixel_scores as pixel_scores

    counts = PixelCounts()
    for row in rows:
        counts += PixelCounts(*(int(row[count]) for count in COUNTS))
    return pixel_scores(counts)["dice"] or 0.0


def group_of(tile: str) -> str:
    """Return what a tile is judged with: its patient, or all SNOW tiles."""
    kind, first, *_ = tile.split("_")
    return f"patient {first}" if kind == "tnbc" else "all"


def line(name: str, rows: list[Row], other: list[Row]) -> str:
    """Return a row of a table: the network's mean with its interval, then the classical method."""
    from napari_snow_unet.metrics.scores.summary import mean_with_interval

    cells = [name.ljust(12), str(len(rows)).rjust(5)]
    for key in ("dice", "pq", "aji"):
        mean = mean_with_interval([float(row[key]) if row[key] else None for row in rows])
        low, high = (f"{end:.3f}" if end is not None else "-" for end in (mean.low, mean.high))
        cells.append(f"{mean.value or 0:.3f} [{low}, {high}]".rjust(22))
    cells.append(f"{pooled_dice(rows):.3f}".rjust(8))
    mean = mean_with_interval([float(row["dice"]) for row in other])
    cells += [f"{mean.value:.3f}".rjust(16), f"{pooled_dice(other):.3f}".rjust(8)]
    return "".join(cells)


def table(title: str, rows: dict[str, Row], other: dict[str, Row]) -> None:
    """Print a table: a line per patient, one for all."""
    print(f"\n{title}")
    head = ("Dice [95 %]", "PQ [95 %]", "AJI [95 %]")
    print(
        "".ljust(12), "tiles", *(text.rjust(21) for text in head), " pooled  classical Dice  pooled"
    )
    for kind, text in SETS.items():
        print(text)
        names = [name for name in rows if name.startswith(kind)]
        groups = sorted({group_of(name) for name in names})
        for group in [*groups, *(["all"] if len(groups) > 1 else [])]:
            chosen = [name for name in names if group in ("all", group_of(name))]
            print(line(group, [rows[n] for n in chosen], [other[n] for n in chosen]))


def keep(rows: dict[str, Row], path: Path) -> None:
    """Write scores beside those of the cross-validation."""
    from napari_snow_unet.base.files import written_whole

    with written_whole(path, overwrite=True) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--folds", type=Path, help="folder of `make crossvalidate`")
    parser.add_argument("--keep", action="store_true", help="renew the classical method's scores")
    arguments = parser.parse_args()
    from napari_snow_unet.models import CLASSICAL, DEFAULT

    classical_file = SCORES / "classical.csv"
    if arguments.dataset:
        classical = score(arguments.dataset, lambda fold: CLASSICAL)
        if arguments.keep:
            keep(classical, classical_file)
    else:
        classical = read_scores(classical_file)
    if arguments.folds:
        folds = arguments.folds
        rows = score(
            arguments.dataset, lambda fold: folds / f"fold-{fold}" / "last", augmented=True
        )
        keep(rows, SCORES / "augmented.csv")
    table("Cross-validation, patients left out", read_scores(SCORES / "tiles.csv"), classical)
    if (SCORES / "augmented.csv").exists():
        title = "The same with test-time augmentation"
        table(title, read_scores(SCORES / "augmented.csv"), classical)
    if arguments.dataset:
        title = "The shipped weights on the tiles they were trained on (not a measure of quality)"
        table(title, score(arguments.dataset, lambda fold: DEFAULT), classical)
    print("\nPublished (Ding et al. 2023, Scientific Data 10:231, tables 2 and 4; their test tiles")
    print("are not published, so the figures compare in kind, not tile by tile)")
    for dataset, method, value in PUBLISHED:
        print(f"{dataset:6}{method:50}{value}")


if __name__ == "__main__":
    main()
