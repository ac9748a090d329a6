"""The run folder: everything about a training, for the processes that train, watch or resume.

==================== =============================================================================
``config.json``      options, dataset, network, random seed, versions
``tiles.csv``        every tile with its subset
``history.csv``      a row per finished epoch
``progress.json``    epoch and batch, time left, device
``best/``, ``last/`` models of the lowest validation loss and of the last finished epoch
``checkpoints/``     state from which the training resumes
``curves.png``       the scores over the epochs
``preview.png``      a validation tile, its truth and prediction; single files in ``preview/``
``log.txt``          log with times
``lock``             held by the process that trains; contains its ID
``STOP``             created to end the training after the current batch
==================== =============================================================================

Every file is written under another name and renamed, so it is complete at any time. No network
library is needed here.
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
from napari_snow_unet.unet.runs import messages
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

Row = dict[str, float | None]


class RunDirectory:
    """A run folder; returned by `open_run` and `create_run`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.echo: Callable[[str], None] = lambda line: None  # gets every line of the log

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
        """Folder of the checkpoints."""
        return self.folder / CHECKPOINTS

    @property
    def stop_file(self) -> Path:
        """A file that ends the training after the current batch."""
        return self.folder / STOP

    def config(self) -> RunConfig:
        """Read ``config.json``."""
        path = self.folder / CONFIG
        try:
            if path.stat().st_size > LARGEST_CONFIG:
                raise ValueError("the file is too large")
            return config_from(json.loads(path.read_text(encoding="utf-8")))
        except InputError as error:
            raise InputError(error.message, path=path) from error
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(messages.damaged_config(str(error)), path=path) from error

    def write_config(self, config: RunConfig) -> None:
        """Replace ``config.json``."""
        self.write(CONFIG, config_text(config).encode())

    def tiles(self) -> TrainingSet:
        """Read ``tiles.csv``; refuse a dataset that has been removed or changed."""
        config = self.config()
        subsets: dict[str, list[TrainingTile]] = {"train": [], "val": []}
        root, path = Path(config.dataset), self.folder / TILES
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    subsets[row["part"]].append(tile_from(row, root))
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(messages.damaged_tiles(repr(error)), path=path) from error
        tiles = TrainingSet(
            root, tuple(subsets["train"]), tuple(subsets["val"]), white=config.network.white
        )
        if tiles.fingerprint != config.fingerprint:
            message = messages.DATASET_CHANGED if root.is_dir() else messages.DATASET_GONE
            raise InputError(message, path=root)
        return tiles

    def history(self) -> list[Row]:
        """Read ``history.csv``: a row per finished epoch."""
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
            raise InputError(messages.damaged_history(repr(error)), path=path) from error

    def write_history(self, rows: Iterable[Row]) -> None:
        """Replace ``history.csv``."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([_cell(name, row.get(name)) for name in COLUMNS])
        self.write(HISTORY, text.getvalue().encode())

    def write(self, name: str, content: bytes) -> None:
        """Replace a file atomically."""
        with written_whole(self.folder / name, overwrite=True) as temporary:
            temporary.write_bytes(content)

    def log(self, line: str, *, echo: bool = True) -> None:
        """Add a line to ``log.txt`` with the time, and pass it to `echo`."""
        now = datetime.now().isoformat(sep=" ", timespec="seconds")
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{now}  {line}\n")
        if echo:
            self.echo(line)

    def clean_up(self) -> None:
        """Remove temporary files of a killed process."""
        for place in (self.folder, self.best, self.last, self.folder / "preview", self.checkpoints):
            for left in place.glob(LEFT_BEHIND):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder is a run folder, by its config; never raises."""
    try:
        with (Path(folder) / CONFIG).open(encoding="utf-8", errors="replace") as file:
            return FORMAT in file.read(200)
    except (OSError, ValueError):  # a null byte in the path
        return False


def open_run(folder: str | os.PathLike[str]) -> RunDirectory:
    """Open a run folder."""
    folder = Path(folder).resolve()
    if not is_run(folder):
        message = messages.NOT_A_RUN if folder.is_dir() else messages.NO_SUCH_RUN
        raise InputError(message, path=folder)
    return RunDirectory(folder)


def _cell(name: str, value: float | None) -> str:
    if value is None or value != value:  # undefined, such as a ratio to 0
        return ""
    if name == "epoch":
        return str(int(value))
    return f"{value:.1f}" if name == "seconds" else f"{value:.8g}"
