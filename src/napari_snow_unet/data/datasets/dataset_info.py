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
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.pixels.pixel_size import PLAUSIBLE_UM

INFO = "dataset.json"
FORMAT = 1


@dataclass(frozen=True)
class DatasetInfo:
    """How a dataset was made: ``dataset.json``."""

    masks: Literal["labels", "binary"] = "labels"  # 16 bits, an id per nucleus; or 0 and 255
    shard: Annotated[int | None, Option(low=1)] = None  # tiles per folder, None for one folder
    split: SplitPlan = field(default_factory=SplitPlan)
    # At full resolution, given last, where images do not say.
    um_per_px: Annotated[float | None, Option(low=PLAUSIBLE_UM[0], high=PLAUSIBLE_UM[1])] = None
    divided: bool = True  # the table is as `split` says; not while tiles are being made
    # By data type, once for all; not of 8 bits.
    white: Annotated[dict[str, float], Option(low=1)] = field(default_factory=dict)
    masks_are: MasksAre | None = None  # what a person said of the masks it was made from


def read_info(folder: Path) -> DatasetInfo:
    """Read how a dataset was made; what is not said has its default."""
    path = folder / INFO
    if not path.is_file():
        return DatasetInfo()
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        version = said.pop("format")
        split = SplitPlan(**said.pop("split"))
        info = DatasetInfo(split=split, **said)
        check(split)
        check(info)
    except InputError as error:
        version, info = f"damaged ({error.message.problem})", DatasetInfo()
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        version, info = f"damaged ({error})", DatasetInfo()
    if version != FORMAT:
        raise InputError(
            f"its format is {version}",
            expected=f"format {FORMAT}",
            remedy="Update this program, or restore the file.",
            path=path,
        )
    return info


def masks_in(path: str | os.PathLike[str]) -> MasksAre | None:
    """Return what the masks of a prepared dataset are, by a path in it; None if it lies in none."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    for folder in (path, *path.parents[:3]):
        if (folder / INFO).is_file():
            with suppress(InputError):
                return "binary" if read_info(folder).masks == "binary" else "labels"
    return None


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write how a dataset was made."""
    with written_whole(folder / INFO, overwrite=True) as temporary:
        said = asdict(info)
        if not info.white:  # of 8-bit images, as earlier versions wrote it
            del said["white"]
        text = json.dumps({"format": FORMAT, **said}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
