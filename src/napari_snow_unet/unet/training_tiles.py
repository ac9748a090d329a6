"""The tiles of a dataset, and which of them train and which validate."""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from napari_snow_unet.data.dataset_info import INFO, masks_in, read_info
from napari_snow_unet.data.dataset_range import white_of_images
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.folder_names import folder_role
from napari_snow_unet.data.images import IMAGE_SUFFIXES, read_header
from napari_snow_unet.data.manifest import MANIFEST, Tile, read_manifest
from napari_snow_unet.data.mask_kinds import MasksAre
from napari_snow_unet.data.nucleus_files import nucleus_files
from napari_snow_unet.data.pixel_size import check_pixel_size
from napari_snow_unet.data.snow import require_pairs
from napari_snow_unet.data.splits import (
    UNUSED,
    SplitPlan,
    are_divided,
    assign_by_folders,
    assign_parts,
)
from napari_snow_unet.data.unread_files import counted, passed_over

REGIONS = "regions"
WEIGHT, HEAVIEST = "weight", 1000.0


@dataclass(frozen=True)
class TrainingTile:
    """An image, its mask, and what is known of them.

    Attributes
    ----------
    name : str
        What it is called in the manifest, else the stem of its files; no two alike.
    image, mask : pathlib.Path
        The files.
    region : pathlib.Path or None
        An image that is zero where nobody has annotated.
    height, width : int
        Size in pixels.
    um_per_px : float or None
        Micrometres per pixel, where known.
    weight : float
        How many times as many crops as its area gives it are cut out of it in an epoch: the
        column ``weight`` of the manifest, with which a few tiles count as much as many others.
    masks_are : {"labels", "binary", "classes"} or None
        What its mask holds, where somebody says so, see `data.mask_kinds.judge_mask`.
    """

    name: str
    image: Path
    mask: Path
    region: Path | None
    height: int
    width: int
    um_per_px: float | None = None
    weight: float = 1.0
    masks_are: MasksAre | None = None


@dataclass(frozen=True)
class TrainingSet:
    """A dataset divided for training.

    Attributes
    ----------
    folder : pathlib.Path
        The dataset.
    train, validation : tuple of TrainingTile
        Neither is empty, and no tile is in both.
    notes : tuple of str
        What was passed over, and how the tiles were divided.
    white : mapping from str to float
        Which value is white in images of a data type: once for all tiles, and of a prepared
        dataset in those that it was made from.
    """

    folder: Path
    train: tuple[TrainingTile, ...]
    validation: tuple[TrainingTile, ...]
    notes: tuple[str, ...] = ()
    white: Mapping[str, float] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, parts and sizes of all files; a change of the dataset changes it."""
        known = hashlib.sha256()
        for part in (self.train, self.validation):
            for tile in part:
                paths = (tile.image, tile.mask, *((tile.region,) if tile.region else ()))
                known.update(repr((tile.name, [_bytes_of(path) for path in paths])).encode())
                if tile.weight != 1:
                    known.update(repr(tile.weight).encode())
            known.update(b"|")
        return known.hexdigest()


def open_dataset(
    folder: str | os.PathLike[str],
    *,
    validation_fraction: float = 0.1,
    seed: int = 0,
    fold: int | None = None,
    masks_are: MasksAre | None = None,
) -> TrainingSet:
    """Find the tiles of a dataset and divide them into training and validation.

    Parameters
    ----------
    folder : path-like
        What `napari-snow-unet prepare` wrote, or a folder in a layout that `snow.find_pairs`
        knows, maybe with ``regions/STEM.png``. Folders called train, val and test are followed.
    validation_fraction : float, default: 0.1
        Part for validation, at least one tile, where neither a manifest of this package nor
        folders divide them.
    seed : int, default: 0
        Of that division.
    fold : int, optional
        Fold of the manifest that validates; all other folds train, and so do training tiles that
        are in no fold.
    masks_are : {"labels", "binary", "classes"}, optional
        What masks in PNG, TIFF and BMP hold, where it is not what they look like. What a prepared
        dataset holds stands in its ``dataset.json``.

    Returns
    -------
    TrainingSet
        The tiles, each part in natural order.

    Raises
    ------
    InputError
        If there are no pairs, a part is empty, or an image and its mask differ in size.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise _unusable(folder, "there is no such folder")
    if _is_prepared(folder):
        return _prepared(folder, read_manifest(folder), fold)
    if fold is not None:
        raise InputError(
            "a fold of a dataset without folds",
            expected=f"a prepared dataset with a column 'fold' in {MANIFEST}",
            remedy="Prepare it and deal folds with `napari-snow-unet split --folds K`.",
            path=folder,
        )
    return _plain(folder, validation_fraction, seed, masks_are)


