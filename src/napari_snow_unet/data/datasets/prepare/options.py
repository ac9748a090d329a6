"""What a person can choose for a prepared dataset, and the checks on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Option
from napari_snow_unet.data.datasets.dataset_info import INFO, DatasetInfo, read_info
from napari_snow_unet.data.datasets.manifest import is_dataset
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MASKS, MasksAre
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size


def _check_pixel_size(um: float) -> None:
    """Refuse what is no pixel size; 0 says that it is unknown."""
    check_pixel_size(um or None)


@dataclass(frozen=True)
class PrepareOptions:
    """How to prepare a dataset.

    What is left open is as the dataset has it, or of a new one the default that is named; the
    split of a new one is that of the paper. Each field is declared with its help and its limits.
    """

    limit: Annotated[
        int | None,
        Option(
            "Use only the first N pairs.",
            tip="Use only so many pairs, the first in the order of their numbers; 0 takes all.",
            low=1,
            label="Limit (0: all)",
            group="Input",
        ),
    ] = None
    shard: Annotated[
        int | None,
        Option(
            "Tiles per folder.",
            tip="Tiles per subfolder, as 5,000 in the paper; 0 puts all in one folder.",
            none="one folder",
            low=1,
            label="Tiles per folder",
            group="Output",
        ),
    ] = None
    binary: Annotated[
        bool | None,
        Option(
            "Write binary masks (0 and 255) instead of one ID per nucleus.",
            label="Binary masks (0 and 255)",
            group="Output",
        ),
    ] = None
    split: SplitPlan | None = None
    um_per_px: Annotated[
        float | None,
        Option(
            "Micrometres per pixel where images do not say; 0: unknown again.",
            tip="Micrometres per pixel, where the images do not say.",
            flag="--pixel-size",
            by=_check_pixel_size,
            label="Pixel size (µm)",
            group="Input",
        ),
    ] = None
    verify: Annotated[
        bool,
        Option(
            "Read masks in archives to their end, for the checksum.",
            label="Read archives to their end",
            group="Advanced",
        ),
    ] = False
    workers: Annotated[
        int | None,
        Option(
            "Processes.",
            tip="Number of processes; 0 takes as many as there are cores.",
            none="all cores",
            low=1,
            label="Workers (0: all)",
            group="Speed",
        ),
    ] = None
    masks_are: Annotated[MasksAre | None, MASKS] = None


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
        return DatasetInfo(
            masks="binary" if options.binary else "labels",
            shard=options.shard,
            split=options.split or SplitPlan(),
            um_per_px=options.um_per_px or None,
            masks_are=options.masks_are,
        )
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
