"""How a prepared dataset was made: ``dataset.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.data.splits import SplitPlan

INFO = "dataset.json"
FORMAT = 1


@dataclass(frozen=True)
class DatasetInfo:
    """How a dataset was made: ``dataset.json``.

    Attributes
    ----------
    masks : str
        'labels' (16 bits, an id per nucleus) or 'binary' (0 and 255).
    shard : int or None
        Tiles per folder, None for one folder.
    split : SplitPlan
        How it is divided.
    """

    masks: str = "labels"
    shard: int | None = None
    split: SplitPlan = field(default_factory=SplitPlan)


def read_info(folder: Path) -> DatasetInfo:
    """Read how a dataset was made; what is not said has its default.

    Raises
    ------
    InputError
        If ``dataset.json`` is damaged or of a newer version.
    """
    path = folder / INFO
    if not path.is_file():
        return DatasetInfo()
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        version = said.pop("format")
        split = SplitPlan(**said.pop("split"))
        info = DatasetInfo(split=split, **said)
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        version, info = f"damaged ({error})", DatasetInfo()
    if version != FORMAT:
        raise InputError(
            f"its format is {version}",
            expected=f"format {FORMAT}",
            remedy="Update this program, or restore the file.",
            path=path,
        )
    return info


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write how a dataset was made."""
    with written_whole(folder / INFO, overwrite=True) as temporary:
        text = json.dumps({"format": FORMAT, **asdict(info)}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