def folds_of(folder: str | os.PathLike[str]) -> list[int]:
    """List the folds of a prepared dataset.

    Raises
    ------
    InputError
        If it has none.
    """
    folder = Path(folder).resolve()
    rows = read_manifest(folder) if _is_prepared(folder) else []
    folds = sorted({row.fold for row in rows if row.fold is not None})
    if len(folds) < 2:
        raise InputError(
            f"a dataset with {len(folds)} folds",
            expected=f"a prepared dataset with at least two folds in {MANIFEST}",
            remedy="Deal them with `napari-snow-unet split --folds K`.",
            path=folder,
        )
    return folds


def _is_prepared(folder: Path) -> bool:
    """Tell a dataset that `prepare` wrote from one with somebody else's table."""
    if (folder / INFO).is_file():
        return True
    try:
        with (folder / MANIFEST).open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next(csv.reader([file.readline(100_000)]), [])
    except OSError:
        return False
    return {"index", "image", "mask", "name", "split"} <= set(header)


def _prepared(folder: Path, rows: Sequence[Tile], fold: int | None) -> TrainingSet:
    parts: dict[str, list[TrainingTile]] = {"train": [], "val": []}
    masks_are = masks_in(folder)
    for row in rows:
        part = row.split
        if fold is not None and row.fold is not None:
            part = "val" if row.fold == fold else "train"
        elif fold is not None and part != "train":
            part = "unused"
        if part in parts:
            image = folder / row.image
            tile = TrainingTile(
                row.name,
                image,
                folder / row.mask,
                _region(folder, image),
                row.height,
                row.width,
                check_pixel_size(row.um_per_px, folder / MANIFEST),
                _weight(folder, row),
                masks_are,
            )
            parts[part].append(tile)
    division = f"fold {fold}" if fold is not None else "the split"
    for part, tiles in parts.items():
        if not tiles:
            raise _empty_part(folder, rows, part, fold)
    note = f"{len(parts['train'])} tiles train and {len(parts['val'])} validate, by {division} "
    found = _checked(folder, parts["train"], parts["val"], [note + f"in {MANIFEST}."])
    return replace(found, white=read_info(folder).white)


def _empty_part(folder: Path, rows: Sequence[Tile], part: str, fold: int | None) -> InputError:
    """Return the refusal of a dataset without tiles to train on or to validate with."""
    what = f"no tile to {'train on' if part == 'train' else 'validate with'}"
    folds = sorted({row.fold for row in rows if row.fold is not None})
    if fold is not None:
        received, remedy = f"{what} in fold {fold}", f"The folds are {', '.join(map(str, folds))}."
        expected = "a fold of the manifest"
    else:
        received, expected = f"{what} in the split", "tiles for training and for validation"
        number = len(rows) - 1
        remedy = (
            "In Prepare a dataset, set Train and Validate and press Prepare, or run "
            f"`napari-snow-unet split {folder} --train {number} --val 1`."
        )
        if number < 1:
            remedy = "Cut the tile into several, or add others."
    return InputError(received, expected=expected, remedy=remedy, path=folder / MANIFEST)


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
        replace(_tile(folder, name, image, mask), masks_are=masks_are)
        for name, image, mask in zip(pairs.names, pairs.images, pairs.masks, strict=True)
    ]
    train, validation, division = _divided(tiles, pairs.subsets, fraction, seed)
    if not train or not validation:
        lacking = "validate with" if train else "train on"
        raise _unusable(folder, f"no tile to {lacking}: {division}")
    white, said = white_of_images((tile.image.suffix, partial(Path, tile.image)) for tile in tiles)
    found = _checked(folder, train, validation, [*notes, *said, division])
    return replace(found, white=white)


