"""User options of a prepared dataset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Option
from napari_snow_unet.data.datasets.dataset_info import INFO, DatasetInfo, read_info
from napari_snow_unet.data.datasets.manifest import is_dataset
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MASKS, MasksAre
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size


def _check_pixel_size(um: float) -> None:
    """Refuse an implausible pixel size; 0 is unknown."""
    check_pixel_size(um or None)


@dataclass(frozen=True)
class PrepareOptions:
    """How to prepare a dataset.

    None keeps the option of an existing dataset, or is the default of a new one, whose split is
    that of the paper. Each field is declared with its help and its limits.
    """

    limit: Annotated[
        int | None,
        Option(
            "Use only the first N pairs.",
            tip="Use only the first N pairs, in the order of their numbers (0: all).",
            low=1,
            label="Max. pairs (0: all)",
            group="Input",
        ),
    ] = None
    shard: Annotated[
        int | None,
        Option(
            "Tiles per subfolder.",
            tip="Tiles per subfolder: 5,000 in the paper (0: no subfolders).",
            none="no subfolders",
            low=1,
            label="Tiles per subfolder",
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
            "Pixel size in µm for images that do not state one (0: unknown).",
            tip="Pixel size for images that do not state one, in micrometres.",
            flag="--pixel-size",
            by=_check_pixel_size,
            label="Pixel size (µm)",
            group="Input",
        ),
    ] = None
    verify: Annotated[
        bool,
        Option(
            "Read archives completely to verify their checksums.",
            label="Verify archives",
            group="Advanced",
        ),
    ] = False
    workers: Annotated[
        int | None,
        Option(
            "Number of processes.",
            tip="Number of processes (0: one per core).",
            none="all cores",
            low=1,
            label="Workers (0: all)",
            group="Speed",
        ),
    ] = None
    masks_are: Annotated[MasksAre | None, MASKS] = None


def dataset_info_of(folder: Path, options: PrepareOptions) -> DatasetInfo:
    """Return how the dataset is made; refuse a folder with other files or options."""
    if not is_dataset(folder):
        if folder.exists() and (not folder.is_dir() or _visible(folder)):
            problem = messages.NOT_EMPTY if folder.is_dir() else messages.NOT_A_FOLDER
            raise InputError(problem, path=folder)
        return DatasetInfo(
            masks="binary" if options.binary else "labels",
            shard=options.shard,
            split=options.split or SplitPlan(),
            um_per_px=options.um_per_px or None,
            masks_are=options.masks_are,
        )
    info = read_info(folder)
    binary = info.masks == "binary"
    if options.binary is not None and options.binary != binary:
        raise InputError(messages.other_masks(binary), path=folder / INFO)
    if options.shard is not None and options.shard != info.shard:
        raise InputError(messages.other_subfolders(info.shard), path=folder / INFO)
    given = options.um_per_px
    return replace(
        info,
        split=options.split or info.split,
        um_per_px=info.um_per_px if given is None else given or None,
        masks_are=options.masks_are or info.masks_are,
    )


def _visible(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
