"""The table of a dataset: whole, journalled, tolerant of what people do to it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, read_info, write_info
from napari_snow_unet.data.datasets.manifest import (
    JOURNAL,
    MANIFEST,
    Tile,
    append_to_journal,
    read_manifest,
    subset_images,
    subset_pairs,
    write_manifest,
)
from napari_snow_unet.data.datasets.splits import SplitPlan


def tile(index, split="train", **changes):
    name = f"{index:06d}.png"
    row = Tile(
        index, f"images/{name}", f"masks/{name}", f"seed{index}", "a.zip/a", "b.zip/b", 4, 5, 3, 0.1
    )
    return replace(row, split=split, **changes)


def test_what_is_written_is_read_back_in_the_order_of_the_numbers(tmp_path):
    tiles = [tile(2, fold=1, um_per_px=0.25, note='odd, "name"'), tile(0, foreground=1 / 3)]
    write_manifest(tmp_path, tiles)
    assert read_manifest(tmp_path) == tiles[::-1]


def test_the_fold_is_a_column_only_where_there_are_folds(tmp_path):
    write_manifest(tmp_path, [tile(0)])
    assert "fold" not in (tmp_path / MANIFEST).read_text().splitlines()[0].split(",")


def test_the_journal_counts_until_the_table_is_written_and_a_torn_line_is_passed_over(tmp_path):
    write_manifest(tmp_path, [tile(0)])
    append_to_journal(tmp_path, tile(1, split="val"))
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"index": 2, "image": "ima')
    assert read_manifest(tmp_path) == [tile(0), tile(1, split="val")]
    write_manifest(tmp_path, read_manifest(tmp_path))
    assert not (tmp_path / JOURNAL).exists()
    assert len(read_manifest(tmp_path)) == 2


def test_columns_that_somebody_added_stay(tmp_path):
    write_manifest(tmp_path, [tile(0), tile(1)])
    head, *rows = (tmp_path / MANIFEST).read_text().splitlines()
    text = "\n".join([f"{head},patient", *(f"{row},{n}" for n, row in enumerate(rows))])
    (tmp_path / MANIFEST).write_text("\ufeff" + text, encoding="utf-8")  # as Excel saves it
    tiles = read_manifest(tmp_path)
    assert [row.extra for row in tiles] == [{"patient": "0"}, {"patient": "1"}]
    write_manifest(tmp_path, tiles)
    assert read_manifest(tmp_path) == tiles


def test_the_images_of_a_subset(tmp_path):
    write_manifest(tmp_path, [tile(0), tile(1, "test"), tile(2)])
    assert subset_images(tmp_path, "train") == [
        tmp_path / "images/000000.png",
        tmp_path / "images/000002.png",
    ]
    assert subset_pairs(tmp_path, "test")[0][1] == tmp_path / "masks/000001.png"
    with pytest.raises(InputError) as error:
        subset_images(tmp_path, "val")
    assert error.value.message == messages.empty_subset("val", ("test", "train"))


def test_a_folder_without_a_table_is_refused(tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / MANIFEST).write_text("name,best_shift_dy\n01,3\n")
    columns = ("image", "index", "mask", "split")
    for folder, message in (
        (tmp_path, messages.NO_MANIFEST),
        (tmp_path / "none", messages.NO_FOLDER),
        (tmp_path / "foreign", messages.foreign_manifest(columns)),
    ):
        with pytest.raises(InputError) as error:
            read_manifest(folder)
        assert error.value.message == message


@pytest.mark.parametrize(
    "image", ["../secret.png", "/etc/passwd", "C:\\x.png", "images/../../x.png"]
)
def test_a_table_cannot_point_outside_its_folder(tmp_path, image):
    write_manifest(tmp_path, [tile(0, image=image)])
    with pytest.raises(InputError, match="Line 2 "):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("index,", "number,", "lacks .*: index"),
        ("\n0,", "\nx,", "Line 2"),
        ("\n0,", "\n,", "Line 2"),
    ],
)
def test_a_damaged_table_is_one_sentence(tmp_path, old, new, words):
    write_manifest(tmp_path, [tile(0)])
    write_info(tmp_path, DatasetInfo())
    path = tmp_path / MANIFEST
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=words):
        read_manifest(tmp_path)


def test_how_it_was_made_is_read_back(tmp_path):
    info = DatasetInfo("binary", 5000, SplitPlan(train=3, val=0.5, seed=7, group_by="^a", folds=4))
    write_info(tmp_path, info)
    assert read_info(tmp_path) == info


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99, "split": {}}', '{"format": 1}'])
def test_a_damaged_or_newer_description_is_refused(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=r"format 1|damaged") as error:
        read_info(tmp_path)
    assert error.value.path == tmp_path / "dataset.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("masks", "classes"),
        ("masks", ["labels"]),
        ("shard", 0),
        ("shard", 1.5),
        ("um_per_px", 0),
        ("um_per_px", float("nan")),
        ("um_per_px", 10**400),
        ("divided", 1),
        ("white", {"uint16": "4095"}),
        ("white", {"uint16": 0}),
        ("masks_are", "ids"),
        ("train", -1),
        ("val", True),
        ("test", "0.2"),
        ("seed", None),
        ("folds", -1),
        ("group_by", 1),
        ("folders", None),
    ],
)
def test_a_description_with_a_value_that_cannot_be_is_refused_by_name(tmp_path, name, value):
    entries = {"format": 1, "split": {}, name: value}
    if name in SplitPlan.__dataclass_fields__:
        entries = {"format": 1, "split": {name: value}}
    (tmp_path / "dataset.json").write_text(json.dumps(entries))
    with pytest.raises(InputError, match=rf"damaged \(.*\b{name} is "):
        read_info(tmp_path)
