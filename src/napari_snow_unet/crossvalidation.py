"""Train once per fold of a dataset, and score every tile by a network not trained on it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import write_table, written_whole
from napari_snow_unet.base.progress import run as drain
from napari_snow_unet.data.formats.label_images import read_labels, read_mask_file
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.metrics.scores.pixel import PixelCounts
from napari_snow_unet.metrics.scores.score_names import KEYS
from napari_snow_unet.metrics.scores.summary import mean_scores
from napari_snow_unet.metrics.scores.tile import Scores, TileCounts, compare, pool
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import segment
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.plane.threshold import grey_histogram, otsu_level
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.dataset import folds_of
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run, open_run
from napari_snow_unet.unet.runs.options import (
    TrainingOptions,
    options_from_dict,
    with_muon,
)
from napari_snow_unet.unet.runs.parallel import most_at_once, train_side_by_side
from napari_snow_unet.unet.runs.progress import StopRequest
from napari_snow_unet.unet.training import loop
from napari_snow_unet.unet.training import start as training_begin

PLAN, FOLDS, TILES = "cross-validation.json", "folds.csv", "tiles.csv"
FORMAT, VERSION = "napari-snow-unet cross-validation", 1
#: Columns of folds.csv before the scores: means over tiles, then pooled over tiles.
FACTS = ("fold", "tiles", "epochs", "best_epoch", "val_loss")
POOLED = ("dice", "iou", "precision", "recall", "aji", "pq")
SHOWN = ("fold", "tiles", "best_epoch", "dice", "pooled_dice", "aji", "pq")
Cells = dict[str, str]


def is_cross_validation(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder holds a cross-validation; never raises."""
    try:
        with (Path(folder) / PLAN).open(encoding="utf-8", errors="replace") as file:
            return FORMAT in file.read(200)
    except (OSError, ValueError):  # a null byte in the path
        return False


