"""Split a prepared dataset into subsets and folds; only its tables change."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_snow_unet.base.locks import folder_locked
from napari_snow_unet.data.datasets.dataset_info import read_info, write_info
from napari_snow_unet.data.datasets.folds import assign_folds
from napari_snow_unet.data.datasets.manifest import (
    Tile,
    read_manifest,
    subset_counts,
    write_manifest,
)
from napari_snow_unet.data.datasets.splits import (
    SUBSETS,
    UNUSED,
    SplitPlan,
    assign_by_folders,
    assign_subsets,
    groups_of,
    subset_sizes,
)
from napari_snow_unet.data.names.folder_names import subset_of_file


def divide(tiles: Sequence[Tile], plan: SplitPlan, *, strict: bool = True) -> list[Tile]:
    """Assign every tile to a subset and, if the plan has folds, to a fold.

    Of tiles with the same image only the first is used, so that no image is in two subsets.
    """
    repeats = repeated_images(tiles)
    usable = [tile for tile in tiles if tile.index not in repeats]
    names = [tile.name for tile in usable]
    groups = None
    if plan.group_by is not None:
        groups = groups_of([tile.source_image for tile in usable], plan.group_by)
    if plan.folders:
        named = [subset_of_file(tile.source_image) for tile in usable]
        subsets = assign_by_folders(names, named, plan.seed)
    else:
        subsets = assign_subsets(names, plan, groups, strict=strict)
    subset_of = dict(zip(names, subsets, strict=True))
    fold_of: dict[str, int] = {}
    if plan.folds is not None:
        kept = [number for number, subset in enumerate(subsets) if subset in ("train", "val")]
        names = [names[number] for number in kept]
        groups = None if groups is None else [groups[number] for number in kept]
        fold_of = dict(zip(names, assign_folds(names, plan, groups), strict=True))
    return [
        replace(
            tile,
            split=UNUSED if tile.index in repeats else subset_of[tile.name],
            fold=None if tile.index in repeats else fold_of.get(tile.name),
        )
        for tile in tiles
    ]


def subset_of_new(tiles: Sequence[Tile], new: Tile, plan: SplitPlan) -> tuple[str, int | None]:
    """Return the subset and fold of one more tile; those of the others do not change.

    It joins the tiles of its group. Else it goes to the subset that lacks most of what the plan
    gives it, and to training if none lacks any: it is added to be used.
    """
    tiles = [tile for tile in tiles if tile.split in SUBSETS]
    if plan.group_by is not None:
        *groups, own = groups_of(
            [*(tile.source_image for tile in tiles), new.source_image], plan.group_by
        )
        for tile, group in zip(tiles, groups, strict=True):
            if group == own:
                return tile.split, tile.fold
    sizes, counts = subset_sizes(plan, len(tiles) + 1, strict=False), subset_counts(tiles)
    lacking = {subset: sizes[subset] - counts[subset] for subset in reversed(SUBSETS)}
    subset = max(lacking, key=lambda subset: lacking[subset])
    subset = subset if lacking[subset] > 0 else "train"
    folds = Counter(tile.fold for tile in tiles if tile.fold is not None)
    fold = min(folds, key=lambda fold: (folds[fold], fold)) if folds else None
    return subset, fold if subset != "test" else None


def repeated_images(tiles: Sequence[Tile]) -> dict[int, int]:
    """Map the index of each tile with the image file of an earlier tile to that tile's index."""
    first: dict[str, int] = {}
    repeats = {}
    for tile in sorted(tiles, key=lambda tile: tile.index):
        original = first.setdefault(tile.image_sha256 or str(tile.index), tile.index)
        if original != tile.index:
            repeats[tile.index] = original
    return repeats


def split_dataset(
    folder: str | os.PathLike[str], plan: SplitPlan | None = None, folds: int | None = None
) -> tuple[dict[str, int], list[int]]:
    """Split a prepared dataset again; only its tables change.

    Parameters
    ----------
    folder : path-like
        The dataset.
    plan : SplitPlan, optional
        The split; by default the current one.
    folds : int, optional
        Number of folds if there is no plan; by default no folds.

    Returns
    -------
    subsets : dict of str to int
        Tiles in train, val, test and unused.
    folds : list of int
        Tiles per fold.

    Raises
    ------
    InputError
        If the split does not suit the tiles, the folder is not a prepared dataset, or another
        program is writing to it.
    """
    folder = Path(folder)
    read_manifest(folder)  # so that no lock is written to a folder that is not a dataset
    with folder_locked(folder):
        tiles, info = read_manifest(folder), read_info(folder)
        plan = replace(info.split, folds=folds) if plan is None else plan
        tiles = divide(tiles, plan)
        write_manifest(folder, tiles)
        write_info(folder, replace(info, split=plan, divided=True))
    counts = Counter(tile.fold for tile in tiles if tile.fold is not None)
    return subset_counts(tiles), [counts[fold] for fold in sorted(counts)]
