"""A new run: which folders are free for one, and what lies in it from the start."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from pathlib import Path

from napari_snow_unet.base.errors import InputError
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
    """Make the folder of a new training, whole or not at all, where `check_free` allows it."""
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
    """Refuse a place with more than an empty folder or a training that ended before an epoch."""
    if is_run(folder):
        if _is_without_epochs(folder):
            return
        raise InputError(
            "there is a training in it already",
            expected="a new folder",
            remedy="Resume it, or choose another folder.",
            helps=("resume",),
            path=folder,
        )
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(
            "there is something else",
            expected="a new or empty folder",
            remedy="Choose another folder; nothing was touched.",
            path=folder,
        )


def _is_without_epochs(folder: Path) -> bool:
    """Tell whether a training ended without an epoch; what it was writing does not count."""
    found = _whole_in(folder)
    if CHECKPOINTS in found and not _whole_in(folder / CHECKPOINTS):
        found.remove(CHECKPOINTS)
    return (
        PROGRESS in found and found <= _BEFORE_THE_FIRST_EPOCH and training_process(folder) is None
    )


def _whole_in(folder: Path) -> set[str]:
    """Return the names of what is whole in a folder; of a file, its own."""
    if not folder.is_dir():
        return {folder.name}
    return {path.name for path in folder.iterdir() if not path.match(LEFT_BEHIND)}