def _divided(
    tiles: list[TrainingTile], subsets: Sequence[str], fraction: float, seed: int
) -> tuple[list[TrainingTile], list[TrainingTile], str]:
    """Divide tiles as their folders say, train and val or test; else by the seed."""
    names = [tile.name for tile in tiles]
    own = are_divided(subsets)
    if own:
        parts = assign_by_folders(names, subsets, seed, fraction)
    else:
        number = min(max(round(fraction * len(tiles)), 1), len(tiles) - 1)
        parts = assign_parts(names, SplitPlan(train=len(tiles) - number, val=number, seed=seed))
    train, validation, test, unused = (
        [tile for tile, part in zip(tiles, parts, strict=True) if part == wanted]
        for wanted in ("train", "val", "test", UNUSED)
    )
    how = f"random split, seed {seed}"
    if own:
        how = "as the folders train and val say"
        if "val" not in subsets:
            how = f"validation drawn from the folder train, seed {seed}"
    sizes = counted(len(train), "training tile"), counted(len(validation), "validation tile")
    others = [f" {counted(len(test), 'tile')} in the folder test not used."] if test else []
    others += [f" {counted(len(unused), 'tile')} in neither of them not used."] if unused else []
    return train, validation, f"{sizes[0]} and {sizes[1]} ({how})." + "".join(others)


def _inner(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _checked(
    folder: Path, train: list[TrainingTile], validation: list[TrainingTile], notes: list[str]
) -> TrainingSet:
    """Refuse what is missing or does not fit before anything is computed."""
    for tile in (*train, *validation):
        for path in (tile.image, tile.mask):
            if not path.exists():
                raise InputError(
                    "the file is missing",
                    expected="every image and its mask",
                    remedy="Restore it, or run `napari-snow-unet check` on the dataset.",
                    path=path,
                )
    return TrainingSet(folder, tuple(train), tuple(validation), tuple(notes))


def check_size(found: tuple[int, ...], wanted: tuple[int, ...], path: Path, image: Path) -> None:
    """Refuse a mask or region that has another height and width than its image."""
    if found != wanted:
        raise InputError(
            f"a mask or region of {found[0]} x {found[1]} pixels (height x width)",
            expected=f"{wanted[0]} x {wanted[1]} as in {image.name}",
            remedy="Run `napari-snow-unet check` on the dataset.",
            path=path,
        )


def _tile(folder: Path, name: str, image: Path, mask: Path) -> TrainingTile:
    header = read_header(image)
    height, width = header.size
    if mask.suffix.lower() in IMAGE_SUFFIXES and mask.is_file():  # of others the training will tell
        size = read_header(mask).size
        if size != header.stored_size:  # a mask may be stored as its image is, see `mask_as_shown`
            check_size(size, header.size, mask, image)
    region = _region(folder, image)
    return TrainingTile(name, image, mask, region, height, width, header.pixel_size_um)


def _region(folder: Path, image: Path) -> Path | None:
    """Find ``regions/a.png`` of ``images/a.png``, at the top or beside the images' folder."""
    if not image.is_relative_to(folder):
        return None
    inner = image.parent.relative_to(folder).parts
    rest = [name for name in inner if folder_role(name) is None]
    beside = [REGIONS if folder_role(name) == "image" else name for name in inner]
    for place in (folder.joinpath(REGIONS, *rest), folder.joinpath(*beside)):
        path = place / f"{image.stem}.png"
        if REGIONS in path.parts and path.is_file():
            return path
    return None


def _bytes_of(path: Path) -> int | list[int]:
    try:
        if path.is_dir():  # a mask for each nucleus
            return [file.stat().st_size for file in nucleus_files(path)]
        return path.stat().st_size
    except OSError:
        return -1


def _unusable(folder: Path, received: str) -> InputError:
    return InputError(
        received,
        expected="a prepared dataset, or a folder with images/ and masks/ of equal names",
        remedy="Choose another folder, or prepare one (Prepare a dataset in napari, "
        "`napari-snow-unet prepare` in the shell).",
        path=folder,
    )
