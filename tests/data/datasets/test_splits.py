"""Splits: right sizes, stable, independent of order, whole groups, folds."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.folds import assign_folds
from napari_snow_unet.data.datasets.splits import (
    SplitPlan,
    assign_subsets,
    groups_of,
    parse_share,
    subset_sizes,
)


def names(count):
    return [f"seed{number:04d}" for number in range(count)]


@pytest.mark.parametrize(
    ("tiles", "expected"),
    [
        (5000, (3600, 400, 1000)),
        (20000, (3600, 400, 1000)),
        (4999, (3599, 400, 1000)),
        (100, (72, 8, 20)),
        (6, (4, 1, 1)),
        (5, (3, 1, 1)),
        (4, (2, 1, 1)),
        (3, (2, 1, 0)),
        (2, (2, 0, 0)),
        (1, (1, 0, 0)),
        (0, (0, 0, 0)),
    ],
)
def test_default_is_the_papers_split_or_its_fractions(tiles, expected):
    sizes = subset_sizes(SplitPlan(), tiles)
    assert (sizes["train"], sizes["val"], sizes["test"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("3600", 3600), ("0.72", 0.72), ("8%", 0.08), ("0", 0), ("1.0", 1.0)]
)
def test_a_point_or_percent_makes_a_fraction(text, expected):
    share = parse_share(text)
    assert share == pytest.approx(expected)
    assert type(share) is type(expected)


@pytest.mark.parametrize("text", ["half", "-1", "1.5", "120%", "nan", ""])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(InputError) as error:
        parse_share(text)
    assert error.value.message == messages.not_a_share(text)


@given(st.integers(0, 300), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_fractions_that_add_up_to_one_leave_nothing_over(tiles, first, second):
    train, val = first, (1 - first) * second
    plan = SplitPlan(train=train, val=val, test=1 - train - val)
    assert sum(subset_sizes(plan, tiles).values()) == tiles


def test_a_subset_left_out_is_empty_once_another_is_given():
    assert subset_sizes(SplitPlan(train=0.8, val=0.2), 10) == {"test": 0, "val": 2, "train": 8}


@pytest.mark.parametrize("plan", [SplitPlan(train=11), SplitPlan(train=0.9, val=0.2)])
def test_more_than_there_is_is_refused(plan):
    with pytest.raises(InputError, match="10 tiles"):
        subset_sizes(plan, 10)


def test_where_tiles_were_lost_training_gets_less():
    sizes = subset_sizes(SplitPlan(train=6, val=2, test=4), 11, strict=False)
    assert sizes == {"test": 4, "val": 2, "train": 5}


def test_numbers_are_met_and_the_rest_is_unused():
    subsets = Counter(assign_subsets(names(50), SplitPlan(train=20, val=5, test=10)))
    assert subsets == {"train": 20, "val": 5, "test": 10, "unused": 15}


def test_the_order_of_the_names_does_not_matter_but_the_seed_does():
    plan, tiles = SplitPlan(train=0.5, val=0.2, test=0.3), names(60)
    forward = dict(zip(tiles, assign_subsets(tiles, plan), strict=True))
    backward = dict(zip(tiles[::-1], assign_subsets(tiles[::-1], plan), strict=True))
    assert forward == backward
    frozen = ["train", "val", "val", "train", "val", "test"]  # a release must not move tiles
    assert list(forward.values())[:6] == frozen
    other = assign_subsets(tiles, SplitPlan(train=0.5, val=0.2, test=0.3, seed=1))
    assert other != list(forward.values())


def test_asking_for_more_training_tiles_leaves_the_other_subsets_alone():
    few = assign_subsets(names(60), SplitPlan(train=10, val=5, test=10))
    many = assign_subsets(names(60), SplitPlan(train=40, val=5, test=10))
    kept = [(a, b) for a, b in zip(few, many, strict=True) if a != "unused"]
    assert all(a == b for a, b in kept)


@given(st.lists(st.integers(1, 9), min_size=4, max_size=12), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_groups_are_never_torn_apart_and_no_subset_is_empty(sizes, seed):
    tiles = [f"{group:02d}_{n}" for group, size in enumerate(sizes) for n in range(size)]
    plan = SplitPlan(train=0.6, val=0.2, test=0.2, seed=seed)
    subsets = assign_subsets(tiles, plan, groups_of(tiles, r"^(\d+)_"))
    subset_of = {}
    for tile, subset in zip(tiles, subsets, strict=True):
        assert subset_of.setdefault(tile[:2], subset) == subset
    wanted = {subset for subset, size in subset_sizes(plan, len(tiles)).items() if size}
    assert set(subsets) == wanted


def test_groups_come_near_the_sizes_asked_for():
    tiles = [f"{group:02d}_{n}" for group in range(40) for n in range(5)]
    subsets = Counter(assign_subsets(tiles, SplitPlan(), groups_of(tiles, r"^\d+")))
    assert subsets == {"train": 145, "val": 15, "test": 40}


def test_a_group_is_looked_for_in_the_file_name_then_in_the_path():
    assert groups_of(["tnbc/images/07_1"], r"^\d+") == ["07"]
    assert groups_of(["patient3/images/a", "patient4/images/a"], r"patient(\d)") == ["3", "4"]


def test_a_pattern_that_matches_nothing_is_refused():
    with pytest.raises(InputError) as error:
        groups_of(["1a", "a1", "a2"], r"^\d")
    assert error.value.message == messages.names_without_group(r"^\d", ("a1", "a2"))
    with pytest.raises(InputError) as error:
        groups_of(["a1"], "(")
    assert error.value.message.problem.startswith("'('")
    assert error.value.helps == ("group_by",)


def test_folds_are_of_nearly_equal_size_and_keep_groups_together():
    plain = Counter(assign_folds(names(23), SplitPlan(folds=5)))
    assert sorted(plain.values()) == [4, 4, 5, 5, 5]
    tiles = [f"{group}_{n}" for group in "abcdef" for n in range(4)]
    folds = assign_folds(tiles, SplitPlan(folds=3), groups_of(tiles, "^(.)_"))
    assert sorted(Counter(folds).values()) == [8, 8, 8]
    assert len({(tile[0], fold) for tile, fold in zip(tiles, folds, strict=True)}) == 6


@pytest.mark.parametrize("folds", [1, 4])
def test_a_number_of_folds_that_cannot_be_is_refused(folds):
    with pytest.raises(InputError) as error:
        assign_folds(names(3), SplitPlan(folds=folds))
    assert error.value.message == messages.impossible_folds(folds, 3, "tile")


@pytest.mark.parametrize("sizes", [(4, 4, 3), (1, 1, 1), (9, 1, 1), (5, 5, 5, 5)])
def test_three_groups_are_enough_for_three_subsets(sizes):
    tiles = [f"{group}_{n}" for group, size in enumerate(sizes) for n in range(size)]
    plan = SplitPlan(train=0.72, val=0.08, test=0.2)
    wanted = {subset for subset, size in subset_sizes(plan, len(tiles)).items() if size}
    assert set(assign_subsets(tiles, plan, groups_of(tiles, r"^(\d)_"))) == wanted
