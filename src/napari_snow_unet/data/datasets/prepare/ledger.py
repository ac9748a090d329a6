"""The record of prepared tiles, kept on disk from tile to tile."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import Died
from napari_snow_unet.base.shown import Shown, paragraph, table
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, write_info
from napari_snow_unet.data.datasets.divide import repeated_images
from napari_snow_unet.data.datasets.manifest import (
    Tile,
    append_to_journal,
    subset_counts,
    write_manifest,
)
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.prepare.kept import kept_table
from napari_snow_unet.data.datasets.prepare.plan import PreparationPlan
from napari_snow_unet.data.datasets.prepare.tiles import TileTask, planned_row
from napari_snow_unet.data.datasets.problems import Problem, write_problems
from napari_snow_unet.data.datasets.splits import UNUSED
from napari_snow_unet.data.masks.doubts import Cover, doubt_about_masks
from napari_snow_unet.data.names.file_names import natural_key

_SAVE_EVERY = 30.0  # seconds between two saves of the table; the journal bridges them
_TEMPORARY = ".writing-*"


@dataclass(frozen=True, repr=False)
class Prepared(Shown):
    """A prepared dataset.

    Attributes
    ----------
    folder : Path
        Its folder.
    tiles : list of Tile
        All its tiles, by index.
    new : int
        Number of tiles made by this call.
    problems : list of Problem
        Files that could not be used, in natural order of the names.
    messages : list of str
        Notes for the user.
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

    def text(self) -> str:
        """Return the number of tiles, and of those in each subset, as a sentence."""
        return messages.prepared(self.folder, len(self.tiles), self.new, self.subsets)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        failed = f"{counted(len(self.problems), 'problem')}; " if self.problems else ""
        return failed + self.text()

    def _repr_html_(self) -> str:
        problems = [(problem.name, problem.reason) for problem in self.problems]
        tables = [table(("subset", "tiles"), subset_rows(self.subsets))]
        tables += [table(("not used", "reason"), problems)] if problems else []
        return "".join([paragraph(self.text()), *tables, *map(paragraph, self.messages)])


def subset_rows(subsets: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return the number of tiles of each subset as rows of a table."""
    return [(subset, f"{tiles:,}") for subset, tiles in subsets.items()]


class Ledger:
    """Keeps the tables of a dataset up to date while tiles are made."""

    def __init__(
        self, folder: Path, info: DatasetInfo, plan: PreparationPlan, *, by_hand: bool
    ) -> None:
        self.folder, self.info, self.plan = folder, info, plan
        planned = {task.index: planned_row(task) for task in plan.tasks}
        self.kept = kept_table(plan.tiles, planned, info.split, by_hand=by_hand)
        self._made: list[Tile] = []
        self._remove_stale_files()
        write_info(folder, replace(info, divided=by_hand))
        self.save()

    def note(self, task: TileTask, result: Tile | Problem | Died) -> None:
        """Record the result of a task; OSError if the tables cannot be written."""
        if isinstance(result, Tile):
            tile = self.kept.row(result)
            self.plan.tiles[tile.index] = tile
            self._made.append(tile)
            append_to_journal(self.folder, tile)
        elif isinstance(result, Problem):
            self.plan.problems.append(result)
        else:
            self.plan.problems.append(Problem(task.image.label, of_datasets.READING_CRASHED))
        if time.monotonic() - self.saved > _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the table and the problems so far."""
        write_manifest(self.folder, self.plan.tiles.values())
        write_problems(self.folder, self._problems())
        self.saved = time.monotonic()

    def close(self) -> Prepared:
        """Split the finished dataset and write its final tables."""
        tiles = [self.plan.tiles[index] for index in sorted(self.plan.tiles)]
        files = {tile.index: tile.image for tile in tiles}
        tiles = self.kept.divided(tiles)
        self.plan.tiles.update({tile.index: tile for tile in tiles})
        self.plan.messages.extend(self.kept.notes(tiles))
        for again, first in repeated_images(tiles).items():
            if self.plan.tiles[again].split == UNUSED:
                reason = f"{of_datasets.same_image(files[first])} {of_datasets.ONLY_ONE_USED}"
                self.plan.problems.append(Problem(files[again], reason))
        self.plan.messages.extend(summarised_notes(self._made))
        self.save()
        write_info(self.folder, replace(self.info, divided=True))
        self._remove_stale_files()
        return Prepared(self.folder, tiles, len(self._made), self._problems(), self.plan.messages)

    def _problems(self) -> list[Problem]:
        return sorted(self.plan.problems, key=lambda problem: natural_key(problem.name))

    def _remove_stale_files(self) -> None:
        """Remove incomplete files of a killed program or a crashed worker process."""
        for place in (".", "images", "masks", "images/*", "masks/*"):
            for stale in self.folder.glob(f"{place}/{_TEMPORARY}"):
                stale.unlink(missing_ok=True)


def summarised_notes(tiles: Sequence[Tile]) -> list[str]:
    """Return every note once, with an example, and doubts about the masks as a whole."""
    names_of: dict[str, list[str]] = {}
    for tile in tiles:
        for note in filter(None, tile.note.split("; ")):
            names_of.setdefault(re.sub(r" \([^()]*\)$", "", note), []).append(tile.name)
    texts = [messages.noted(note, names[0], len(names)) for note, names in names_of.items()]
    doubt = doubt_about_masks([Cover(tile.foreground) for tile in tiles])
    return [*texts, *([doubt] if doubt else [])]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise an InputError if the disk is full, disconnected or write-protected."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, str(error.strerror or error)) from error


def cannot_write(folder: Path, reason: str) -> InputError:
    """Return the error for a dataset that cannot be written."""
    return InputError(messages.not_written(reason), path=folder)
