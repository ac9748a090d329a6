import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, write_info
from napari_snow_unet.data.datasets.manifest import Tile, read_manifest, write_manifest
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.dataset import folds_of, open_training_set


@pytest.fixture
def copy(discs, tmp_path):
    return shutil.copytree(discs, tmp_path / "dataset")


def prepared(folder, parts, folds=None):
    rows = [
        Tile(
            index=i,
            image=f"images/d{i}.png",
            mask=f"masks/d{i}.png",
            name=f"n{i}",
            source_image="",
            source_mask="",
            height=48,
            width=48,
            nuclei=5,
            foreground=0.2,
            split=part,
            fold=None if folds is None else folds[i],
            um_per_px=0.25,
        )
        for i, part in enumerate(parts)
    ]
    write_manifest(folder, rows)
    return folder


def test_plain_folders_are_divided_by_the_seed(discs):
    tiles = open_training_set(discs, validation_fraction=0.2, seed=0)
    assert len(tiles.train) == 8
    assert len(tiles.validation) == 2
    names = [tile.name for tile in (*tiles.train, *tiles.validation)]
    assert sorted(names) == [f"d{i}" for i in range(10)]
    assert open_training_set(discs, validation_fraction=0.2, seed=0) == tiles
    others = {
        open_training_set(discs, validation_fraction=0.2, seed=s).validation for s in range(9)
    }
    assert len(others) > 1


def test_one_tile_validates_at_least_and_one_trains(copy):
    for i in range(2, 10):
        (copy / "images" / f"d{i}.png").unlink()
        (copy / "masks" / f"d{i}.png").unlink()
    tiles = open_training_set(copy, validation_fraction=0.01)
    assert len(tiles.train) == len(tiles.validation) == 1


def test_the_split_of_the_manifest_is_kept_and_test_tiles_are_not_touched(copy):
    parts = ["train"] * 5 + ["val"] * 2 + ["test"] * 2 + ["unused"]
    tiles = open_training_set(prepared(copy, parts), seed=7)
    assert [tile.image.name for tile in tiles.validation] == ["d5.png", "d6.png"]
    assert len(tiles.train) == 5
    assert tiles.train[0].um_per_px == 0.25
    assert tiles.notes[0] == messages.subsets_of_manifest(5, 2, None)


def test_a_fold_validates_and_all_others_train(copy):
    prepared(copy, ["train"] * 9 + ["test"], [0, 0, 0, 1, 1, 1, 2, 2, 2, None])
    tiles = open_training_set(copy, fold=1)
    assert [tile.image.stem for tile in tiles.validation] == ["d3", "d4", "d5"]
    assert len(tiles.train) == 6
    assert folds_of(copy) == [0, 1, 2]
    with pytest.raises(InputError) as refused:
        open_training_set(copy, fold=3)
    assert refused.value.message == messages.no_such_fold(3, (0, 1, 2))


def test_training_tiles_without_a_fold_train_in_every_fold(copy):
    parts = ["train"] * 4 + ["val", "test", "unused", "train"] + ["train"] * 2
    prepared(copy, parts, folds=[0, 0, 1, 1, None, None, None, None, None, None])
    tiles = open_training_set(copy, fold=1)
    assert [tile.name for tile in tiles.validation] == ["n2", "n3"]
    assert [tile.name for tile in tiles.train] == ["n0", "n1", "n7", "n8", "n9"]


def weighted(folder, weight):
    prepared(folder, ["train"] * 9 + ["val"])
    rows = read_manifest(folder)
    rows[3] = replace(rows[3], extra={"weight": weight})
    write_manifest(folder, rows)
    return folder


def test_the_weight_of_a_tile_stands_in_the_manifest_and_belongs_to_the_fingerprint(copy):
    even = open_training_set(weighted(copy, ""))
    heavy = open_training_set(weighted(copy, "2.5"))
    assert {tile.weight for tile in even.train} == {1.0}
    assert {tile.name: tile.weight for tile in heavy.train if tile.weight != 1} == {"n3": 2.5}
    assert even.fingerprint != heavy.fingerprint


@pytest.mark.parametrize("weight", ["0", "-1", "heavy", "nan", "inf", "1e9"])
def test_a_weight_that_is_none_is_refused_by_tile(copy, weight):
    with pytest.raises(InputError, match=r"manifest\.csv.* weight of n3"):
        open_training_set(weighted(copy, weight))