def begin_folds(dataset: Path, folder: Path, options: TrainingOptions) -> None:
    """Create the folder of a cross-validation over a dataset with folds, without computing."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(messages.FOLDER_OF_FOLDS_NOT_EMPTY, path=folder)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": str(Path(dataset).resolve()),
        "folds": folds_of(dataset),
        "options": options.as_dict(),
    }
    with written_whole(folder / PLAN) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def cross_validate(
    folder: Path,
    *,
    stop: StopRequest | None = None,
    listen: loop.Listener | None = None,
    echo: Callable[[str], None] = lambda line: None,
    workers: int = 1,
    at_once: int | None = None,
) -> list[Cells]:
    """Train and score every unfinished fold.

    Parameters
    ----------
    folder : pathlib.Path
        From `begin_folds`. Every fold is trained in ``fold-I``; ``folds.csv`` has a row per
        finished fold and one for all of them, ``tiles.csv`` a row per tile.
    stop : StopRequest, optional
        Whether to end early; finished epochs are kept.
    listen, echo : callable, optional
        Get the progress of the current fold (of several, that of the one that needs longest), and
        every line of the log.
    workers : int, default: 1
        Threads that compute batches.
    at_once : int, optional
        Folds to train at the same time; by default the fastest number.

    Returns
    -------
    list of dict
        The rows of ``folds.csv``.

    Raises
    ------
    InputError
        If the folder does not hold a cross-validation, or a training fails.
    """
    stop = stop or StopRequest()
    dataset, folds, options = _read_plan(folder)
    runs = {fold: _run_of(folder, dataset, options, fold) for fold in folds}
    left = [fold for fold, run in runs.items() if not loop.is_finished(run)]
    at_once = most_at_once(len(left)) if at_once is None else min(at_once, len(left))
    if at_once > 1:
        folders = {f"Fold {fold}": runs[fold].folder for fold in left}
        train_side_by_side(folders, at_once, stop=stop, listen=listen, echo=echo, workers=workers)
    rows: list[Cells] = []
    scored: dict[str, tuple[int, TileCounts]] = {}
    for fold, run in runs.items():
        if not loop.is_finished(run) and (at_once > 1 or stop.reason()):
            break
        run.echo = _with_fold(echo, fold)
        state = loop.train(run, stop=stop, listen=listen, workers=workers, listed=False)
        if not loop.is_finished(run):
            break
        echo(messages.scoring_fold(fold))
        measures = score_tiles(run)
        scored |= {name: (fold, measured) for name, measured in measures.items()}
        facts = {
            "fold": str(fold),
            "epochs": str(state.epoch),
            "best_epoch": str(state.best_epoch),
            "val_loss": f"{state.best_score:.6f}",
        }
        rows.append(facts | _summary(list(measures.values())))
        _write_tables(folder, rows, scored)
    return _with_total(rows, scored)


def score_tiles(run: RunDirectory) -> dict[str, TileCounts]:
    """Segment the validation tiles of a training with its last model, and score them.

    The best epoch was chosen on these tiles, so its scores would be too optimistic.
    """
    model = open_model(run.last)
    measured = {}
    for tile in run.tiles().validation:
        options = Options(pixel_size_um=tile.um_per_px)
        image = read_image(tile.image)
        values = values_for(model, image.array, white=image.white)
        size = tile.height, tile.width
        truth = read_mask_file(tile.mask, size, image=tile.image, masks_are=tile.masks_are)
        result = drain(segment(image.array, model, options, values=values))
        measured[tile.name] = compare(
            result.labels,
            truth.nuclei(),
            probability=result.probability,
            otsu_level=otsu_level(grey_histogram(result.probability)),
            region=None if tile.region is None else read_labels(tile.region) > 0,
        )
    return measured


def _run_of(folder: Path, dataset: str, options: TrainingOptions, fold: int) -> RunDirectory:
    place = folder / f"fold-{fold}"
    if is_run(place):
        return open_run(place)
    return training_begin.begin_training(dataset, place, replace(options, fold=fold))[0]


def _with_fold(echo: Callable[[str], None], fold: int) -> Callable[[str], None]:
    return lambda line: echo(f"Fold {fold}: {line}")


def _read_plan(folder: Path) -> tuple[str, list[int], TrainingOptions]:
    path = folder / PLAN
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError("another kind or version")
        folds = [int(fold) for fold in content["folds"]]
        if with_muon(content["options"]):
            raise InputError(messages.MUON, path=path)
        return str(content["dataset"]), folds, options_from_dict(content["options"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(messages.damaged_plan(repr(error)), path=path) from error


def _summary(measures: Sequence[TileCounts]) -> Cells:
    tiles: dict[str, Scores] = {str(i): each.scores() for i, each in enumerate(measures)}
    pooled = pool(measures).scores()
    return {
        "tiles": str(len(measures)),
        **{name: _cell(mean.value) for name, mean in mean_scores(tiles).items()},
        **{f"pooled_{name}": _cell(pooled[name]) for name in POOLED},
    }


def _with_total(rows: list[Cells], scored: dict[str, tuple[int, TileCounts]]) -> list[Cells]:
    if not rows:
        return []
    blank = dict.fromkeys(FACTS, "")
    total = blank | {"fold": "all"} | _summary([each for _, each in scored.values()])
    return [*rows, total]


def _write_tables(
    folder: Path, rows: list[Cells], scored: dict[str, tuple[int, TileCounts]]
) -> None:
    columns = [*FACTS, *KEYS, *(f"pooled_{name}" for name in POOLED)]
    folds = ([row[name] for name in columns] for row in _with_total(rows, scored))
    write_table(folder / FOLDS, [columns, *folds], overwrite=True)
    columns = ["fold", "tile", *(count.name for count in fields(PixelCounts)), *KEYS]
    tiles = (
        [fold, name, *asdict(measures.pixels).values(), *map(_cell, measures.scores().values())]
        for name, (fold, measures) in scored.items()
    )
    write_table(folder / TILES, [columns, *tiles], overwrite=True)


def _cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:.6g}"
