"""Add one tile to a dataset: an image and its ground truth, such as corrected labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.locks import folder_locked
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, write_info
from napari_snow_unet.data.datasets.divide import subset_of_new
from napari_snow_unet.data.datasets.manifest import (
    YES,
    Tile,
    is_dataset,
    read_manifest,
    write_manifest,
)
from napari_snow_unet.data.datasets.prepare.ledger import writing
from napari_snow_unet.data.datasets.prepare.messages import OUTSIDE_REGION
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions, dataset_info_of
from napari_snow_unet.data.datasets.prepare.tiles import TileFiles, TilePixels, TilePng, encoded
from napari_snow_unet.data.datasets.tile_arrays import sixteen_bit, tile_image
from napari_snow_unet.data.datasets.truth_origin import (
    UNEDITED,
    EditedNucleus,
    TruthOrigin,
    edits_in_words,
    is_to_be_drawn,
    tiles_by_mask,
)
from napari_snow_unet.data.datasets.white_value import range_of
from napari_snow_unet.data.formats.messages import region_counts
from napari_snow_unet.data.pixels.images import ImageFile, read_image
from napari_snow_unet.data.pixels.png import encode

CORRECTIONS = "corrections"  # folder of tables: which nuclei of a prediction were edited
EVALUATED = ("val", "test")  # subsets that scores are computed on
_PHYSICAL_SIZE = 21  # bytes of the chunk of a PNG that states the pixel size


@dataclass(frozen=True, eq=False)
class NewTile:
    """An image with its ground truth.

    Attributes
    ----------
    name : str
        Of the image, such as that of its file without suffix.
    image : ImageFile
        One plane, grey or RGB.
    labels : ndarray of int, shape (Y, X)
        0 is background, every other number a nucleus.
    region : ndarray of bool, shape (Y, X), optional
        The annotated part; the rest is ignored in training and scores. None is all of it.
    origin : TruthOrigin
        Where the labels came from.
    edits : sequence of EditedNucleus, optional
        What was edited in the prediction; None if that is unknown.
    """

    name: str
    image: ImageFile
    labels: npt.NDArray[np.int32]
    region: npt.NDArray[np.bool_] | None = None
    origin: TruthOrigin = field(default_factory=TruthOrigin)
    edits: Sequence[EditedNucleus] | None = None


@dataclass(frozen=True)
class AddedTile:
    """A tile that was added to a dataset.

    Attributes
    ----------
    folder : Path
        The dataset.
    tile : Tile
        Its row of the table: ``index``, ``name``, ``split``, paths of the copies, and others.
    tiles : int
        Number of tiles in the dataset.
    replaced : bool
        Whether an earlier tile of the same image was replaced.
    """

    folder: Path
    tile: Tile
    tiles: int
    replaced: bool

    def text(self) -> str:
        """Say what was copied and where, its subset, and what scores on it are worth."""
        tile, origin = self.tile, TruthOrigin.of_tile(self.tile)
        texts = [
            messages.added(self.folder, tile.image, tile.mask),
            messages.subset_of_added(tile.split, self.tiles),
        ]
        if origin.began == "prediction" and tile.truth_edits == UNEDITED:
            texts.append(messages.UNEDITED)
        if origin.began == "prediction" and tile.split in EVALUATED:
            texts.append(messages.favours(origin.model))
        return " ".join(texts)


@dataclass(frozen=True)
class Standing:
    """What a dataset has of an image, or would do with it."""

    tile: Tile | None  # of the same name
    subset: str  # that the image is in, or comes into


def standing(folder: Path, name: str) -> Standing:
    """Return what a dataset has of an image, by name alone, or would do with it."""
    info = dataset_info_of(folder, PrepareOptions())
    tiles = list(tiles_by_mask(folder).values())
    tile = next((tile for tile in tiles if tile.name == name), None)
    if tile is not None:
        return Standing(tile, tile.split)
    return Standing(None, _next_row(tiles, name, info).split)


def same_tile(folder: Path, new: NewTile) -> Tile | None:
    """Return the tile of a dataset with the pixels of an image; None if there is none."""
    if not is_dataset(folder):
        return None
    info = dataset_info_of(folder, PrepareOptions())
    return _same(folder, read_manifest(folder), _pixels(new, info), new.name)


def mark_to_draw(folder: Path, name: str) -> None:
    """Mark the tiles of a name to be drawn without a prediction."""
    with folder_locked(folder), writing(folder):
        tiles = read_manifest(folder)
        marked = (replace(tile, draw_without_prediction=YES) for tile in tiles if tile.name == name)
        write_manifest(folder, {tile.index: tile for tile in (*tiles, *marked)}.values())


def add_tile(
    folder: str | os.PathLike[str],
    new: NewTile,
    *,
    replace_tile: bool = False,
    draw_without_prediction: bool | None = None,
) -> AddedTile:
    """Copy an image and its ground truth into a dataset, which is made if it does not exist.

    Parameters
    ----------
    folder : path-like
        A dataset, or a folder that is new or empty.
    new : NewTile
        The image and its ground truth.
    replace_tile : bool, default: False
        Replace the tile with the same pixels, if there is one; its subset stays.
    draw_without_prediction : bool, optional
        Mark the tile, or remove its mark. By default tiles of the validation and test subsets that
        were drawn from scratch are marked, and marks stay.

    Returns
    -------
    AddedTile
        The tile, and where it is.

    Raises
    ------
    InputError
        If the folder holds other files, the dataset has the image already, the tile is marked to be
        drawn without a prediction, image and labels do not fit, or the disk is full.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow links)
    info = dataset_info_of(folder, PrepareOptions())
    made, labels = _pixels(new, info), _labels(new)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with folder_locked(folder), writing(folder):
        tiles = read_manifest(folder) if is_dataset(folder) else []
        before = _same(folder, tiles, made, new.name)
        if before is not None and not replace_tile:
            raise InputError(messages.TILE_EXISTS, path=folder / before.image)
        row = _next_row(tiles, new.name, info) if before is None else before
        row = replace(new.origin.row(row), source_mask=row.name)
        row = _marked(row, before, draw_without_prediction)
        if new.edits is not None:
            row = replace(
                row, truth_edits=edits_in_words(Counter(edit.change for edit in new.edits))
            )
        png = TilePng(encode(made.pixels, made.um_per_px), labels.shape, made.um_per_px)
        notes = () if new.region is None else (region_counts(float(new.region.mean())),)
        files = TileFiles.of(row.index, info.shard)
        row, contents = encoded(
            row,
            TilePixels(replace(png, notes=made.notes), labels, new.region, notes),
            files.region,
            binary=info.masks == "binary",
        )
        table = files.region.replace("regions", CORRECTIONS, 1).replace(".png", ".csv")
        if new.edits is not None:
            contents[table] = _table(new.edits)
        if not is_dataset(folder) or made.white != info.white:
            write_info(folder, replace(info, white=made.white))
        _write(folder, contents)
        for stale in {files.region, table} - set(contents):
            (folder / stale).unlink(missing_ok=True)
        kept = [tile for tile in tiles if tile.index != row.index]
        write_manifest(folder, [*kept, row])
    return AddedTile(folder, row, len(kept) + 1, before is not None)


