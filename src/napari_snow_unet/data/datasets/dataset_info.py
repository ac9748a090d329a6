"""How a prepared dataset was made: ``dataset.json``."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.options import Option, check
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.pixels.pixel_size import PLAUSIBLE_UM

INFO = "dataset.json"
FORMAT = 1


@dataclass(frozen=True)
class DatasetInfo:
    """How a dataset was made: ``dataset.json``."""

    masks: Literal["labels", "binary"] = "labels"  # 16-bit, one id per nucleus; or 0 and 255
    shard: Annotated[int | None, Option(low=1)] = None  # tiles per subfolder; None: no subfolders
    split: SplitPlan = field(default_factory=SplitPlan)
    # At full resolution, for images that do not state it.
    um_per_px: Annotated[float | None, Option(low=PLAUSIBLE_UM[0], high=PLAUSIBLE_UM[1])] = None
    divided: bool = True  # False while tiles are being made: the table does not follow `split` yet
    # White value of each data type but uint8.
    white: Annotated[dict[str, float], Option(low=1)] = field(default_factory=dict)
    masks_are: MasksAre | None = None  # how the user overrode the judgement of masks


def read_info(folder: Path) -> DatasetInfo:
    """Read how a dataset was made; missing entries have their defaults."""
    path = folder / INFO
    if not path.is_file():
        return DatasetInfo()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if (version := entries.pop("format")) != FORMAT:
            raise InputError(messages.other_format(str(version), FORMAT), path=path)
        split = SplitPlan(**entries.pop("split"))
        info = DatasetInfo(split=split, **entries)
        check(split)
        check(info)
    except InputError as error:
        if error.path is not None:
            raise
        raise InputError(messages.damaged_info(error.message.problem), path=path) from None
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        raise InputError(messages.damaged_info(str(error)), path=path) from None
    return info


def masks_in(path: str | os.PathLike[str]) -> MasksAre | None:
    """Return what the masks of the dataset around a path hold; None outside of datasets."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    for folder in (path, *path.parents[:3]):
        if (folder / INFO).is_file():
            with suppress(InputError):
                return "binary" if read_info(folder).masks == "binary" else "labels"
    return None


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write how a dataset was made."""
    with written_whole(folder / INFO, overwrite=True) as temporary:
        entries = asdict(info)
        if not info.white:  # of 8-bit images, as earlier versions wrote it
            del entries["white"]
        text = json.dumps({"format": FORMAT, **entries}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
