"""User options of the split of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Option
from napari_snow_unet.data.datasets.splits import Share, SplitPlan, parse_share, usual_size

_TIP = (
    "Tiles to train on: a number such as 3600, or a fraction such as 0.72 or 72%. Leave all three "
    "empty for the split shown in grey; if you fill in one, empty ones count as 0."
)


@dataclass(frozen=True)
class SplitOptions:
    """A split as users write it; None is unset.

    A subset is a number of tiles, or a fraction such as ``0.72`` or ``72%``; see `SplitPlan`.
    """

    train: Annotated[
        str | None,
        Option(
            "Training tiles: a number, or a fraction.",
            tip=_TIP,
            none=usual_size("train"),
            label="Train",
            group="Split",
        ),
    ] = None
    val: Annotated[
        str | None,
        Option(
            "Validation tiles.",
            tip="Tiles for validation: a number or a fraction.",
            none=usual_size("val"),
            label="Validate",
            group="Split",
        ),
    ] = None
    test: Annotated[
        str | None,
        Option(
            "Test tiles.",
            tip="Tiles for testing: a number or a fraction.",
            none=usual_size("test"),
            label="Test",
            group="Split",
        ),
    ] = None
    seed: Annotated[
        int | None,
        Option(
            "Random seed of the split.",
            tip="Random seed: the same seed splits the same tiles in the same way.",
            none="0",
            low=0,
            label="Seed",
            group="Split",
        ),
    ] = None
    group_by: Annotated[
        str | None,
        Option(
            "Regular expression on image names; tiles with the same match (or first captured "
            "group, e.g. a patient ID) stay in the same subset.",
            label="Group by",
            group="Split",
        ),
    ] = None

    def plan(self) -> SplitPlan | None:
        """Return the split; None if every option is unset."""
        texts = {name: (getattr(self, name) or "").strip() for name in ("train", "val", "test")}
        if not any(texts.values()) and self.seed is None and self.group_by is None:
            return None
        train, val, test = (_share(name, text) for name, text in texts.items())
        return SplitPlan(train, val, test, self.seed or 0, self.group_by)


def _share(name: str, text: str) -> Share | None:
    try:
        return parse_share(text) if text else None
    except InputError as error:
        raise InputError(error.message._replace(helps=(name,))) from None
