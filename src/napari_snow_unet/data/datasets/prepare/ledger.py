"""What has been prepared so far: kept on disk from tile to tile."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import Died
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, write_info
from napari_snow_unet.data.datasets.divide import repeated_images
from napari_snow_unet.data.datasets.manifest import (
    Tile,
    append_to_journal,
    subset_counts,
    write_manifest,
)
from napari_snow_unet.data.datasets.prepare.kept import kept_table
from napari_snow_unet.data.datasets.prepare.plan import PreparationPlan
from napari_snow_unet.data.datasets.prepare.tiles import TileTask
from napari_snow_unet.data.datasets.problems import Problem, write_problems
from napari_snow_unet.data.datasets.splits import UNUSED
from napari_snow_unet.data.masks.doubts import Cover, doubt_about_masks
from napari_snow_unet.data.names.file_names import natural_key

_SAVE_EVERY = 30.0  # seconds between two writings of the table; the journal bridges them
_TEMPORARY = ".writing-*"


@dataclass(frozen=True)
class Prepared:
    """A dataset as it is after preparing.

    Attributes
    ----------
    folder : Path
        Where it is.
    tiles : list of Tile
        All its tiles, by index.
    new : int
        How many of them this call has made.
    problems : list of Problem
        What could not be used, in natural order of the names.
    messages : list of str
        What a person should be told besides.
    """

    folder: Path
    tiles: list[Tile]
    new: int
    problems: list[Problem]
    messages: list[str]

    @property
    def subsets(self) -> dict[str, int]:
        """Tiles in train, val, test and unused."""
        return subset_counts(self.tiles)


class Ledger:
    """Keeps the tables of a dataset true while tiles are being made."""

    def __init__(
        self, folder: Path, info: DatasetInfo, plan: PreparationPlan, *, by_hand: bool
    ) -> None:
        self.folder, self.info, self.plan = folder, info, plan
        planned = {task.index: _planned(task) for task in plan.tasks}
        self.kept = kept_table(plan.tiles, planned, info.split, by_hand=by_hand)
        self._made: list[Tile] = []
        self._remove_stale_files()
        write_info(folder, replace(info, divided=by_hand))
        self.save()

    def note(self, task: TileTask, result: Tile | Problem | Died) -> None:
        """Take in what became of a task; OSError if the tables cannot be written."""
        if isinstance(result, Tile):
            tile = self.kept.row(result)
            self.plan.tiles[tile.index] = tile
            self._made.append(tile)
            append_to_journal(self.folder, tile)
        elif isinstance(result, Problem):
            self.plan.problems.append(result)
        else:
            reason = "every process that reads it dies; is it damaged, or too large for the memory?"
            self.plan.problems.append(Problem(task.image.label, reason))
        if time.monotonic() - self.saved > _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the table and the problems so far."""
        write_manifest(self.folder, self.plan.tiles.values())
        write_problems(self.folder, self._problems())
        self.saved = time.monotonic()

    def close(self) -> Prepared:
        """Divide the dataset as it has become, and write its tables for good."""
        tiles = [self.plan.tiles[index] for index in sorted(self.plan.tiles)]
        files = {tile.index: tile.image for tile in tiles}
        tiles = self.kept.divided(tiles)
        self.plan.tiles.update({tile.index: tile for tile in tiles})
        self.plan.messages.extend(self.kept.said(tiles))
        for again, first in repeated_images(tiles).items():
            if self.plan.tiles[again].split == UNUSED:
                reason = f"the same image as {files[first]}; it is in no part of the split."
                self.plan.problems.append(Problem(files[again], reason))
        self.plan.messages.extend(told_notes(self._made))
        self.save()
        write_info(self.folder, replace(self.info, divided=True))
        self._remove_stale_files()
        return Prepared(self.folder, tiles, len(self._made), self._problems(), self.plan.messages)

    def _problems(self) -> list[Problem]:
        return sorted(self.plan.problems, key=lambda problem: natural_key(problem.name))

    def _remove_stale_files(self) -> None:
        """Remove what a killed program, or a process of this one that died, had begun to write."""
        for place in (".", "images", "masks", "images/*", "masks/*"):
            for stale in self.folder.glob(f"{place}/{_TEMPORARY}"):
                stale.unlink(missing_ok=True)


def told_notes(tiles: Sequence[Tile]) -> list[str]:
    """Say what the notes of tiles say, each once, with an example; and doubt masks all in all."""
    named: dict[str, list[str]] = {}
    for tile in tiles:
        for note in filter(None, tile.note.split("; ")):
            gist = re.sub(r" \([^()]*\)$|(?<=, )\d+ (?=connected parts)", "", note)
            named.setdefault(gist, []).append(tile.name)
    told = [
        f"{len(names):,} tile{'' if len(names) == 1 else 's'}, such as {names[0]}: {gist}."
        for gist, names in named.items()
    ]
    doubt = doubt_about_masks([Cover(tile.foreground) for tile in tiles])
    return [*told, *([doubt] if doubt else [])]


def _planned(task: TileTask) -> Tile:
    """Return as much of a row as is known of a tile that has not been made."""
    return Tile(task.index, "", "", task.name, task.image.label, task.mask.label, 0, 0, 0, 0.0)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a disk that is full, gone or protected into one InputError."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, str(error.strerror or error)) from error


def cannot_write(folder: Path, reason: str) -> InputError:
    """Return the error for a dataset that cannot be written."""
    return InputError(
        f"it cannot be written to ({reason})",
        expected="a folder on a disk with room",
        remedy="Make room and run the same again: what is finished is kept.",
        path=folder,
    )
