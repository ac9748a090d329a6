"""The training and validation tiles of a dataset."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.dataset_info import masks_in, read_info
from napari_snow_unet.data.datasets.manifest import MANIFEST, Tile, is_dataset, read_manifest
from napari_snow_unet.data.datasets.messages import corrected
from napari_snow_unet.data.datasets.splits import (
    UNUSED,
    SplitPlan,
    are_divided,
    assign_by_folders,
    assign_subsets,
    groups_of,
)
from napari_snow_unet.data.datasets.truth_origin import TruthOrigin
from napari_snow_unet.data.datasets.white_value import white_of_images
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.pairs.folder import require_pairs
from napari_snow_unet.data.pairs.unread_files import passed_over
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.tiles import (
    TrainingSet,
    TrainingTile,
    checked,
    region_file_of,
    tile_of,
)

WEIGHT, HEAVIEST = "weight", 1000.0
_PREFIX = "^([^_]+)_"  # of a name: often the patient or slide
_FEW_GROUPS = 3  # validation on fewer says little about other patients


def open_training_set(
    folder: str | os.PathLike[str],
    *,
    validation_fraction: float = 0.1,
    seed: int = 0,
    fold: int | None = None,
    masks_are: MasksAre | None = None,
) -> TrainingSet:
    """Find the tiles of a dataset and split them into training and validation.

    The split is that of a manifest of this package, or of folders called train, val and test, else
    random by the seed. With a fold, that one validates; all others, and training tiles without a
    fold, are trained on.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise InputError(messages.NO_DATASET_FOLDER, path=folder)
    if is_dataset(folder):
        return _prepared(folder, read_manifest(folder), fold)
    if fold is not None:
        raise InputError(messages.NO_FOLDS, path=folder)
    return _plain(folder, validation_fraction, seed, masks_are)


def folds_of(folder: str | os.PathLike[str]) -> list[int]:
    """List the folds of a prepared dataset; refuse one with fewer than two."""
    folder = Path(folder).resolve()
    rows = read_manifest(folder) if is_dataset(folder) else []
    folds = sorted({row.fold for row in rows if row.fold is not None})
    if len(folds) < 2:
        raise InputError(messages.too_few_folds(len(folds)), path=folder)
    return folds


def _prepared(folder: Path, rows: Sequence[Tile], fold: int | None) -> TrainingSet:
    subsets: dict[str, list[TrainingTile]] = {"train": [], "val": []}
    sources: dict[str, list[str]] = {"train": [], "val": []}
    masks_are, info = masks_in(folder), read_info(folder)
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
                TruthOrigin.of_tile(row).named_model,
            )
            subsets[subset].append(tile)
            sources[subset].append(row.source_image if info.split.group_by else row.name)
    for subset, tiles in subsets.items():
        if not tiles:
            raise _empty_subset(folder, rows, subset, fold)
    train, validation = subsets["train"], subsets["val"]
    notes = [
        messages.subsets_of_manifest(len(train), len(validation), fold),
        *_doubt_about_groups(sources["train"], sources["val"], info.split.group_by),
    ]
    training_set = checked(folder, train, validation, notes)
    notes += corrected_tiles(training_set)
    return replace(training_set, white=info.white, notes=tuple(notes))


def corrected_tiles(tiles: TrainingSet) -> list[str]:
    """Say how many masks began as predictions, of which models; nothing if none did."""
    count, models = sum(tiles.corrected.values()), tuple(tiles.corrected)
    every = len(tiles.train) + len(tiles.validation)
    return [corrected(count, every, models)] if count else []


def _empty_subset(folder: Path, rows: Sequence[Tile], subset: str, fold: int | None) -> InputError:
    """Return the refusal of a dataset without training or validation tiles."""
    folds = sorted({row.fold for row in rows if row.fold is not None})
    if fold is not None:
        message = messages.no_such_fold(fold, tuple(folds))
    else:
        message = messages.empty_subset(subset, len(rows))
    return InputError(message, path=folder / MANIFEST)


def _doubt_about_groups(
    train: Sequence[str], validation: Sequence[str], pattern: str | None
) -> list[str]:
    """Return a doubt if the validation tiles come from few patients or groups.

    A group is what `pattern` matches in a name, else the part before the first underscore. If a
    name has no such part, or all have the same one, every tile is a group of its own.
    """
    names = [*train, *validation]
    try:
        groups = groups_of(names, pattern or _PREFIX)
    except InputError:
        groups = names
    if pattern is None and len(set(groups)) == 1:
        groups = names
    number = len(set(groups[len(train) :]))
    return [messages.few_groups(number)] if number < _FEW_GROUPS else []


def _weight(folder: Path, row: Tile) -> float:
    text = row.extra.get(WEIGHT, "").strip()
    try:
        weight = float(text) if text else 1.0
    except ValueError:
        weight = math.nan
    if not 0 < weight <= HEAVIEST:
        raise InputError(messages.bad_weight(text, row.name, HEAVIEST), path=folder / MANIFEST)
    return weight


def _plain(folder: Path, fraction: float, seed: int, masks_are: MasksAre | None) -> TrainingSet:
    notes = []
    if (folder / MANIFEST).exists():
        notes.append(messages.foreign_manifest(MANIFEST))
    pairs = require_pairs(folder)
    notes += [*pairs.notes, *passed_over(pairs.unread)]
    if pairs.orphans:
        example = _inner(folder, pairs.orphans[0])
        notes.append(messages.left_out(len(pairs.orphans), example, pairs.reasons[0]))
    if len(pairs.images) < 2:
        raise InputError(messages.ONE_PAIR, path=folder)
    tiles = [
        replace(tile_of(folder, name, image, mask), masks_are=masks_are)
        for name, image, mask in zip(pairs.names, pairs.images, pairs.masks, strict=True)
    ]
    train, validation, division = _divided(tiles, pairs.subsets, fraction, seed)
    if not train or not validation:
        lacking = "val" if train else "train"
        raise InputError(messages.empty_folder_subset(lacking, division), path=folder)
    white, remarks = white_of_images(
        (tile.image.suffix, partial(Path, tile.image)) for tile in tiles
    )
    notes += [*remarks, division]
    notes += _doubt_about_groups(
        [tile.name for tile in train], [tile.name for tile in validation], None
    )
    return replace(checked(folder, train, validation, notes), white=white)


def _divided(
    tiles: list[TrainingTile], named: Sequence[str], fraction: float, seed: int
) -> tuple[list[TrainingTile], list[TrainingTile], str]:
    """Split tiles by their folders train and val or test, else by the seed."""
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
        how = "by the folders train and val"
        if "val" not in named:
            how = f"validation drawn from the folder train, seed {seed}"
    sizes = len(train), len(validation), len(test), len(unused)
    return train, validation, messages.subsets_of_folder(*sizes, how)


def _inner(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
