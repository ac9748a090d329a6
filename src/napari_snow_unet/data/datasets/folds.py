"""The tiles of a dataset in folds of about one size, groups kept together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.splits import SplitPlan, rank_of


def assign_folds(
    names: Sequence[str], plan: SplitPlan, groups: Sequence[str] | None = None
) -> list[int]:
    """Deal tiles into `plan.folds` folds of nearly equal size, numbered from 0.

    Parameters
    ----------
    names : sequence of str
        A name per tile, no two alike.
    plan : SplitPlan
        Number of folds and seed.
    groups : sequence of str, optional
        The group of every tile; a group is never torn apart.

    Returns
    -------
    list of int
        The fold of every tile.

    Raises
    ------
    InputError
        If there are fewer tiles (or groups) than folds, or fewer than two folds are asked for.
    """
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