@dataclass(frozen=True, eq=False)
class _Pixels:
    """An image as the dataset stores it."""

    pixels: npt.NDArray[np.uint8]
    um_per_px: float | None
    notes: tuple[str, ...]
    white: dict[str, float]  # of the dataset, with that of a type of image that is new to it


def _pixels(new: NewTile, info: DatasetInfo) -> _Pixels:
    tile, dtype = tile_image(new.image, info.white), new.image.array.dtype.name
    white = dict(info.white)
    if dtype not in ("bool", "uint8"):
        white.setdefault(dtype, range_of(new.image, info.white).white)
    return _Pixels(tile.pixels, new.image.pixel_size_um or info.um_per_px, tile.notes, white)


def _labels(new: NewTile) -> npt.NDArray[np.int32]:
    """Return the labels for 16 bits; refuse those that do not fit the image."""
    size = new.image.array.shape[:2]
    for array in (new.labels, *([] if new.region is None else [new.region])):
        if array.shape != size:
            raise InputError(messages.sizes_differ(array.shape, size))
    if new.region is not None and not new.region.any():
        raise InputError(OUTSIDE_REGION)
    return sixteen_bit(new.labels.astype(np.int32, copy=False))[0]


def _next_row(tiles: Sequence[Tile], name: str, info: DatasetInfo) -> Tile:
    """Return the row of one more tile, with its number, name and subset."""
    index = max((tile.index for tile in tiles), default=-1) + 1
    files, taken = TileFiles.of(index, info.shard), {tile.name for tile in tiles}
    names = (name, *(f"{name} [{number}]" for number in range(1, len(tiles) + 1)))
    name = next(free for free in names if free not in taken)
    row = Tile(index, files.image, files.mask, name, name, name, 0, 0, 0, 0.0)
    split, fold = subset_of_new(tiles, row, info.split)
    return replace(row, split=split, fold=fold)


def _same(folder: Path, tiles: Sequence[Tile], made: _Pixels, name: str) -> Tile | None:
    """Find the tile with the same pixels among those of this name or number of bytes."""
    size, content = made.pixels.shape[:2], encode(made.pixels)
    sizes = {len(content), len(content) + _PHYSICAL_SIZE}
    for tile in tiles:
        alike = tile.name == name or tile.image_bytes in sizes
        if alike and (tile.height, tile.width) == size:
            with suppress(InputError):  # a missing or damaged image is not the same
                if np.array_equal(read_image(folder / tile.image).array, made.pixels):
                    return tile
    return None


def _marked(row: Tile, before: Tile | None, wanted: bool | None) -> Tile:
    """Return the row with or without the mark; refuse a prediction for a marked tile."""
    if wanted is None:
        wanted = before is not None and is_to_be_drawn(before)
        wanted |= row.truth == "drawn" and row.split in EVALUATED
    if wanted and row.truth == "prediction":
        raise InputError(messages.TO_BE_DRAWN, path=row.image)
    return replace(row, draw_without_prediction=YES if wanted else "")


def _table(edits: Sequence[EditedNucleus]) -> bytes:
    lines = [",".join(EditedNucleus._fields)]
    lines += [f"{edit.change},{edit.nucleus},{edit.y:.1f},{edit.x:.1f}" for edit in edits]
    return ("\n".join(lines) + "\n").encode()


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    """Write all files under temporary names before the first gets its own."""
    with ExitStack() as stack:
        for file, content in contents.items():
            temporary = stack.enter_context(written_whole(folder / file, overwrite=True))
            temporary.write_bytes(content)
