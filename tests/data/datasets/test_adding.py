"""Tiles that are added one by one: their files, subset, origin, and what is refused."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import adding, messages
from napari_snow_unet.data.datasets.adding import (
    NewTile,
    add_tile,
    mark_to_draw,
    same_tile,
    standing,
)
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.dataset_info import read_info
from napari_snow_unet.data.datasets.divide import split_dataset
from napari_snow_unet.data.datasets.manifest import YES, read_manifest, write_manifest
from napari_snow_unet.data.datasets.prepare import messages as of_prepare
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.datasets.truth_origin import EditedNucleus, TruthOrigin, truth_origin
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei
from napari_snow_unet.data.pixels.images import ImageFile, read_image, write_image
from napari_snow_unet.unet.runs.dataset import open_training_set

PREDICTED = TruthOrigin("prediction", "net", "0123456789abcdef")
DELETED = [EditedNucleus("deleted", 3, 10.0, 20.5)]


def new(number, name=None, pixel_size_um=0.25, **facts):
    """Return a tile of 40 by 60 pixels that no other number has, with two nuclei."""
    rng = np.random.default_rng(number)
    labels = np.zeros((40, 60), np.int32)
    labels[5:15, 5:15], labels[20:30, 30:40] = 1, 70_000
    pixels = rng.integers(0, 255, (40, 60, 3)).astype(np.uint8)
    image = ImageFile(pixels, pixel_size_um, Path("x"))
    return NewTile(name or f"p{number % 2}_{number}", image, labels, **facts)


def subsets(folder):
    return [tile.split for tile in read_manifest(folder)]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_tile_is_copied_with_all_that_is_stated_about_it(tmp_path):
    region = np.zeros((40, 60), bool)
    region[:20] = True
    tile = new(0, region=region, origin=PREDICTED, edits=DELETED)
    added = add_tile(tmp_path / "mine", tile)
    row, folder = added.tile, added.folder
    assert np.array_equal(read_image(folder / row.image).array, tile.image.array)
    labels = read_labels(folder / row.mask)
    assert np.array_equal(labels > 0, tile.labels > 0)
    assert len(np.unique(labels)) == 3
    assert np.array_equal(read_labels(folder / "regions/000000.png") > 0, region)
    assert (row.truth, row.truth_model, row.truth_model_sha256) == (
        "prediction",
        PREDICTED.model,
        PREDICTED.checksum,
    )
    assert (row.truth_edits, row.um_per_px, row.nuclei) == ("1 deleted", 0.25, 2)
    with (folder / "corrections/000000.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"change": "deleted", "nucleus": "3", "y": "10.0", "x": "20.5"}
        ]
    assert read_manifest(folder) == [row]
    assert truth_origin(folder / row.mask) == replace(PREDICTED, edits="1 deleted")
    assert messages.added(folder, row.image, row.mask) in added.text()


def test_no_tile_changes_its_subset_and_one_of_three_validates(tmp_path):
    folder, before = tmp_path / "mine", []
    for number in range(10):
        standing_before = standing(folder, f"p{number % 2}_{number}")
        add_tile(folder, new(number))
        now = subsets(folder)
        assert now[:-1] == before
        assert standing_before.subset == now[-1]
        assert number < 2 or "val" in now
        before = now
    assert {name: before.count(name) for name in ("train", "val", "test")} == {
        "train": 7,
        "val": 1,
        "test": 2,
    }
    assert not run(check_dataset(folder, workers=1)).problems


def test_a_group_and_folds_are_kept(tmp_path):
    folder = tmp_path / "mine"
    for number in range(6):
        add_tile(folder, new(number))
    split_dataset(folder, SplitPlan(0.5, 0.5, group_by=r"^(\w+)_", folds=2))
    subset_of = {tile.name[:2]: (tile.split, tile.fold) for tile in read_manifest(folder)}
    assert len(subset_of) == 2
    for number in (6, 7):
        tile = add_tile(folder, new(number)).tile
        assert (tile.split, tile.fold) == subset_of[tile.name[:2]]


def test_a_full_plan_gives_one_more_training_tile(tmp_path):
    folder = tmp_path / "mine"
    for number in range(3):
        add_tile(folder, new(number))
    split_dataset(folder, SplitPlan(2, 1))
    assert add_tile(folder, new(3)).tile.split == "train"


@pytest.mark.parametrize("same", [{}, {"name": "renamed"}, {"pixel_size_um": None}])
def test_the_same_image_is_replaced_only_if_asked(tmp_path, same):
    folder = tmp_path / "mine"
    for number in range(3):
        add_tile(folder, new(number, region=np.eye(40, 60) > 0, origin=PREDICTED, edits=DELETED))
    rows = read_manifest(folder)
    write_manifest(folder, [replace(row, extra={"weight": "2"}) for row in rows])
    before = contents(folder)
    tile = new(1, **same)
    tile.labels[5:15, 5:15] = 0
    with pytest.raises(InputError, match=re.escape(messages.TILE_EXISTS.problem)):
        add_tile(folder, tile)
    assert contents(folder) == before
    assert same_tile(folder, tile).index == 1
    added = add_tile(folder, tile, replace_tile=True)
    assert (added.replaced, added.tiles) == (True, 3)
    row = read_manifest(folder)[1]
    assert (row.nuclei, row.split, row.name, row.extra) == (1, "train", "p1_1", {"weight": "2"})
    assert (row.truth, row.truth_model, row.truth_edits) == ("", "", "")
    changed = {path for path, content in contents(folder).items() if before[path] != content}
    assert {path.name for path in changed} <= {"000001.png", "manifest.csv"}
    assert set(before) - set(contents(folder)) == {
        folder / "regions/000001.png",
        folder / "corrections/000001.csv",
    }


def test_another_image_of_the_same_name_is_another_tile(tmp_path):
    add_tile(tmp_path, new(0, "a"))
    assert add_tile(tmp_path, new(1, "a")).tile.name == "a [1]"
    assert same_tile(tmp_path, new(2, "a")) is None


def test_a_full_disk_leaves_the_tile_as_it_was(tmp_path, monkeypatch):
    add_tile(tmp_path, new(0))
    before, written = contents(tmp_path), []

    def full(path, **options):
        written.append(path)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        return written_whole(path, **options)

    monkeypatch.setattr(adding, "written_whole", full)
    tile = new(0, region=np.ones((40, 60), bool))
    tile.labels[:] = 0
    with pytest.raises(InputError):
        add_tile(tmp_path, tile, replace_tile=True)
    assert contents(tmp_path) == before


def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=re.escape(of_prepare.NOT_EMPTY.problem)):
        add_tile(tmp_path, new(0))
    folder, tile = tmp_path / "mine", new(0)
    for wrong in (
        replace(tile, labels=tile.labels[1:]),
        replace(tile, region=np.ones((3, 3), bool)),
        replace(tile, region=np.zeros((40, 60), bool)),
    ):
        with pytest.raises(InputError):
            add_tile(folder, wrong)
    assert not folder.exists()


def test_images_of_16_bits_share_the_white_of_the_dataset(tmp_path):
    tile = new(0)
    image = replace(tile.image, array=tile.image.array.astype(np.uint16) * 16)
    add_tile(tmp_path, replace(tile, image=image))
    assert read_info(tmp_path).white == {"uint16": 4095}


def test_a_marked_tile_takes_no_prediction(tmp_path):
    for number in range(3):
        add_tile(tmp_path, new(number, origin=PREDICTED))
    drawn = add_tile(tmp_path, new(3, origin=TruthOrigin("drawn"))).tile
    assert (drawn.split, drawn.draw_without_prediction) == ("test", YES)
    with pytest.raises(InputError, match=re.escape(messages.TO_BE_DRAWN.problem)):
        add_tile(tmp_path, new(3, origin=PREDICTED), replace_tile=True)
    mark_to_draw(tmp_path, "p0_2")
    assert [tile.draw_without_prediction for tile in read_manifest(tmp_path)] == ["", "", YES, YES]
    findings = run(check_dataset(tmp_path, workers=1)).problems
    assert [(each.name, each.text) for each in findings] == [
        ("images/000002.png", messages.TO_BE_DRAWN.text())
    ]
    again = add_tile(
        tmp_path, new(3, origin=PREDICTED), replace_tile=True, draw_without_prediction=False
    )
    assert messages.favours("net") in again.text()


def test_check_and_training_report_predictions(tmp_path):
    for number in range(4):
        add_tile(tmp_path, new(number, origin=PREDICTED if number else TruthOrigin()))
    told = [each.text for each in run(check_dataset(tmp_path, workers=1)).findings]
    assert messages.corrected(3, 4, ("net (01234567)",)) in told
    assert told.count(messages.favours("net")) == 2
    tiles = open_training_set(tmp_path)
    assert tiles.corrected == {"net (01234567)": 2}
    assert messages.corrected(2, 3, ("net (01234567)",)) in tiles.notes


def test_prepare_keeps_added_tiles_and_the_origin_and_region_of_masks(tmp_path):
    mine, again = tmp_path / "mine", tmp_path / "again"
    region = np.eye(40, 60) > 0
    for number in range(3):
        add_tile(mine, new(number, region=region, origin=PREDICTED, edits=DELETED))
    before = [(tile.image_sha256, tile.truth_edits) for tile in read_manifest(mine)]
    rows = run(prepare([mine], again, PrepareOptions(workers=1))).tiles
    assert [(tile.image_sha256, tile.truth_edits) for tile in rows] == before
    assert {TruthOrigin.of_tile(tile).named_model for tile in rows} == {"net (01234567)"}
    assert np.array_equal(read_labels(again / "regions/000000.png") > 0, region)
    source, tile = tmp_path / "source", new(1)
    (source / "masks").mkdir(parents=True)
    (source / "images").mkdir()
    write_image(source / "images/p1_1.png", tile.image.array)
    write_labels(source / "masks/p1_1.png", np.eye(40, 60, dtype=np.int32))
    prepared = run(prepare([source], mine, PrepareOptions(workers=1)))
    assert [(tile.image_sha256, tile.truth_edits) for tile in prepared.tiles] == before
    assert len(prepared.problems) == 1


def test_a_source_that_changes_does_not_replace_corrections(tmp_path):
    source, mine = tmp_path / "source", tmp_path / "mine"
    (source / "masks").mkdir(parents=True)
    (source / "images").mkdir()
    write_image(source / "images/p1_1.png", new(1).image.array)
    write_labels(source / "masks/p1_1.png", np.eye(40, 60, dtype=np.int32))
    run(prepare([source], mine, PrepareOptions(workers=1)))
    corrected = add_tile(mine, new(1, origin=PREDICTED), replace_tile=True).tile
    write_labels(source / "masks/p1_1.png", np.zeros((40, 60), np.int32), overwrite=True)
    prepared = run(prepare([source], mine, PrepareOptions(workers=1)))
    assert prepared.tiles == [corrected]
    assert len(prepared.problems) == 1


@pytest.mark.parametrize("ending", ["nuclei", "nuclei (net) [2]", "nuclei mask", "nuclei (drawn)"])
def test_names_of_save_as_are_paired_and_state_their_model(tmp_path, ending):
    tile = new(1)
    write_image(tmp_path / "in/10_1.png", tile.image.array)
    facts = {"model": "net", "model_checksum": "0123456789abcdef"}
    write_nuclei(tmp_path / f"in/10_1 {ending}.png", Nuclei(tile.labels % 65_536, provenance=facts))
    (row,) = run(prepare([tmp_path / "in"], tmp_path / "mine", PrepareOptions(workers=1))).tiles
    assert (row.name, row.truth, row.truth_model) == ("10_1", "prediction", "net")
