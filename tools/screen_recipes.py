"""Train variants of the recipe on a few folds and seeds, and score tiles that each has not seen.

    python tools/screen_recipes.py DATASET --work FOLDER --variants baseline stain
    python tools/screen_recipes.py DATASET --work FOLDER --score     # what has been trained so far

DATASET is what `tools/assemble_training_tiles.py` wrote. Trainings lie in FOLDER, two at a time
with one thread each; the same command goes on where it was stopped. All variants see the same
number of crops of the same size. Scores go to `docs/accuracy/screen.csv`, a row per training and
set of tiles, and their means to the table in `docs/maintainers/weights.md`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.manifest import Tile
    from napari_snow_unet.segmentation.model import Model
    from napari_snow_unet.unet.runs.folder import RunDirectory

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "accuracy" / "screen.csv"
PAGE = ROOT / "docs" / "maintainers" / "weights.md"
BEGIN, END = "<!-- screen: begin -->", "<!-- screen: end -->"
CROPS = 12_000  # that each training sees
# Half the filters: a training takes a fraction of the time, so that more can be compared. What is
# chosen has to be confirmed with the whole network (`--filters 16`).
SCHEDULE = {"crop": 192, "batch_size": 2}
# Half of the factors of the data set, so that a training has about eight epochs of the same crops.
WEIGHTS = {
    "snow": 5.0,
    "tnbc": 1.5,
    "nuinsseg": 0.3,
    "dsb_he": 0.5,
    "dsb": 0.125,
    "generated": 0.5,
}
SCREENED = [1, 3]  # the folds with the most difficult patients of TNBC
HARD_SHARE, HARD_FACTOR = 0.25, 3.0  # of the training tiles; how much more often they are shown
FIRST_EMPTY_SEED, EMPTY_TILES = 8_300_000, 12  # never in a training
FEWEST = 10  # true nuclei of a tile whose relative count is compared; tiles with fewer are sparse
SETS = ("tnbc", "snow", "nuinsseg", "nuinsseg dark", "sparse", "empty")


@dataclass(frozen=True)
class Variant:
    """A change of the recipe."""

    change: str
    options: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)  # 0: leave this source out
    hard_for: str = ""  # the variant whose networks choose the tiles that are shown more often


VARIANTS = {
    "baseline": Variant("0.1's recipe with NuInsSeg, red channel"),
    "no NuInsSeg": Variant("0.1's recipe and tiles", weights={"nuinsseg": 0.0}),
    "more NuInsSeg": Variant("NuInsSeg twice as often", weights={"nuinsseg": 0.8}),
    "stain": Variant("stain changed, strength 1", {"stain": 1.0}),
    "stain 0.5": Variant("stain changed, strength 0.5", {"stain": 0.5}),
    "artefacts": Variant("artefacts in 20 % of the crops", {"artefacts": 0.2}),
    "stain, artefacts": Variant("stain 0.5, artefacts 20 %", {"stain": 0.5, "artefacts": 0.2}),
    "hard": Variant("tiles with false nuclei three times as often", hard_for="baseline"),
    "colour": Variant("colour", {"channel": "rgb"}),
    "colour, stain": Variant("colour, stain 1", {"channel": "rgb", "stain": 1.0}),
    "colour, stain 0.5": Variant("colour, stain 0.5", {"channel": "rgb", "stain": 0.5}),
    "colour, stain, artefacts": Variant(
        "colour, stain 0.5, artefacts 20 %", {"channel": "rgb", "stain": 0.5, "artefacts": 0.2}
    ),
    "colour, hard": Variant(
        "colour, tiles with false nuclei three times as often", {"channel": "rgb"}, {}, "colour"
    ),
    "hematoxylin": Variant("hematoxylin channel", {"channel": "hematoxylin"}),
}
#: Models without a training here; the bundled one has seen the tiles of TNBC and SNOW.
MODELS = {"classical": SETS, "default": ("nuinsseg", "nuinsseg dark", "sparse", "empty")}


@dataclass(frozen=True)
class Job:
    """One training."""

    variant: str
    fold: int
    seed: int
    filters: int

    def folder(self, work: Path) -> Path:
        """Return its run folder."""
        name = self.variant.replace(", ", "+").replace(" ", "-")
        return work / "runs" / f"{name}-filters{self.filters}-fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class TileScore:
    """What was measured on a tile; areas are in pixels."""

    tile: str
    dice: float | None
    aji: float | None
    true_nuclei: int
    nuclei: int
    true_area: int
    area: int
    false_area: int  # outside of true nuclei
    pixels: int


@dataclass(frozen=True)
class Row:
    """A row of the table: a training, and a set of tiles that it has not seen."""

    variant: str
    change: str
    filters: int
    fold: int
    seed: int
    set: str
    tiles: int
    dice: float | None = None
    aji: float | None = None
    count_bias: float | None = None  # per cent, with the 95 % limits of agreement of tiles
    count_low: float | None = None
    count_high: float | None = None
    area_bias: float | None = None  # of the mean area of a nucleus, as above
    area_low: float | None = None
    area_high: float | None = None
    false_area: float | None = None  # per cent of the area without nuclei
    crops: int = 0  # seen in training
    seconds: float = 0.0  # of the training, beside another one


def train(dataset: Path, work: Path, jobs: list[Job]) -> None:
    """Train what is not finished, two at a time."""
    from napari_snow_unet.unet.runs.parallel import most_at_once, train_side_by_side
    from napari_snow_unet.unet.runs.progress import StopRequest
    from napari_snow_unet.unet.training.loop import is_finished

    # Hard tiles are chosen by networks that must be trained first.
    for hard in (False, True):
        wave = [job for job in jobs if bool(VARIANTS[job.variant].hard_for) == hard]
        runs = {job.folder(work).name: started(dataset, work, job) for job in wave}
        left = {name: run.folder for name, run in runs.items() if not is_finished(run)}
        if left:
            at_once = most_at_once(len(left))
            train_side_by_side(left, at_once, stop=StopRequest(), echo=print)


def started(dataset: Path, work: Path, job: Job) -> RunDirectory:
    """Open the run folder of a job, or create it."""
    from napari_snow_unet.unet.runs.folder import is_run, open_run
    from napari_snow_unet.unet.runs.options import make_options
    from napari_snow_unet.unet.training.start import begin_training

    folder = job.folder(work)
    if is_run(folder):
        return open_run(folder)
    variant = VARIANTS[job.variant]
    fixed = {**SCHEDULE, "base_filters": job.filters, "seed": job.seed, "fold": job.fold}
    options = make_options(**fixed, **variant.options)
    factors = {}
    if variant.hard_for:
        chosen_by = replace(job, variant=variant.hard_for)
        factors = hard_tiles(started(dataset, work, chosen_by))
    tiles = work / "datasets" / folder.name
    write_variant(dataset, tiles, WEIGHTS | variant.weights, factors)
    per_epoch = crops_per_epoch(tiles, job.fold)
    options = replace(options, epochs=max(1, round(CROPS / per_epoch)))
    return begin_training(tiles, folder, options)[0]


def write_variant(
    dataset: Path, folder: Path, weights: dict[str, float], factors: dict[str, float]
) -> None:
    """Write a data set with other weights, whose files are those of the first."""
    from napari_snow_unet.data.datasets.manifest import read_manifest, write_manifest

    folder.mkdir(parents=True, exist_ok=True)
    for entry in dataset.iterdir():
        if not entry.name.endswith("manifest.csv") and not (folder / entry.name).exists():
            (folder / entry.name).symlink_to(entry.resolve())
    tiles = []
    for tile in read_manifest(dataset):
        name = "dsb_he" if tile.name.startswith("dsb_he_") else tile.name.split("_")[0]
        # Left out of the training, a source is still scored: see `held_out`.
        if weight := weights[name] * factors.get(tile.name, 1.0):
            tiles.append(replace(tile, extra={**tile.extra, "weight": f"{weight:g}"}))
    write_manifest(folder, tiles)


def crops_per_epoch(dataset: Path, fold: int) -> int:
    """Return the number of crops of an epoch."""
    from napari_snow_unet.unet.runs.dataset import open_training_set
    from napari_snow_unet.unet.training.crops import CropPlan

    tiles = open_training_set(dataset, fold=fold).train
    sizes = tuple((tile.height, tile.width) for tile in tiles)
    weights = tuple(tile.weight for tile in tiles)
    return CropPlan(sizes, SCHEDULE["crop"], 1, 0, weights).batches


def hard_tiles(run: RunDirectory) -> dict[str, float]:
    """Return the factors of the training tiles in which a network finds most false nuclei."""
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.pipeline import run as finished
    from napari_snow_unet.segmentation.pipeline import segment

    model, false = open_model(run.last), {}
    for tile in run.tiles().train:
        labels = finished(segment(read_image(tile.image).array, model)).labels
        real = np.unique(labels[read_labels(tile.mask) > 0])
        false[tile.name] = float((~np.isin(labels, [0, *real])).mean())
    worst = sorted((name for name in false if false[name]), key=lambda name: -false[name])
    return dict.fromkeys(worst[: round(HARD_SHARE * len(false))], HARD_FACTOR)


def held_out(dataset: Path, fold: int) -> list[Tile]:
    """Return the tiles of a fold."""
    from napari_snow_unet.data.datasets.manifest import read_manifest

    return [tile for tile in read_manifest(dataset) if tile.fold == fold]


def score(dataset: Path, model: Model, fold: int, path: Path) -> list[TileScore]:
    """Segment the tiles of a fold and generated tissue without nuclei, or read the scores."""
    from napari_snow_unet.base.files import write_table

    if not path.is_file():
        scores = [*_measured(dataset, model, fold)]
        rows = [list(asdict(each).values()) for each in scores]
        write_table(path, [[each.name for each in fields(TileScore)], *rows])
    with path.open(encoding="utf-8", newline="") as file:
        return [TileScore(**_values(row)) for row in csv.DictReader(file)]


def _values(row: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {"tile": row.pop("tile")}
    for name in ("dice", "aji"):
        text = row.pop(name)
        values[name] = float(text) if text else None
    return values | {name: int(text) for name, text in row.items()}


def _measured(dataset: Path, model: Model, fold: int) -> Iterator[TileScore]:
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.data.synthetic import generate_tile
    from napari_snow_unet.metrics.scores.instance import as_instances

    for tile in held_out(dataset, fold):
        image = read_image(dataset / tile.image).array
        yield measured(tile.name, model, image, as_instances(read_labels(dataset / tile.mask)))
    for seed in range(FIRST_EMPTY_SEED, FIRST_EMPTY_SEED + EMPTY_TILES):
        made = generate_tile(seed, density=0)
        yield measured(f"empty_{seed}", model, made.image, made.labels)


def measured(name: str, model: Model, image: np.ndarray, truth: np.ndarray) -> TileScore:
    """Segment a tile at 0.25 um per pixel and compare it with its truth."""
    from napari_snow_unet.metrics.scores.instance import count_instances, instance_scores
    from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
    from napari_snow_unet.segmentation.pipeline import run, segment

    labels = run(segment(image, model, pixel_size_um=0.25)).labels
    pixels, instances = count_pixels(labels, truth), count_instances(labels, truth)
    aji = instance_scores(instances)["aji"]
    return TileScore(
        name,
        _rounded(pixel_scores(pixels)["dice"]),
        _rounded(aji),
        instances.n_truth,
        instances.n_prediction,
        int((truth > 0).sum()),
        int((labels > 0).sum()),
        pixels.false_positive,
        labels.size,
    )


def set_of(score: TileScore) -> list[str]:
    """Return the sets that a tile is in."""
    kind = score.tile.split("_")[0]
    if kind == "nuinsseg" and score.tile.endswith("_dark"):
        kind = "nuinsseg dark"
    sparse = kind.startswith("nuinsseg") and score.true_nuclei < FEWEST
    return [kind, "sparse"] if sparse else [kind]


def summary(scores: list[TileScore]) -> dict[str, Any]:
    """Return the scores of a set of tiles."""
    counted = [each for each in scores if each.true_nuclei >= FEWEST]
    found = [each for each in counted if each.nuclei]
    counts = [100 * (each.nuclei / each.true_nuclei - 1) for each in counted]
    areas = [
        100 * (each.area / each.nuclei) / (each.true_area / each.true_nuclei) - 100
        for each in found
    ]
    ground = sum(each.pixels - each.true_area for each in scores)
    values: dict[str, Any] = {
        "tiles": len(scores),
        "dice": _mean([each.dice for each in scores]),
        "aji": _mean([each.aji for each in scores]),
        "false_area": _rounded(100 * sum(each.false_area for each in scores) / max(ground, 1)),
    }
    for name, errors in (("count", counts), ("area", areas)):
        values |= dict(
            zip((f"{name}_bias", f"{name}_low", f"{name}_high"), limits(errors), strict=True)
        )
    return values


def limits(errors: list[float]) -> tuple[float | None, float | None, float | None]:
    """Return bias and 95 % limits of agreement (Bland and Altman 1986, Lancet 327:307-310)."""
    if len(errors) < 2:
        return None, None, None
    bias, reach = float(np.mean(errors)), 1.96 * float(np.std(errors, ddof=1))
    return round(bias, 2), round(bias - reach, 2), round(bias + reach, 2)


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return _rounded(float(np.mean(defined))) if defined else None


def _rounded(value: float | int | None) -> float | None:
    return None if value is None else round(float(value), 5)


def rows_of(dataset: Path, work: Path, jobs: list[Job]) -> Iterator[Row]:
    """Score finished trainings and the models without one."""
    from napari_snow_unet.models import open_model
    from napari_snow_unet.unet.runs.folder import is_run, open_run
    from napari_snow_unet.unet.training.loop import is_finished

    for name, sets in MODELS.items():
        for fold in SCREENED:
            path = work / "scores" / f"{name}-fold{fold}.csv"
            scores = score(dataset, open_model(name), fold, path)
            yield from _rows(scores, sets, name, "no training", 0, fold, 0)
    for job in jobs:
        if not is_run(job.folder(work)) or not is_finished(open_run(job.folder(work))):
            continue
        run = open_run(job.folder(work))
        path = work / "scores" / f"{job.folder(work).name}.csv"
        scores = score(dataset, open_model(run.last), job.fold, path)
        history, options = run.history(), run.config().options
        crops = crops_per_epoch(Path(run.config().dataset), job.fold) * options.epochs
        seconds = round(sum(row["seconds"] or 0.0 for row in history))
        more = {"crops": crops, "seconds": seconds}
        facts = job.variant, VARIANTS[job.variant].change, job.filters, job.fold, job.seed
        yield from _rows(scores, SETS, *facts, **more)


def _rows(
    scores: list[TileScore], sets: tuple[str, ...], *facts: Any, **more: Any
) -> Iterator[Row]:
    for name in sets:
        members = [each for each in scores if name in set_of(each)]
        if members:
            yield Row(*facts, name, **summary(members), **more)


def write(rows: list[Row]) -> None:
    """Write the table of all trainings, and the page's table of their means."""
    from napari_snow_unet.base.files import write_table, written_whole

    cells = [list(asdict(row).values()) for row in rows]
    write_table(TABLE, [[each.name for each in fields(Row)], *cells], overwrite=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    with written_whole(PAGE, overwrite=True) as temporary:
        text = f"{before}{BEGIN}\n{markdown(rows)}\n{END}{after}"
        temporary.write_text(text, encoding="utf-8")


def markdown(rows: list[Row]) -> str:
    """Return the means over folds and seeds as a table."""
    columns = ("variant", "filters", "trainings", "Dice: TNBC", "SNOW", "NuInsSeg", "dark",
               "AJI: TNBC", "NuInsSeg", "count, NuInsSeg (limits)", "mean area",
               "false area: sparse", "empty", "seconds")  # fmt: skip
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for variant, filters in dict.fromkeys((row.variant, row.filters) for row in rows):
        mine = [row for row in rows if (row.variant, row.filters) == (variant, filters)]
        by_set = {name: [row for row in mine if row.set == name] for name in SETS}
        runs = {(row.fold, row.seed) for row in mine}

        def mean(name: str, key: str, digits: int = 3, of: dict[str, list[Row]] = by_set) -> str:
            values = [getattr(row, key) for row in of[name]]
            values = [value for value in values if value is not None]
            return f"{np.mean(values):.{digits}f}" if values else "-"

        low, high = mean("nuinsseg", "count_low", 0), mean("nuinsseg", "count_high", 0)
        cells = [
            variant,
            str(filters or "-"),
            str(len(runs)) if filters else "-",
            *(mean(name, "dice") for name in SETS[:4]),
            *(mean(name, "aji") for name in ("tnbc", "nuinsseg")),
            f"{mean('nuinsseg', 'count_bias', 1)} % ({low} to {high})",
            f"{mean('nuinsseg', 'area_bias', 1)} %",
            *(f"{mean(name, 'false_area', 2)} %" for name in ("sparse", "empty")),
            mean("nuinsseg", "seconds", 0),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="folder of the trainings")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--folds", type=int, nargs="+", default=SCREENED)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument(
        "--filters", type=int, default=8, choices=(8, 16), help="at the first level"
    )
    parser.add_argument("--score", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    jobs = [
        Job(variant, fold, seed, arguments.filters)
        for seed in arguments.seeds
        for variant in arguments.variants
        for fold in arguments.folds
    ]
    if not arguments.score:
        train(arguments.dataset, arguments.work, jobs)
    axes = (16, 8), VARIANTS, range(4), range(4)  # filters, variants, seeds, folds
    every = [Job(name, fold, seed, number) for number, name, seed, fold in product(*axes)]
    write([*rows_of(arguments.dataset, arguments.work, every)])


if __name__ == "__main__":
    main()
