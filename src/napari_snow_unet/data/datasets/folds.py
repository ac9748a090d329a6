"""Folds of nearly equal size that keep groups together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.splits import SplitPlan, rank_of


def assign_folds(
    names: Sequence[str], plan: SplitPlan, groups: Sequence[str] | None = None
) -> list[int]:
    """Assign tiles to `plan.folds` folds, numbered from 0, of nearly equal size."""
    folds = plan.folds or 0
    kind = "tile" if groups is None else "group"
    groups = names if groups is None else groups
    counts, rank = Counter(groups), rank_of(plan.seed)
    if not 2 <= folds <= len(counts):
        raise InputError(messages.impossible_folds(folds, len(counts), kind))
    filled = [0] * folds
    fold_of = {}
    for group in sorted(counts, key=lambda group: (-counts[group], rank(group))):
        fold_of[group] = filled.index(min(filled))
        filled[fold_of[group]] += counts[group]
    return [fold_of[group] for group in groups]
