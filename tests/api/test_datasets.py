"""Datasets from images and masks: prepared, checked, split."""

import pytest

import napari_snow_unet as snow
from napari_snow_unet.base.errors import InputError


def test_a_dataset_is_prepared_checked_and_split(place):
    seen = []
    dataset = snow.prepare(
        ["images", "masks"], "dataset", pixel_size_um=0.25, train=0.5, val=2, test=2, seed=3,
        progress=seen.append,
    )  # fmt: skip
    assert seen[-1].done == seen[-1].total == 8
    assert dataset.subsets == {"train": 4, "val": 2, "test": 2, "unused": 0}
    assert {tile.um_per_px for tile in dataset.tiles} == {0.25}
    assert snow.check("dataset", workers=1).problems == []
    sizes = snow.split("dataset", train=7, val=1)
    assert sizes.subsets["train"] == 7
    assert sizes.folds == []
    assert snow.split("dataset", folds=2).folds == [4, 4]
    assert snow.split("dataset").subsets == sizes.subsets
    again = snow.prepare(["images", "masks"], "dataset")
    assert again.new == 0
    done = snow.segment_folder("dataset", "out", "classical", subset="val")
    assert len(done.results) == 1
    assert snow.evaluate_folder("out", "dataset", subset="val").tiles.keys() == {
        done.results[0].source.stem
    }


def test_one_source_needs_no_list(place):
    (place / "masks").rename(place / "images" / "masks")
    assert len(snow.prepare("images", "dataset", limit=3).tiles) == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda: snow.prepare("nothing", "dataset"),
        lambda: snow.prepare(["images", "masks"], "images"),
        lambda: snow.prepare(["images", "masks"], "dataset", train=100),
        lambda: snow.check("nothing"),
        lambda: snow.split("images", val=1),
    ],
)
def test_what_cannot_be_used_is_an_input_error(call, place):
    with pytest.raises(InputError):
        call()


def test_a_folder_with_two_equal_images_has_a_problem(place):
    (place / "pairs").mkdir()
    for folder in ("images", "masks"):
        (place / folder / "8.png").write_bytes((place / folder / "7.png").read_bytes())
        (place / folder).rename(place / "pairs" / folder)
    assert [finding.kind for finding in snow.check("pairs").problems] == ["duplicate"]
