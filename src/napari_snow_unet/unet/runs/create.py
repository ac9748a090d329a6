"""Create the folder of a new run, where that is possible."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.config import TILE_COLUMNS, RunConfig, config_text, tile_row
from napari_snow_unet.unet.runs.folder import (
    CHECKPOINTS,
    CONFIG,
    LEFT_BEHIND,
    LOG,
    PROGRESS,
    STOP,
    TILES,
    RunDirectory,
    is_run,
)
from napari_snow_unet.unet.runs.lock import LOCK, training_process
from napari_snow_unet.unet.runs.tiles import TrainingSet

_BEFORE_THE_FIRST_EPOCH = frozenset({CONFIG, TILES, PROGRESS, LOG, LOCK, STOP})


def create_run(
    folder: str | os.PathLike[str], config: RunConfig, tiles: TrainingSet
) -> RunDirectory:
    """Create the folder of a new training atomically, where `check_free` allows it."""
    folder = Path(folder).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        new, ended = temporary / "new", temporary / "ended"
        new.mkdir()
        (new / CONFIG).write_text(config_text(config), encoding="utf-8")
        with (new / TILES).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(TILE_COLUMNS)
            for subset, members in (("train", tiles.train), ("val", tiles.validation)):
                writer.writerows(tile_row(subset, tile, tiles.folder) for tile in members)
        check_free(folder)
        if is_run(folder):
            folder.rename(ended)
        elif folder.is_dir():
            folder.rmdir()
        new.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return RunDirectory(folder)


def check_free(folder: Path) -> None:
    """Refuse a folder that is not empty, unless its training ended before its first epoch."""
    if is_run(folder):
        if _is_without_epochs(folder):
            return
        raise InputError(messages.EXISTING_RUN, path=folder)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(messages.FOLDER_NOT_EMPTY, path=folder)


def _is_without_epochs(folder: Path) -> bool:
    """Tell whether a training ended without a finished epoch; temporary files do not count."""
    names = _whole_in(folder)
    if CHECKPOINTS in names and not _whole_in(folder / CHECKPOINTS):
        names.remove(CHECKPOINTS)
    return (
        PROGRESS in names and names <= _BEFORE_THE_FIRST_EPOCH and training_process(folder) is None
    )


def _whole_in(folder: Path) -> set[str]:
    """Return the names of the complete files in a folder; of a file, its own."""
    if not folder.is_dir():
        return {folder.name}
    return {path.name for path in folder.iterdir() if not path.match(LEFT_BEHIND)}
