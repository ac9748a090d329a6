"""What a person can choose for a prepared dataset, and the checks on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.dataset_info import INFO, DatasetInfo, read_info
from napari_snow_unet.data.datasets.manifest import is_dataset
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size


@dataclass(frozen=True)
class PrepareOptions:
    """How to prepare a dataset.

    Attributes
    ----------
    limit : int, optional
        Take the first so many pairs, in natural order of their names.
    shard : int, optional
        Tiles per folder; by default as the dataset has it, one folder for a new one.
    binary : bool, optional
        Masks of 0 and 255 in place of ids; by default as the dataset has it, ids for a new one.
    split : SplitPlan, optional
        By default as the dataset has it, that of the paper for a new one.
    um_per_px : float, optional
        Micrometres per pixel at full resolution, where images do not say, or 0 for unknown; by
        default what was given last for the dataset.
    verify : bool
        Read masks in archives to their end, for the archive's checksum, not only as far as needed.
    workers : int, optional
        Number of processes; by default as many as there are cores, if it takes seconds.
    masks_are : {"labels", "binary", "classes"}, optional
        What masks in PNG, TIFF and BMP hold, where it is not what they look like; by default what
        was given last for the dataset.
    """

    limit: int | None = None
    shard: int | None = None
    binary: bool | None = None
    split: SplitPlan | None = None
    um_per_px: float | None = None
    verify: bool = False
    workers: int | None = None
    masks_are: MasksAre | None = None


def dataset_info_of(folder: Path, options: PrepareOptions) -> DatasetInfo:
    """Return how the dataset is made; refuse a folder that holds something else."""
    if not is_dataset(folder):
        if folder.exists() and (not folder.is_dir() or _visible(folder)):
            raise InputError(
                "it holds other files" if folder.is_dir() else "it is a file",
                expected="a new or empty folder, or a dataset to go on with",
                remedy="Choose another folder.",
                path=folder,
            )
        masks = "binary" if options.binary else "labels"
        split = options.split or SplitPlan()
        size = options.um_per_px or None
        return DatasetInfo(masks, options.shard, split, size, masks_are=options.masks_are)
    info = read_info(folder)
    binary = info.masks == "binary"
    for what, wanted, there in (
        ("masks of 0 and 255" if binary else "masks of ids", options.binary, binary),
        (f"{info.shard or 'all'} tiles per folder", options.shard, info.shard),
    ):
        if wanted is not None and wanted != there:
            raise InputError(
                f"the dataset has {what}",
                expected="the same options as it was begun with",
                remedy="Leave the option out, or choose another folder.",
                path=folder / INFO,
            )
    given = options.um_per_px
    return replace(
        info,
        split=options.split or info.split,
        um_per_px=info.um_per_px if given is None else given or None,
        masks_are=options.masks_are or info.masks_are,
    )


def _visible(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]


def check_numbers(options: PrepareOptions) -> None:
    """Refuse numbers that mean nothing."""
    check_pixel_size(options.um_per_px or None)
    for name in ("limit", "shard", "workers"):
        value = getattr(options, name)
        if value is not None and not value >= 1:
            raise InputError(
                f"{value} for {name}",
                expected="a number from 1 on",
                remedy="Change it or leave it out.",
            )
