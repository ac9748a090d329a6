"""The tiles of a dataset, and which of them train and which validate."""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.data.annotation_files import may_hold_labels
from napari_snow_unet.data.dataset_info import INFO
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import IMAGE_SUFFIXES, LABEL_SUFFIXES, read_header
from napari_snow_unet.data.manifest import MANIFEST, Tile, read_manifest
from napari_snow_unet.data.pixel_size import check_pixel_size
from napari_snow_unet.data.snow import natural_key
from napari_snow_unet.data.splits import SplitPlan, assign_parts

REGIONS = "regions"
WEIGHT, HEAVIEST = "weight", 1000.0
_IMAGES = ("images", "image")
_MASKS = ("masks", "mask", "labels")


@dataclass(frozen=True)
class TrainingTile:
    """An image, its mask, and what is known of them.

    Attributes
    ----------
    name : str
        What it is called in the manifest, else the stem of its files; no two alike.
    image, mask : pathlib.Path
        The files. Everything but zero is nucleus in a mask.
    region : pathlib.Path or None
        An image that is zero where nobody has annotated.
    height, width : int
        Size in pixels.
    um_per_px : float or None
        Micrometres per pixel, where known.
    weight : float
        How many times as many crops as its area gives it are cut out of it in an epoch: the
        column ``weight`` of the manifest, with which a few tiles count as much as many others.
    """

    name: str
    image: Path
    mask: Path
    region: Path | None
    height: int
    width: int
    um_per_px: float | None = None
    weight: float = 1.0


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
    """

    folder: Path
    train: tuple[TrainingTile, ...]
    validation: tuple[TrainingTile, ...]
    notes: tuple[str, ...] = ()

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
) -> TrainingSet:
    """Find the tiles of a dataset and divide them into training and validation.

    Parameters
    ----------
    folder : path-like
        What `napari-snow-unet prepare` wrote, or a folder with ``images/`` and ``masks/`` (files
        of equal stem) and maybe ``regions/STEM.png``.
    validation_fraction : float, default: 0.1
        Part for validation, at least one tile, where no manifest of this package divides them.
    seed : int, default: 0
        Of that division.
    fold : int, optional
        Fold of the manifest that validates; all other folds train, and so do training tiles that
        are in no fold.

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
    return _plain(folder, validation_fraction, seed)


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
            )
            parts[part].append(tile)
    division = f"fold {fold}" if fold is not None else "the split"
    for part, tiles in parts.items():
        if not tiles:
            raise InputError(
                f"no tile to {'train on' if part == 'train' else 'validate with'} "
                f"in {division} of the manifest",
                expected="tiles for training and for validation",
                remedy="Prepare it to the end if that was stopped; else divide it anew: "
                f"`napari-snow-unet split {folder} --train 0.8 --val 0.2`.",
                path=folder / MANIFEST,
            )
    note = f"{len(parts['train'])} tiles train and {len(parts['val'])} validate, by {division} "
    return _checked(folder, parts["train"], parts["val"], [note + f"in {MANIFEST}."])


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


def _plain(folder: Path, fraction: float, seed: int) -> TrainingSet:
    notes = []
    if (folder / MANIFEST).exists():
        notes.append(f"{MANIFEST} is not of this package and is ignored.")
    images, masks = _files(folder, _IMAGES, IMAGE_SUFFIXES), _files(folder, _MASKS, LABEL_SUFFIXES)
    stems = sorted(set(images) & set(masks), key=natural_key)
    if alone := sorted(set(images) ^ set(masks), key=natural_key):
        notes.append(f"{len(alone)} files without a partner are left out: " + _some(alone))
    if len(stems) < 2:
        raise _unusable(folder, f"{len(stems)} pairs of an image and a mask of equal name")
    tiles = [_tile(folder, stem, images[stem], masks[stem]) for stem in stems]
    number = min(max(round(fraction * len(tiles)), 1), len(tiles) - 1)
    parts = assign_parts(stems, SplitPlan(train=len(tiles) - number, val=number, seed=seed))
    train = [tile for tile, part in zip(tiles, parts, strict=True) if part == "train"]
    validation = [tile for tile, part in zip(tiles, parts, strict=True) if part == "val"]
    notes.append(
        f"{len(train)} tiles train and {len(validation)} validate, drawn with seed {seed}."
    )
    return _checked(folder, train, validation, notes)


def _checked(
    folder: Path, train: list[TrainingTile], validation: list[TrainingTile], notes: list[str]
) -> TrainingSet:
    """Refuse what is missing or does not fit before anything is computed."""
    for tile in (*train, *validation):
        for path in (tile.image, tile.mask):
            if not path.is_file():
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


def _files(folder: Path, names: Sequence[str], suffixes: frozenset[str]) -> dict[str, Path]:
    """Return the files of the first of these subfolders by stem; hidden files are passed over."""
    for name in names:
        if (place := folder / name).is_dir():
            found = (path for path in place.iterdir() if path.suffix.lower() in suffixes)
            return {
                path.stem: path
                for path in sorted(found)
                if path.name[0] != "." and may_hold_labels(path)
            }
    raise _unusable(folder, f"no folder '{names[0]}'")


def _tile(folder: Path, stem: str, image: Path, mask: Path) -> TrainingTile:
    header = read_header(image)
    height, width = header.size
    if mask.suffix.lower() in IMAGE_SUFFIXES:  # of others the training will tell
        check_size(read_header(mask).size, header.size, mask, image)
    region = _region(folder, image)
    return TrainingTile(stem, image, mask, region, height, width, header.pixel_size_um)


def _region(folder: Path, image: Path) -> Path | None:
    inner = image.parent.relative_to(folder).parts[1:]  # of sharded datasets
    path = folder.joinpath(REGIONS, *inner, f"{image.stem}.png")
    return path if path.is_file() else None


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _unusable(folder: Path, received: str) -> InputError:
    return InputError(
        received,
        expected="a prepared dataset, or a folder with images/ and masks/ of equal names",
        remedy="Choose another folder, or prepare one (Prepare a dataset in napari, "
        "`napari-snow-unet prepare` in the shell).",
        path=folder,
    )
