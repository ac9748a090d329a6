"""How a prepared dataset was made: ``dataset.json``."""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MASKS_ARE, MasksAre

INFO = "dataset.json"
FORMAT = 1


@dataclass(frozen=True)
class DatasetInfo:
    """How a dataset was made: ``dataset.json``."""

    masks: str = "labels"  # 'labels' (16 bits, an id per nucleus) or 'binary' (0 and 255)
    shard: int | None = None  # tiles per folder, None for one folder
    split: SplitPlan = field(default_factory=SplitPlan)
    um_per_px: float | None = None  # at full resolution, as given last where images do not say
    # whether the table was divided so when written last; not while tiles are made
    divided: bool = True
    # by data type, once for all; not of 8 bits
    white: dict[str, float] = field(default_factory=dict)
    masks_are: MasksAre | None = None  # what a person said of the masks that it was made from


def read_info(folder: Path) -> DatasetInfo:
    """Read how a dataset was made; what is not said has its default."""
    path = folder / INFO
    if not path.is_file():
        return DatasetInfo()
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        version = said.pop("format")
        split = SplitPlan(**said.pop("split"))
        info = _checked(DatasetInfo(split=split, **said))
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
    """Return what the masks of the prepared dataset are that a path lies in; None if in none."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    for folder in (path, *path.parents[:3]):
        if (folder / INFO).is_file():
            with suppress(InputError):
                return "binary" if read_info(folder).masks == "binary" else "labels"
    return None


def _checked(info: DatasetInfo) -> DatasetInfo:
    """Refuse values of another kind than `write_info` writes."""
    plan, shard = info.split, info.shard
    if info.masks not in ("labels", "binary"):
        raise ValueError(f"masks is {info.masks!r}")
    if not isinstance(plan.folders, bool):
        raise ValueError(f"folders is {plan.folders!r}")
    for number in (plan.seed, shard, plan.folds):
        if number is not None and (type(number) is not int or number < 0):
            raise ValueError(f"{number!r} is no whole number from 0")
    for share in (plan.train, plan.val, plan.test):
        if share is not None and (isinstance(share, bool) or not 0 <= share < math.inf):
            raise ValueError(f"{share!r} is no part of a split")
    side = info.um_per_px
    if side is not None and (isinstance(side, bool) or not 0 < side < math.inf):
        raise ValueError(f"um_per_px is {side!r}")
    if shard == 0 or not isinstance(plan.group_by, str | None):
        raise ValueError(f"shard is {shard!r}, group_by {plan.group_by!r}")
    for name, white in info.white.items():
        if not isinstance(name, str) or isinstance(white, bool) or not 0 < white < math.inf:
            raise ValueError(f"white is {info.white!r}")
    if not isinstance(info.divided, bool):
        raise ValueError(f"divided is {info.divided!r}")
    if info.masks_are is not None and info.masks_are not in MASKS_ARE:
        raise ValueError(f"masks_are is {info.masks_are!r}")
    return info


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write how a dataset was made."""
    with written_whole(folder / INFO, overwrite=True) as temporary:
        said = asdict(info)
        if not info.white:  # of 8-bit images, as earlier versions wrote it
            del said["white"]
        text = json.dumps({"format": FORMAT, **said}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
