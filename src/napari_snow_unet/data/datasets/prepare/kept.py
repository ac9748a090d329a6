"""What a second `prepare` keeps of an existing dataset.

- A tile whose files are missing or damaged is made again. User-edited files are kept, and their
  row is updated.
- A tile whose source has changed is made again under its number and name. It is a problem instead
  if the tile was edited, or if the source is another file of the same name. Until the tile is made,
  or if its source cannot be read, the old one stays.
- Every other tile stays as it was made, with its pixel size and its mask.
- User-added columns of the table stay with their tile, also when it is made again.
- User-edited subsets and folds stay unless a split is chosen, and new tiles are unused. Otherwise
  all tiles are split again. While tiles are being made, ``dataset.json`` records that the table
  does not follow the split yet (`divided`), so that this is not mistaken for an edit.

Options of the dataset, such as the kind of masks, are kept by `prepare.options`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo
from napari_snow_unet.data.datasets.divide import divide
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.members import Member
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.datasets.splits import UNUSED, SplitPlan
from napari_snow_unet.data.datasets.tile_arrays import count_ids
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_header


def with_good_files(
    tiles: Sequence[Tile], folder: Path
) -> Generator[Progress, None, tuple[dict[int, Tile], list[str]]]:
    """Return the rows of undamaged tiles by index, and a message if some were edited."""
    good: dict[int, Tile] = {}
    changed = 0
    for done, tile in enumerate(tiles):
        if done % 500 == 0:
            yield Progress(done, len(tiles), messages.CHECKING_TILES)
        if _sizes(folder, tile) == (tile.image_bytes, tile.mask_bytes):
            good[tile.index] = tile
        elif again := _read_again(folder, tile):
            good[tile.index] = again
            changed += 1
    return good, [messages.edited_tiles(changed)] if changed else []


def why_it_stays(tile: Tile, image: Member, folder: Path) -> Problem | None:
    """Return why a tile whose source has changed is not made again; None if it is."""
    if _inner(tile.source_image) != _inner(image.label):
        return Problem(image.label, messages.other_source(tile.name, tile.source_image))
    corrected = tile.source_mask == tile.name  # by `datasets.adding`
    if corrected or not _is_as_written(folder, tile):
        return Problem(f"{tile.image}, {tile.mask}", messages.SOURCE_AND_TILE_CHANGED)
    return None


def about_other_pixel_size(
    staying: Iterable[Tile], sources: Collection[str], um_per_px: float | None
) -> list[str]:
    """Report how many staying tiles of these sources have another pixel size."""
    others = sum(tile.source_image in sources and tile.um_per_px != um_per_px for tile in staying)
    return [messages.other_pixel_size(others)] if others else []


def about_other_masks(staying: Collection[Tile]) -> list[str]:
    """Report how many staying tiles do not follow a new kind of masks."""
    return [messages.masks_not_read_again(len(staying))] if staying else []


def is_split_by_hand(tiles: Sequence[Tile], info: DatasetInfo) -> bool:
    """Tell whether the subsets or folds in the table were edited."""
    if not info.divided:  # `prepare` was interrupted
        return False
    divided = divide(tiles, info.split, strict=False)
    actual, expected = ([(tile.split, tile.fold) for tile in table] for table in (tiles, divided))
    return actual != expected


@dataclass(frozen=True)
class KeptTable:
    """The table while tiles are made: it keeps user-added columns and user-edited subsets."""

    before: Mapping[int, Tile]
    split: SplitPlan
    by_hand: bool
    subsets: Mapping[str, str]  # by name, as the split gives them if all tiles can be made

    def row(self, made: Tile) -> Tile:
        """Return the row of a new tile."""
        before = self.before.get(made.index)
        made = made if before is None else replace(made, extra=before.extra)
        if not self.by_hand:
            return replace(made, split=self.subsets[made.name])
        if before is None:
            return replace(made, split=UNUSED)
        return replace(made, split=before.split, fold=before.fold)

    def divided(self, tiles: Sequence[Tile]) -> list[Tile]:
        """Return all tiles of the finished table in their subsets."""
        return list(tiles) if self.by_hand else divide(tiles, self.split, strict=False)

    def notes(self, tiles: Iterable[Tile]) -> list[str]:
        """Report that new tiles are in no subset."""
        new = any(tile.index not in self.before for tile in tiles)
        return [messages.SUBSETS_KEPT] if self.by_hand and new else []


def kept_table(
    before: Mapping[int, Tile], planned: Mapping[int, Tile], split: SplitPlan, *, by_hand: bool
) -> KeptTable:
    """Split the planned dataset, so that every row has its subset from the start."""
    rows = {**before, **planned}
    divided = divide(list(rows.values()), replace(split, folds=None), strict=False)
    return KeptTable(dict(before), split, by_hand, {tile.name: tile.split for tile in divided})


def _sizes(folder: Path, tile: Tile) -> tuple[int, int] | None:
    try:
        return (folder / tile.image).stat().st_size, (folder / tile.mask).stat().st_size
    except OSError:
        return None


def _read_again(folder: Path, tile: Tile) -> Tile | None:
    """Return the row of a tile whose files were edited; None if they are damaged."""
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