def test_a_pixel_size_no_microscope_has_is_refused_with_its_table(copy):
    rows = read_manifest(prepared(copy, ["train"] * 9 + ["val"]))
    write_manifest(copy, [*rows[:3], replace(rows[3], um_per_px=25), *rows[4:]])
    with pytest.raises(InputError, match=r"manifest\.csv: The pixel size of 25 µm.* 0\.05 to 20"):
        open_training_set(copy)


def test_folds_need_a_manifest_with_folds(discs, copy):
    with pytest.raises(InputError, match=messages.NO_FOLDS.problem):
        open_training_set(discs, fold=0)
    with pytest.raises(InputError, match="has 0 folds"):
        folds_of(prepared(copy, ["train"] * 9 + ["val"]))


def test_a_manifest_of_somebody_else_is_ignored_with_a_note(copy):
    (copy / "manifest.csv").write_text("name,patient\nd1,3\n")
    tiles = open_training_set(copy)
    assert any("ignored" in note for note in tiles.notes)
    assert len(tiles.train) == 9


def test_files_without_partner_and_other_files_are_left_out(copy):
    (copy / "masks" / "d3.png").unlink()
    (copy / "images" / "readme.txt").write_text("hello")
    (copy / "images" / ".DS_Store").write_bytes(b"x")
    (copy / "images" / "._d4.png").write_bytes(b"x")
    tiles = open_training_set(copy)
    assert len(tiles.train) + len(tiles.validation) == 9
    assert any("d3" in note for note in tiles.notes)


def test_a_part_without_tiles_is_refused(copy):
    with pytest.raises(InputError, match=messages.empty_subset("val", 10).problem):
        open_training_set(prepared(copy, ["train"] * 10))


def doubts(tiles):
    return [note for note in tiles.notes if note.startswith(messages.few_groups(2)[:25])]


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ([f"{i // 2}_{i}" for i in range(10)], 2),  # five patients, of whom two validate
        ([f"{i}_a" for i in range(10)], None),  # a patient per tile
        ([f"tile_{i}" for i in range(10)], None),  # the same start everywhere says nothing
    ],
)
def test_few_patients_in_validation_are_doubted_by_their_names(copy, names, groups):
    for number, name in enumerate(names):
        for kind in ("images", "masks"):
            path = copy / kind / ("val" if number >= 6 else "train") / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            (copy / kind / f"d{number}.png").rename(path)
    tiles = open_training_set(copy)
    assert len(tiles.validation) == 4
    assert doubts(tiles) == ([messages.few_groups(groups)] if groups else [])


def test_few_patients_in_validation_are_doubted_by_the_pattern_of_the_split(copy):
    """Sources are named by patient; the names in the table say nothing."""
    parts = ["train"] * 6 + ["val"] * 4
    prepared(copy, parts)
    assert doubts(open_training_set(copy)) == []  # four names, four groups at most
    rows = read_manifest(copy)
    write_manifest(
        copy, [replace(row, source_image=f"p{i // 5}-{i}.png") for i, row in enumerate(rows)]
    )
    write_info(copy, DatasetInfo(split=SplitPlan(group_by="^(p.)-")))
    assert doubts(open_training_set(copy)) == [messages.few_groups(1)]


def test_a_missing_file_is_named_before_anything_is_computed(copy):
    prepared(copy, ["train"] * 5 + ["val"] * 5)
    (copy / "masks" / "d2.png").unlink()
    with pytest.raises(InputError, match=r"d2\.png"):
        open_training_set(copy)


def test_a_mask_of_another_size_is_refused_before_anything_is_computed(copy):
    write_labels(copy / "masks" / "d3.png", np.ones((24, 48), np.int32), overwrite=True)
    with pytest.raises(InputError, match=r"d3\.png: The mask or region has 24 x 48.*48 x 48"):
        open_training_set(copy)


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_a_folder_without_images_or_masks_is_refused(copy, missing):
    shutil.rmtree(copy / missing)
    with pytest.raises(InputError, match=missing):
        open_training_set(copy)


def test_regions_are_found_and_belong_to_the_fingerprint(copy):
    before = open_training_set(copy).fingerprint
    write_labels(copy / "regions" / "d4.png", np.ones((48, 48), np.int32))
    tiles = open_training_set(copy)
    with_region = [tile for tile in (*tiles.train, *tiles.validation) if tile.region]
    assert [tile.name for tile in with_region] == ["d4"]
    assert tiles.fingerprint != before


def test_a_changed_file_changes_the_fingerprint(copy):
    before = open_training_set(copy).fingerprint
    assert open_training_set(copy).fingerprint == before
    write_image(copy / "images" / "d0.png", np.zeros((48, 48, 3), np.uint8), overwrite=True)
    assert open_training_set(copy).fingerprint != before
