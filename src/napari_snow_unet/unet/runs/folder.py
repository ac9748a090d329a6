"""The folder of a training: all that is known of it, for whoever trains, watches or resumes.

==================== =============================================================================
``config.json``      options, dataset, network, seed, versions: what the training is
``tiles.csv``        every tile with its subset
``history.csv``      a row per finished epoch
``progress.json``    where it is within the epoch, time left, device
``best/``, ``last/`` models, ready to be used: lowest validation loss, last finished epoch
``checkpoints/``     what a resumed training goes on from
``curves.png``       the scores over the epochs
``preview.png``      a validation tile, its truth, the prediction; alone in ``preview/``
``log.txt``          what happened
``lock``             held by the process that trains, whose number stands in it
``STOP``             made by whoever wants the training to end after the batch
==================== =============================================================================

Every file is written under another name and renamed, so each is whole at any moment. Nothing here
needs a network library.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.runs.config import (
    FORMAT,
    LARGEST_CONFIG,
    RunConfig,
    config_from,
    config_text,
    tile_from,
)
from napari_snow_unet.unet.runs.tiles import TrainingSet, TrainingTile

CONFIG, TILES, HISTORY, STOP = "config.json", "tiles.csv", "history.csv", "STOP"
PROGRESS, LOG, CHECKPOINTS = "progress.json", "log.txt", "checkpoints"
SCORES = ("loss", "accuracy", "auc", "precision", "recall", "dice")
COLUMNS = ("epoch", *SCORES, *(f"val_{name}" for name in SCORES), "seconds", "learning_rate")
LEFT_BEHIND = ".writing-*"
_REMEDY = "Choose the folder of a training, or start a new one."

Row = dict[str, float | None]


class RunDirectory:
    """A training's folder; `open_run` and `create_run` give one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.echo: Callable[[str], None] = lambda line: None  # called with every line of the log

    @property
    def best(self) -> Path:
        """Model of the epoch with the lowest validation loss."""
        return self.folder / "best"

    @property
    def last(self) -> Path:
        """Model of the last finished epoch."""
        return self.folder / "last"

    @property
    def checkpoints(self) -> Path:
        """Where `checkpoint` keeps its folders."""
        return self.folder / CHECKPOINTS

    @property
    def stop_file(self) -> Path:
        """A file that ends the training after the batch."""
        return self.folder / STOP

    def config(self) -> RunConfig:
        """Read ``config.json``."""
        path = self.folder / CONFIG
        try:
            if path.stat().st_size > LARGEST_CONFIG:
                raise ValueError("it is far too large")
            return config_from(json.loads(path.read_text(encoding="utf-8")))
        except InputError as error:
            raise InputError(error.message, path=path) from error
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"it cannot be used ({error})",
                expected="the config of a training",
                remedy=_REMEDY,
                path=path,
            ) from error

    def write_config(self, config: RunConfig) -> None:
        """Replace ``config.json``."""
        self.write(CONFIG, config_text(config).encode())

    def tiles(self) -> TrainingSet:
        """Read ``tiles.csv``; refuse a dataset that is gone or has changed since."""
        config = self.config()
        subsets: dict[str, list[TrainingTile]] = {"train": [], "val": []}
        root, path = Path(config.dataset), self.folder / TILES
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    subsets[row["part"]].append(tile_from(row, root))
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"it is damaged ({error!r})", expected="a row per tile", remedy=_REMEDY, path=path
            ) from error
        tiles = TrainingSet(
            root, tuple(subsets["train"]), tuple(subsets["val"]), white=config.network.white
        )
        if tiles.fingerprint != config.fingerprint:
            raise InputError(
                "the dataset has changed since the training began"
                if root.is_dir()
                else "it is gone",
                expected="the same files",
                remedy="Restore it, or start a new training, from this one's model if you like.",
                path=root,
            )
        return tiles

    def history(self) -> list[Row]:
        """Read ``history.csv``: a row per finished epoch; [] before the first."""
        path = self.folder / HISTORY
        if not path.is_file():
            return []
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = [
                    {name: float(row[name]) if row[name] else None for name in COLUMNS}
                    for row in csv.DictReader(file)
                ]
            if not all(row["epoch"] is not None and math.isfinite(row["epoch"]) for row in rows):
                raise ValueError("an epoch without a number")
            return rows
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"it is damaged ({error!r})",
                expected="a row per epoch",
                remedy="It is written again when the training is resumed.",
                path=path,
            ) from error

    def write_history(self, rows: Iterable[Row]) -> None:
        """Replace ``history.csv``."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([_cell(name, row.get(name)) for name in COLUMNS])
        self.write(HISTORY, text.getvalue().encode())

    def write(self, name: str, content: bytes) -> None:
        """Replace a file as a whole."""
        with written_whole(self.folder / name, overwrite=True) as temporary:
            temporary.write_bytes(content)

    def log(self, line: str, *, echo: bool = True) -> None:
        """Add a line to ``log.txt``, with the time, and pass it on to `echo`."""
        now = datetime.now().isoformat(sep=" ", timespec="seconds")
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{now}  {line}\n")
        if echo:
            self.echo(line)

    def clean_up(self) -> None:
        """Remove what a killed process has left behind."""
        for place in (self.folder, self.best, self.last, self.folder / "preview", self.checkpoints):
            for left in place.glob(LEFT_BEHIND):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Tell the folder of a training from others by its config; never raises."""
    try:
        with (Path(folder) / CONFIG).open(encoding="utf-8", errors="replace") as file:
            return FORMAT in file.read(200)
    except (OSError, ValueError):  # a null byte in the path
        return False


def open_run(folder: str | os.PathLike[str]) -> RunDirectory:
    """Open the folder of a training."""
    folder = Path(folder).resolve()
    if not is_run(folder):
        raise InputError(
            f"no training ({'no ' + CONFIG + ' in it' if folder.is_dir() else 'no such folder'})",
            expected="the folder of a training",
            remedy=_REMEDY,
            path=folder,
        )
    return RunDirectory(folder)


def _cell(name: str, value: float | None) -> str:
    if value is None or value != value:  # undefined: nothing to divide by
        return ""
    if name == "epoch":
        return str(int(value))
    return f"{value:.1f}" if name == "seconds" else f"{value:.8g}"
