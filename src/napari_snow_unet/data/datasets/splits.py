"""Which tiles train, validate and test a network: seeded, independent of order, by group if asked.

Tiles stand in the order of a hash of seed and name, not in that of a random generator: the same
names and seed give the same subsets on every machine and in every order. The first tiles are the
test subset, then comes validation, then training, so that asking for more training tiles moves no
tile out of the test subset.
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

#: A number of tiles (int) or a fraction of all tiles (float, 0..1).
Share: TypeAlias = int | float
SUBSETS = ("test", "val", "train")  # in the order in which they are filled
UNUSED = "unused"
#: The sizes of the paper's subsets, and the set that is large enough for them.
PAPER = {"train": 3600, "val": 400, "test": 1000}
PAPER_TILES = 5000
FRACTIONS = {"train": 0.72, "val": 0.08, "test": 0.2}
DRAWN_VALIDATION = 0.1  # of the training tiles, where folders name none
_SHUFFLES = 200
_FROM_0 = Option(low=0)


@dataclass(frozen=True)
class SplitPlan:
    """How a dataset shall be divided.

    Attributes
    ----------
    train, val, test : int or float, optional
        Numbers of tiles or fractions of all. With all three None it is the paper's 3,600, 400 and
        1,000 of 5,000 tiles or more, and 72, 8 and 20 % of fewer; else None is 0.
    seed : int
        Another seed is another division.
    group_by : str, optional
        Regular expression searched for in the name of an image. Tiles with the same first group of
        the match (the whole match if it has no group) stay in one subset.
    folds : int, optional
        Number of folds for cross-validation over what is not test.
    folders : bool
        Divide as folders of the sources called train, val and test do; then only the seed counts
        besides, where there is no val.
    """

    train: Annotated[Share | None, _FROM_0] = None
    val: Annotated[Share | None, _FROM_0] = None
    test: Annotated[Share | None, _FROM_0] = None
    seed: Annotated[int, _FROM_0] = 0
    group_by: str | None = None
    folds: Annotated[int | None, _FROM_0] = None
    folders: bool = False


def usual_size(subset: str) -> str:
    """Say what a subset takes where none is given: ``3,600 of 5,000 or more, else 72 %``."""
    return f"{PAPER[subset]:,} of {PAPER_TILES:,} or more, else {100 * FRACTIONS[subset]:g} %"


def parse_share(text: str) -> Share:
    """Read ``3600`` as a number of tiles, and ``0.72`` or ``72%`` as a fraction.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        if text.endswith("%"):
            value: Share = float(text[:-1]) / 100
        else:
            value = int(text) if re.fullmatch(r"\d+", text) else float(text)
    except ValueError:
        value = -1
    if not value >= 0 or (isinstance(value, float) and not value <= 1):
        raise InputError(
            f"{text!r} as part of a split",
            expected="a number of tiles (400) or a fraction (0.08 or 8%)",
            remedy="A number with a point is a fraction, one without is a number of tiles.",
        )
    return value


def subset_sizes(plan: SplitPlan, tiles: int, *, strict: bool = True) -> dict[str, int]:
    """Return how many tiles each subset takes; what is left over is unused.

    Parameters
    ----------
    plan : SplitPlan
        What is asked for.
    tiles : int
        How many there are.
    strict : bool, default: True
        If false, and numbers exceed the tiles, training gets less, then validation, then test.

    Returns
    -------
    dict of str to int
        Tiles per subset.

    Raises
    ------
    InputError
        If more is asked for than there is.
    """
    asked: dict[str, Share | None] = {"test": plan.test, "val": plan.val, "train": plan.train}
    if all(share is None for share in asked.values()):
        asked = dict(PAPER if tiles >= PAPER_TILES else FRACTIONS)
    shares = {subset: asked[subset] or 0 for subset in SUBSETS}
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
        words = ", ".join(f"{subset} {shares[subset]}" for subset in reversed(SUBSETS))
        raise InputError(
            f"a split into {words} of {tiles} tiles",
            expected="no more than there are",
            remedy="Ask for fewer tiles, or for fractions such as 0.72, 0.08 and 0.2.",
        )
    return sizes


def _rounded(fractions: dict[str, float], tiles: int) -> dict[str, int]:
    """Round so that the sum is right: the largest remainders are rounded up."""
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
    """Divide tiles into train, val, test and unused.

    Parameters
    ----------
    names : sequence of str
        A name per tile, no two alike.
    plan : SplitPlan
        Sizes and seed.
    groups : sequence of str, optional
        The group of every tile, see `groups_of`; a group is never torn apart.
    strict : bool, default: True
        As for `subset_sizes`.

    Returns
    -------
    list of str
        The subset of every tile.

    Raises
    ------
    InputError
        If more is asked for than there is.
    """
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
    """Keep the subsets that folders name; without validation draw it from what trains.

    Parameters
    ----------
    names : sequence of str
        A name per tile, no two alike.
    named : sequence of str
        train, val, test, or '' for tiles in other folders, which are then unused.
    seed : int
        Of the draw.
    fraction : float
        How many of them are drawn, at least one.

    Returns
    -------
    list of str
        The subset of every tile.
    """
    subsets = [each or UNUSED for each in named]
    training = [name for name, subset in zip(names, subsets, strict=True) if subset == "train"]
    if "val" in subsets or len(training) < 2:
        return subsets
    number = min(max(round(fraction * len(training)), 1), len(training) - 1)
    drawn = set(sorted(training, key=rank_of(seed))[:number])
    return ["val" if name in drawn else subset for name, subset in zip(names, subsets, strict=True)]


def are_divided(named: Iterable[str]) -> bool:
    """Tell whether folders divide tiles: some train, and others validate or test."""
    there = set(named)
    return "train" in there and bool(there & {"val", "test"})


def groups_of(names: Sequence[str], pattern: str) -> list[str]:
    """Return the group of every name: the first group of the pattern's match.

    The pattern is searched for in the last part of a name, then in the whole of it.

    Raises
    ------
    InputError
        If `pattern` is no regular expression or is not found in a name.
    """
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise InputError(
            f"the regular expression {pattern!r} ({error})",
            expected=r"one such as '^(\d+)_'",
            remedy="Correct it; in a shell, put it in quotation marks.",
        ) from None
    found = [search(name.rsplit("/", 1)[-1]) or search(name) for name in names]
    lacking = [name for name, match in zip(names, found, strict=True) if match is None]
    if lacking:
        raise InputError(
            f"{pattern!r} is not found in {lacking[0]!r} and {len(lacking) - 1} other names",
            expected="every name to say its group",
            remedy="Change the regular expression, or leave those images out.",
        )
    return [match[1 if match.re.groups else 0] or "" for match in found if match]


def rank_of(seed: int, salt: str = "") -> Callable[[str], bytes]:
    """Return a key that sorts names in the random order of a seed."""
    return lambda name: hashlib.sha256(f"{seed}:{salt}:{name}".encode()).digest()


def _assign_groups(
    counts: Counter[str], sizes: dict[str, int], tiles: int, seed: int
) -> dict[str, str]:
    """Deal whole groups so that the subsets come nearest to their sizes, over seeded shuffles."""
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
            # the last groups go where there is nothing yet
            subset = max(empty if len(empty) >= to_come else left, key=lambda subset: left[subset])
            subset_of[group] = subset
            left[subset] -= counts[group]
        lacking = sum(wanted[subset] > 0 and left[subset] == wanted[subset] for subset in SUBSETS)
        cost = sum(abs(rest) for rest in left.values()) + tiles * lacking
        if cost < best[0]:
            best = (cost, subset_of)
    return best[1]
