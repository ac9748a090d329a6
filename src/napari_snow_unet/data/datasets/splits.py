"""The subsets of a dataset: train, validation and test, seeded and optionally by group.

Tiles are ordered by a hash of seed and name instead of a random generator, so that the same names
and seed give the same subsets on every machine and in every order. The first tiles are the test
subset, followed by validation and training, so that asking for more training tiles moves no tile
out of the test subset.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Option
from napari_snow_unet.data.datasets import messages

#: A number of tiles (int) or a fraction of all tiles (float, 0..1).
Share: TypeAlias = int | float
SUBSETS = ("test", "val", "train")  # in the order in which they are filled
UNUSED = "unused"
#: Sizes of the paper's subsets, and the least number of tiles for which they are the default.
PAPER = {"train": 3600, "val": 400, "test": 1000}
PAPER_TILES = 5000
FRACTIONS = {"train": 0.72, "val": 0.08, "test": 0.2}
#: The default for so few tiles that a fraction would leave none for validation.
_FEW = [
    {"test": test, "val": val, "train": train}
    for test, val, train in ((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 2), (1, 1, 2), (1, 1, 3))
]
DRAWN_VALIDATION = 0.1  # fraction of the training tiles, if no folder is called val
_SHUFFLES = 200
_FROM_0 = Option(low=0)


@dataclass(frozen=True)
class SplitPlan:
    """How to split a dataset.

    Attributes
    ----------
    train, val, test : int or float, optional
        Numbers of tiles or fractions of all. If all three are None: the paper's 3,600, 400 and
        1,000 with 5,000 tiles or more, and 72, 8 and 20 % with fewer; otherwise None is 0.
    seed : int
        Random seed.
    group_by : str, optional
        Regular expression searched for in the name of an image. Tiles with the same first group of
        the match (the whole match if it has no group) stay in one subset.
    folds : int, optional
        Number of folds for cross-validation over the train and validation subsets.
    folders : bool
        Follow the folders train, val and test of the sources; without a folder val, validation
        tiles are drawn from train.
    """

    train: Annotated[Share | None, _FROM_0] = None
    val: Annotated[Share | None, _FROM_0] = None
    test: Annotated[Share | None, _FROM_0] = None
    seed: Annotated[int, _FROM_0] = 0
    group_by: str | None = None
    folds: Annotated[int | None, _FROM_0] = None
    folders: bool = False


def usual_size(subset: str) -> str:
    """Return the default size of a subset: ``3,600 (72 % below 5,000 tiles)``."""
    return f"{PAPER[subset]:,} ({100 * FRACTIONS[subset]:g} % below {PAPER_TILES:,} tiles)"


def parse_share(text: str) -> Share:
    """Read ``3600`` as a number of tiles, ``0.72`` or ``72%`` as a fraction; else InputError."""
    try:
        if text.endswith("%"):
            value: Share = float(text[:-1]) / 100
        else:
            value = int(text) if re.fullmatch(r"\d+", text) else float(text)
    except ValueError:
        value = -1
    if not value >= 0 or (isinstance(value, float) and not value <= 1):
        raise InputError(messages.not_a_share(text))
    return value


def subset_sizes(plan: SplitPlan, tiles: int, *, strict: bool = True) -> dict[str, int]:
    """Return the number of tiles of each subset; the rest is unused.

    A plan for more tiles than there are is refused if `strict`; otherwise training gets fewer.
    The default sets one of 3 or more tiles aside for validation, without which none can train.
    """
    chosen: dict[str, Share | None] = {"test": plan.test, "val": plan.val, "train": plan.train}
    if all(share is None for share in chosen.values()):
        if len(_FEW) > tiles:
            return dict(_FEW[tiles])
        chosen = dict(PAPER if tiles >= PAPER_TILES else FRACTIONS)
    shares = {subset: chosen[subset] or 0 for subset in SUBSETS}
    fractions = {subset: share for subset, share in shares.items() if isinstance(share, float)}
    sizes = {subset: share for subset, share in shares.items() if isinstance(share, int)}
    sizes |= _rounded(fractions, tiles)
    if not strict:
        left = tiles
        for subset in SUBSETS:
            sizes[subset] = min(sizes[subset], left)
            left -= sizes[subset]
        return sizes
    if sum(sizes.values()) > tiles or sum(fractions.values()) > 1 + 1e-9:
        texts = tuple(f"{subset} {shares[subset]}" for subset in reversed(SUBSETS))
        raise InputError(messages.too_many_tiles(texts, tiles))
    return sizes


def _rounded(fractions: dict[str, float], tiles: int) -> dict[str, int]:
    """Round to a sum that is right: the largest remainders are rounded up."""
    exact = {subset: share * tiles for subset, share in fractions.items()}
    sizes = {subset: math.floor(value + 1e-9) for subset, value in exact.items()}
    missing = round(sum(exact.values())) - sum(sizes.values())
    for subset in sorted(exact, key=lambda subset: sizes[subset] - exact[subset])[:missing]:
        sizes[subset] += 1
    return sizes


def assign_subsets(
    names: Sequence[str],
    plan: SplitPlan,
    groups: Sequence[str] | None = None,
    *,
    strict: bool = True,
) -> list[str]:
    """Split tiles into train, val, test and unused; a group is never split."""
    sizes = subset_sizes(plan, len(names), strict=strict)
    if groups is None:
        ranked = sorted(names, key=rank_of(plan.seed))
        subsets = [subset for subset in SUBSETS for _ in range(sizes[subset])]
        subset_of = dict(zip(ranked, subsets, strict=False))
        return [subset_of.get(name, UNUSED) for name in names]
    subset_of = _assign_groups(Counter(groups), sizes, len(names), plan.seed)
    return [subset_of[group] for group in groups]


def assign_by_folders(
    names: Sequence[str], named: Sequence[str], seed: int, fraction: float = DRAWN_VALIDATION
) -> list[str]:
    """Keep the subsets that folders name; without a validation subset draw it from train."""
    subsets = [each or UNUSED for each in named]
    training = [name for name, subset in zip(names, subsets, strict=True) if subset == "train"]
    if "val" in subsets or len(training) < 2:
        return subsets
    number = min(max(round(fraction * len(training)), 1), len(training) - 1)
    drawn = set(sorted(training, key=rank_of(seed))[:number])
    return ["val" if name in drawn else subset for name, subset in zip(names, subsets, strict=True)]


def are_divided(named: Iterable[str]) -> bool:
    """Tell whether folders name a split: train, and validation or test."""
    subsets = set(named)
    return "train" in subsets and bool(subsets & {"val", "test"})


def groups_of(names: Sequence[str], pattern: str) -> list[str]:
    """Return the group of each name: a match in the file name, else in the whole path."""
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise InputError(messages.invalid_pattern(pattern, str(error))) from None
    matches = [search(name.rsplit("/", 1)[-1]) or search(name) for name in names]
    lacking = tuple(name for name, match in zip(names, matches, strict=True) if match is None)
    if lacking:
        raise InputError(messages.names_without_group(pattern, lacking))
    return [match[1 if match.re.groups else 0] or "" for match in matches if match]


def rank_of(seed: int, salt: str = "") -> Callable[[str], bytes]:
    """Return a key that sorts names in the random order of a seed."""
    return lambda name: hashlib.sha256(f"{seed}:{salt}:{name}".encode()).digest()


def _assign_groups(
    counts: Counter[str], sizes: dict[str, int], tiles: int, seed: int
) -> dict[str, str]:
    """Assign groups to subsets so that sizes come closest to the plan, over seeded shuffles."""
    wanted = {**sizes, UNUSED: tiles - sum(sizes.values())}
    if not wanted[UNUSED]:
        del wanted[UNUSED]
    best: tuple[float, dict[str, str]] = (math.inf, {})
    for shuffle in range(_SHUFFLES):
        left, subset_of = dict(wanted), {}
        order = sorted(counts, key=rank_of(seed, str(shuffle)))
        for to_come, group in zip(range(len(order), 0, -1), order, strict=True):
            empty = [
                subset for subset in SUBSETS if left.get(subset, 0) == wanted.get(subset, 0) > 0
            ]
            # the last groups go to subsets that are still empty
            subset = max(empty if len(empty) >= to_come else left, key=lambda subset: left[subset])
            subset_of[group] = subset
            left[subset] -= counts[group]
        lacking = sum(wanted[subset] > 0 and left[subset] == wanted[subset] for subset in SUBSETS)
        cost = sum(abs(rest) for rest in left.values()) + tiles * lacking
        if cost < best[0]:
            best = (cost, subset_of)
    return best[1]
