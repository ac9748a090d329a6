"""From the folder of a dataset to the tiles that train and validate."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets.dataset_info import masks_in, read_info
from napari_snow_unet.data.datasets.manifest import MANIFEST, Tile, is_dataset, read_manifest
from napari_snow_unet.data.datasets.splits import (
    UNUSED,
    SplitPlan,
    are_divided,
    assign_by_folders,
    assign_subsets,
)
from napari_snow_unet.data.datasets.white_value import white_of_images
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.pairs.folder import require_pairs
from napari_snow_unet.data.pairs.unread_files import passed_over
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.unet.runs.tiles import (
    TrainingSet,
    TrainingTile,
    checked,
    region_file_of,
    tile_of,
    unusable,
)

WEIGHT, HEAVIEST = "weight", 1000.0


def open_training_set(
    folder: str | os.PathLike[str],
    *,
    validation_fraction: float = 0.1,
    seed: int = 0,
    fold: int | None = None,
    masks_are: MasksAre | None = None,
) -> TrainingSet:
    """Find the tiles of a dataset and divide them into training and validation.

    A manifest of this package or folders called train, val and test divide them, else a fraction
    by the seed. All folds but one train, and so do training tiles that are in no fold.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise unusable(folder, "there is no such folder")
    if is_dataset(folder):
        return _prepared(folder, read_manifest(folder), fold)
    if fold is not None:
        raise InputError(
            "a fold of a dataset without folds",
            expected=f"a prepared dataset with a column 'fold' in {MANIFEST}",
            remedy="Prepare it, and deal its tiles into folds.",
            helps=("folds",),
            path=folder,
        )
    return _plain(folder, validation_fraction, seed, masks_are)


def folds_of(folder: str | os.PathLike[str]) -> list[int]:
    """List the folds of a prepared dataset; refuse one that has none."""
    folder = Path(folder).resolve()
    rows = read_manifest(folder) if is_dataset(folder) else []
    folds = sorted({row.fold for row in rows if row.fold is not None})
    if len(folds) < 2:
        raise InputError(
            f"a dataset with {len(folds)} folds",
            expected=f"a prepared dataset with at least two folds in {MANIFEST}",
            remedy="Deal its tiles into folds.",
            helps=("folds",),
            path=folder,
        )
    return folds


def _prepared(folder: Path, rows: Sequence[Tile], fold: int | None) -> TrainingSet:
    subsets: dict[str, list[TrainingTile]] = {"train": [], "val": []}
    masks_are = masks_in(folder)
    for row in rows:
        subset = row.split
        if fold is not None and row.fold is not None:
            subset = "val" if row.fold == fold else "train"
        elif fold is not None and subset != "train":
            subset = "unused"
        if subset in subsets:
            image = folder / row.image
            tile = TrainingTile(
                row.name,
                image,
                folder / row.mask,
                region_file_of(folder, image),
                row.height,
                row.width,
                check_pixel_size(row.um_per_px, folder / MANIFEST),
                _weight(folder, row),
                masks_are,
            )
            subsets[subset].append(tile)
    division = f"fold {fold}" if fold is not None else "the split"
    for subset, tiles in subsets.items():
        if not tiles:
            raise _empty_subset(folder, rows, subset, fold)
    note = f"{len(subsets['train'])} tiles train and {len(subsets['val'])} validate, by {division} "
    found = checked(folder, subsets["train"], subsets["val"], [note + f"in {MANIFEST}."])
    return replace(found, white=read_info(folder).white)


def _empty_subset(folder: Path, rows: Sequence[Tile], subset: str, fold: int | None) -> InputError:
    """Return the refusal of a dataset without tiles to train on or to validate with."""
    what = f"no tile to {'train on' if subset == 'train' else 'validate with'}"
    folds = sorted({row.fold for row in rows if row.fold is not None})
    helps: tuple[str, ...] = ()
    if fold is not None:
        received, remedy = f"{what} in fold {fold}", f"The folds are {', '.join(map(str, folds))}."
        expected = "a fold of the manifest"
    else:
        received, expected = f"{what} in the split", "tiles for training and for validation"
        number = len(rows) - 1
        remedy = f"Divide it anew, for example {number} to train on and 1 to validate with."
        helps = ("split_dataset",)
        if number < 1:
            remedy, helps = "Cut the tile into several, or add others.", ()
    return InputError(
        received, expected=expected, remedy=remedy, path=folder / MANIFEST, helps=helps
    )


def _weight(folder: Path, row: Tile) -> float:
    said = row.extra.get(WEIGHT, "").strip()
    try:
        weight = float(said) if said else 1.0
    except ValueError:
        weight = math.nan
    if not 0 < weight <= HEAVIEST:
        raise InputError(
            f"a {WEIGHT} of {said!r} for {row.name}",
            expected=f"a number above 0, at most {HEAVIEST:g}",
            remedy="Correct this column, or take it out.",
            path=folder / MANIFEST,
        )
    return weight


def _plain(folder: Path, fraction: float, seed: int, masks_are: MasksAre | None) -> TrainingSet:
    notes = []
    if (folder / MANIFEST).exists():
        notes.append(f"{MANIFEST} is not of this package and is ignored.")
    pairs = require_pairs(folder)
    notes += [*pairs.notes, *passed_over(pairs.unread)]
    if pairs.orphans:
        count = counted(len(pairs.orphans), "file")
        left = _inner(folder, pairs.orphans[0])
        notes.append(f"{count} left out, such as {left}: {pairs.reasons[0]}")
    if len(pairs.images) < 2:
        raise InputError(
            "one pair of an image and a mask",
            expected="at least two: one to train on, one to validate with",
            remedy="Cut the image and its mask into several tiles, or add others.",
            path=folder,
        )
    tiles = [
        replace(tile_of(folder, name, image, mask), masks_are=masks_are)
        for name, image, mask in zip(pairs.names, pairs.images, pairs.masks, strict=True)
    ]
    train, validation, division = _divided(tiles, pairs.subsets, fraction, seed)
    if not train or not validation:
        lacking = "validate with" if train else "train on"
        raise unusable(folder, f"no tile to {lacking}: {division}")
    white, said = white_of_images((tile.image.suffix, partial(Path, tile.image)) for tile in tiles)
    found = checked(folder, train, validation, [*notes, *said, division])
    return replace(found, white=white)


def _divided(
    tiles: list[TrainingTile], named: Sequence[str], fraction: float, seed: int
) -> tuple[list[TrainingTile], list[TrainingTile], str]:
    """Divide tiles as their folders say, train and val or test; else by the seed."""
    names = [tile.name for tile in tiles]
    own = are_divided(named)
    if own:
        subsets = assign_by_folders(names, named, seed, fraction)
    else:
        number = min(max(round(fraction * len(tiles)), 1), len(tiles) - 1)
        subsets = assign_subsets(names, SplitPlan(train=len(tiles) - number, val=number, seed=seed))
    train, validation, test, unused = (
        [tile for tile, subset in zip(tiles, subsets, strict=True) if subset == wanted]
        for wanted in ("train", "val", "test", UNUSED)
    )
    how = f"random split, seed {seed}"
    if own:
        how = "as the folders train and val say"
        if "val" not in named:
            how = f"validation drawn from the folder train, seed {seed}"
    sizes = (
        counted(len(train), "training tile"),
        counted(len(validation), "validation tile"),
    )
    others = [f" {counted(len(test), 'tile')} in the folder test not used."] if test else []
    others += [f" {counted(len(unused), 'tile')} in neither of them not used."] if unused else []
    return train, validation, f"{sizes[0]} and {sizes[1]} ({how})." + "".join(others)


def _inner(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
