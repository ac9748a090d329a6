"""The tiles of a dataset in folds of about one size, groups kept together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.splits import SplitPlan, rank_of


def assign_folds(
    names: Sequence[str], plan: SplitPlan, groups: Sequence[str] | None = None
) -> list[int]:
    """Deal tiles into `plan.folds` folds of nearly equal size, from 0; groups stay whole."""
    folds = plan.folds or 0
    kind = "tiles" if groups is None else "groups"
    groups = names if groups is None else groups
    counts, rank = Counter(groups), rank_of(plan.seed)
    if not 2 <= folds <= len(counts):
        raise InputError(
            f"{folds} folds of {len(counts)} {kind}",
            expected=f"from 2 to {len(counts)} folds",
            remedy="Ask for another number; tiles of the test subset are in no fold.",
        )
    filled = [0] * folds
    fold_of = {}
    for group in sorted(counts, key=lambda group: (-counts[group], rank(group))):
        fold_of[group] = filled.index(min(filled))
        filled[fold_of[group]] += counts[group]
    return [fold_of[group] for group in groups]
