"""What a second `prepare` keeps of the dataset that is there.

- A tile whose files are gone or damaged is made again. One whose files somebody has changed stays
  as they are, and its row follows them.
- A tile whose source has changed is made again under its number and name, but neither where
  somebody has changed the tile, nor from a file that lies elsewhere and only has its name: these
  are problems. Until it is made, or if its source cannot be read now, it stays.
- Every other tile stays as it was made: with the pixel size and the masks that were right then.
- Columns that somebody has added to the table stay with their tile, also when it is made again.
- Parts and folds that somebody has changed in the table stay unless a split is asked for, and new
  tiles are in none. Otherwise all tiles are divided anew. While tiles are being made the table is
  divided in part, which ``dataset.json`` says (`divided`), so that nobody is taken to have done it.

What was chosen for a dataset, such as its kind of masks, is kept by `prepare.options`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo
from napari_snow_unet.data.datasets.divide import divide
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.members import Member
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.datasets.splits import UNUSED, SplitPlan
from napari_snow_unet.data.datasets.tile_arrays import count_ids
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_header


def with_good_files(
    tiles: Sequence[Tile], folder: Path
) -> Generator[Progress, None, tuple[dict[int, Tile], list[str]]]:
    """Return the rows of tiles whose files are whole, by index, and say how many were changed."""
    good: dict[int, Tile] = {}
    changed = 0
    for done, tile in enumerate(tiles):
        if done % 500 == 0:
            yield Progress(done, len(tiles), "looking at what is there")
        if _sizes(folder, tile) == (tile.image_bytes, tile.mask_bytes):
            good[tile.index] = tile
        elif again := _read_again(folder, tile):
            good[tile.index] = again
            changed += 1
    if not changed:
        return good, []
    were, are = ("was", "is") if changed == 1 else ("were", "are")
    said = f"{counted(changed, 'tile')} {were} changed by somebody since, and {are} kept so."
    return good, [said]


def why_it_stays(tile: Tile, image: Member, folder: Path) -> Problem | None:
    """Say why a tile whose source has changed is not made again; None if it is."""
    if _inner(tile.source_image) != _inner(image.label):
        return Problem(image.label, f"the dataset has a {tile.name} from {tile.source_image}.")
    if not _is_as_written(folder, tile):
        reason = "its source has changed, but so has the tile. Delete it to make it anew."
        return Problem(f"{tile.image}, {tile.mask}", reason)
    return None


def of_other_pixel_size(
    staying: Iterable[Tile], sources: Collection[str], um_per_px: float | None
) -> list[str]:
    """Say how many tiles that stay, of the source images named, have not the size given now."""
    others = sum(tile.source_image in sources and tile.um_per_px != um_per_px for tile in staying)
    text = (
        f"{others} tiles that are there keep the pixel size they have; prepare into another folder "
        "to give them this one."
    )
    return [text] if others else []


def of_other_masks(staying: Collection[Tile]) -> list[str]:
    """Say how many tiles stay whose masks were read before somebody said what masks are."""
    text = (
        f"{len(staying)} tiles that are there keep the masks they have; prepare into another "
        "folder to read these anew."
    )
    return [text] if staying else []


def is_divided_by_hand(tiles: Sequence[Tile], info: DatasetInfo) -> bool:
    """Tell whether somebody has changed the parts or folds in the table of a dataset."""
    if not info.divided:  # a program that made tiles was stopped
        return False
    divided = divide(tiles, info.split, strict=False)
    found, expected = ([(tile.split, tile.fold) for tile in table] for table in (tiles, divided))
    return found != expected


@dataclass(frozen=True)
class KeptTable:
    """What stays in a table while its tiles are made: columns of others, parts set by hand."""

    before: Mapping[int, Tile]
    split: SplitPlan
    by_hand: bool
    parts: Mapping[str, str]  # by name, as the split gives them when all tiles can be made

    def row(self, made: Tile) -> Tile:
        """Return a tile that has just been made as the table is to have it."""
        before = self.before.get(made.index)
        made = made if before is None else replace(made, extra=before.extra)
        if not self.by_hand:
            return replace(made, split=self.parts[made.name])
        if before is None:
            return replace(made, split=UNUSED)
        return replace(made, split=before.split, fold=before.fold)

    def divided(self, tiles: Sequence[Tile]) -> list[Tile]:
        """Return all tiles of the table that has become of it, in their parts."""
        return list(tiles) if self.by_hand else divide(tiles, self.split, strict=False)

    def said(self, tiles: Iterable[Tile]) -> list[str]:
        """Say that new tiles are in no part."""
        text = (
            "Somebody has changed the parts since: they stay as they are, and new tiles are in "
            "none. Divide it anew to change that."
        )
        new = any(tile.index not in self.before for tile in tiles)
        return [text] if self.by_hand and new else []


def kept_table(
    before: Mapping[int, Tile], planned: Mapping[int, Tile], split: SplitPlan, *, by_hand: bool
) -> KeptTable:
    """Divide the dataset as it is planned, so that a row has its part from the start."""
    rows = {**before, **planned}
    divided = divide(list(rows.values()), replace(split, folds=None), strict=False)
    return KeptTable(dict(before), split, by_hand, {tile.name: tile.split for tile in divided})


def _sizes(folder: Path, tile: Tile) -> tuple[int, int] | None:
    try:
        return (folder / tile.image).stat().st_size, (folder / tile.mask).stat().st_size
    except OSError:
        return None


def _read_again(folder: Path, tile: Tile) -> Tile | None:
    """Return the row of a tile with other files than it was made with; None if they are bad."""
    image, mask = folder / tile.image, folder / tile.mask
    try:
        labels = read_labels(mask)
        if read_header(image).size != labels.shape or labels.shape != (tile.height, tile.width):
            return None
    except InputError:
        return None
    return replace(
        tile,
        nuclei=count_ids(labels),
        foreground=round(float(np.count_nonzero(labels) / labels.size), 6),
        image_bytes=image.stat().st_size,
        mask_bytes=mask.stat().st_size,
        image_sha256=_sha256(image),
        mask_sha256=_sha256(mask),
    )


def _is_as_written(folder: Path, tile: Tile) -> bool:
    pairs = ((tile.image, tile.image_sha256), (tile.mask, tile.mask_sha256))
    return all(_sha256(folder / file) == checksum for file, checksum in pairs)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _inner(label: str) -> str:
    """Return a source's path without the name of its folder or archive."""
    return label.partition("/")[2]
