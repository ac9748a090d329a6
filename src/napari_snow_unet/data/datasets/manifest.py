"""The table of a prepared dataset: a row per tile.

``manifest.csv`` is replaced as a whole, never edited in place. A journal next to it holds one line
for each tile finished since then, so that nothing is lost if the program is killed.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.files import write_table
from napari_snow_unet.base.shown import Shown
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.dataset_info import INFO
from napari_snow_unet.data.datasets.splits import SUBSETS, UNUSED

MANIFEST = "manifest.csv"
JOURNAL = ".manifest.journal"


@dataclass(frozen=True, repr=False)
class Tile(Shown):
    """One pair of a prepared dataset: a row of ``manifest.csv``."""

    index: int  # number in the names of its files
    image: str  # path relative to the dataset, with forward slashes; so is `mask`
    mask: str
    name: str  # original name, unique in the dataset
    source_image: str  # folder or archive, then the path in it
    source_mask: str
    height: int  # pixels
    width: int
    nuclei: int  # number of ids in the mask
    foreground: float  # fraction of nucleus pixels, 0..1
    split: str = UNUSED  # train, val, test or unused
    fold: int | None = None
    um_per_px: float | None = None
    note: str = ""  # changes and assumptions made when it was read
    image_bytes: int = 0
    mask_bytes: int = 0
    image_sha256: str = ""
    mask_sha256: str = ""
    # sizes and checksums or times of the sources, to notice changes
    source_state: str = ""
    # Where the mask came from, see `truth_origin`: drawn, prediction, or empty if unknown.
    truth: str = ""
    truth_model: str = ""  # whose prediction it began as
    truth_model_sha256: str = ""  # checksum of its weights
    truth_edits: str = ""  # how many nuclei were added, deleted and so on
    draw_without_prediction: str = ""  # yes: a prediction must not be the start of its mask
    extra: dict[str, str] = field(default_factory=dict)  # user-added columns of the table

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return f"{self.image}, {self.height} x {self.width}, {self.nuclei:,} nuclei, {self.split}"


COLUMNS = tuple(column.name for column in fields(Tile) if column.name != "extra")
YES = "yes"
#: Columns that are left out of a table in which all their cells are empty.
_RARE = {"fold", *(name for name in COLUMNS if "truth" in name), "draw_without_prediction"}
_NUMBERS: dict[str, type[int] | type[float]] = {
    **dict.fromkeys(("height", "width", "nuclei", "image_bytes", "mask_bytes"), int),
    "foreground": float,
}
_OPTIONAL: dict[str, type[int] | type[float]] = {"fold": int, "um_per_px": float}
_NEEDED = {"index", "image", "mask", "name", "split"}
_LONGEST_HEADER = 100_000


def is_dataset(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder is a prepared dataset, finished or not; never raises.

    A ``manifest.csv`` with other columns belongs to something else.
    """
    if (Path(folder) / INFO).is_file():
        return True
    return not _lacking(Path(folder))


def _lacking(folder: Path) -> set[str]:
    """Return the required columns that a folder's table lacks."""
    try:
        with (folder / MANIFEST).open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline(_LONGEST_HEADER)
    except OSError:
        return _NEEDED
    return _NEEDED - set(next(csv.reader([header]), []))


def _why_no_dataset(folder: Path) -> Message:
    if not folder.is_dir():
        return messages.NO_FOLDER
    if not (folder / MANIFEST).is_file():
        return messages.NO_MANIFEST
    return messages.foreign_manifest(tuple(sorted(_lacking(folder))))


def read_manifest(folder: str | os.PathLike[str]) -> list[Tile]:
    """Read a dataset's tiles by index, including those of an interrupted preparation."""
    folder = Path(folder)
    if not is_dataset(folder):
        raise InputError(_why_no_dataset(folder), path=folder)
    tiles = {tile.index: tile for tile in _rows(folder / MANIFEST)}
    tiles |= {tile.index: tile for tile in _journal(folder / JOURNAL)}
    return [tiles[index] for index in sorted(tiles)]


def write_manifest(folder: Path, tiles: Iterable[Tile]) -> None:
    """Replace the table of a dataset and empty its journal."""
    rows = sorted(tiles, key=lambda tile: tile.index)
    extras = dict.fromkeys(name for tile in rows for name in tile.extra)
    filled = {name for name in _RARE if any(getattr(t, name) not in (None, "") for t in rows)}
    columns = [name for name in COLUMNS if name not in _RARE or name in filled]
    cells = (
        [*(getattr(tile, name) for name in columns), *(tile.extra.get(name) for name in extras)]
        for tile in rows
    )
    write_table(folder / MANIFEST, [[*columns, *extras], *cells], overwrite=True)
    (folder / JOURNAL).unlink(missing_ok=True)


def append_to_journal(folder: Path, tile: Tile) -> None:
    """Record a finished tile, so that it survives if the program is killed now."""
    with (folder / JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(tile)) + "\n")


def subset_images(folder: str | os.PathLike[str], subset: str) -> list[Path]:
    """Return the images of one subset by index; InputError if it is empty."""
    return [image for image, _ in subset_pairs(folder, subset)]


def subset_pairs(folder: str | os.PathLike[str], subset: str) -> list[tuple[Path, Path]]:
    """Return the images and masks of one subset by index; InputError if it is empty."""
    tiles, folder = read_manifest(folder), Path(folder)
    pairs = [(folder / tile.image, folder / tile.mask) for tile in tiles if tile.split == subset]
    if not pairs:
        others = tuple(sorted({tile.split for tile in tiles}))
        raise InputError(messages.empty_subset(subset, others), path=folder / MANIFEST)
    return pairs


def subset_counts(tiles: Iterable[Tile]) -> dict[str, int]:
    """Count the tiles of train, val, test and unused."""
    counts = dict.fromkeys((*reversed(SUBSETS), UNUSED), 0)
    for tile in tiles:
        counts[tile.split] = counts.get(tile.split, 0) + 1
    return counts


def _rows(path: Path) -> Iterator[Tile]:
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        try:
            missing = _NEEDED - set(reader.fieldnames or ())
            tiles = [] if missing else [_tile(row) for row in reader]
        except (ValueError, TypeError, csv.Error) as error:
            problem = messages.damaged_row(reader.line_num, str(error))
            raise InputError(problem, path=path) from None
    if missing:
        raise InputError(messages.missing_columns(tuple(sorted(missing))), path=path)
    yield from tiles


def _tile(row: dict[str, Any]) -> Tile:
    values: dict[str, Any] = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    values |= {name: kind(values.get(name) or 0) for name, kind in _NUMBERS.items()}
    values["index"] = int(row["index"])
    for name, kind in _OPTIONAL.items():
        values[name] = kind(values[name]) if values.get(name) else None
    extra = {name: text for name, text in row.items() if name not in COLUMNS and name}
    return _checked(Tile(**values, extra=extra))


def _checked(tile: Tile) -> Tile:
    """Refuse a row whose files are outside the dataset."""
    for file in (tile.image, tile.mask):
        path = PurePosixPath(file)
        if not file or path.is_absolute() or ".." in path.parts or ":" in file or "\\" in file:
            raise ValueError(f"{file!r} is not a path in the dataset")
    return tile


def _journal(path: Path) -> Iterator[Tile]:
    """Yield the tiles of the journal; lines cut short are skipped."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = _checked(Tile(**json.loads(line)))
            # Parsed like a row of the table, so that every value has its type.
            row = {
                name: "" if value is None else str(value) for name, value in asdict(entry).items()
            }
            yield replace(_tile(row), extra={str(k): str(v) for k, v in entry.extra.items()})
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
