"""What folders say of the files in them."""

from __future__ import annotations

import pytest

from napari_snow_unet.data.names.folder_names import (
    folder_role,
    is_ignored_folder,
    marks_of,
    place_of,
    subset_of_file,
)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("images", "image"),
        ("SNOW_Image", "image"),
        ("Lizard_Images1", "image"),
        ("imagesTr", "image"),
        ("tissue images", "image"),
        ("mask_0_5000", "mask"),
        ("labelsTr", "mask"),
        ("label images", "mask"),
        ("image_masks", "mask"),
        ("tile-labels", "mask"),
        ("images_and_masks", None),
        ("MoNuSeg 2018 Training Data", None),
        ("NuInsSeg", None),
        ("imagery", None),
        ("unmasked", None),
    ],
)
def test_the_role_of_a_folder(name, role):
    assert folder_role(name) == role


@pytest.mark.parametrize(
    ("name", "marks"),
    [("GT_01", "01"), ("A_images", "a"), ("label masks modify", ""), ("mask_0_5000", "0 5000")],
)
def test_what_a_folder_says_besides(name, marks):
    assert marks_of(name) == marks


def test_the_innermost_folder_decides_and_a_strong_word_goes_before_a_weak_one():
    assert place_of("", ("masks", "Slide_01")).role == "mask"
    assert place_of("", ("images", "p1", "masks")).role == "mask"
    assert place_of("", ("GT_01",)).role == "mask"
    assert place_of("masks", ("p1",)).role == "mask"
    assert place_of("", ("patient 1", "images", "a")).rest == ("patient 1", "a")


@pytest.mark.parametrize(
    "name",
    ["overlay", "Overlays", "overlay_save_path", "distance maps", "weighted_maps_erode", ".git",
     "vague areas", "mask binary without border", "__MACOSX", "regions", "stacked mask",
     "automatic_labels"],
)  # fmt: skip
def test_folders_that_are_passed_over(name):
    assert is_ignored_folder(name)


def test_a_folder_called_json_is_passed_over_beside_one_called_mat():
    assert is_ignored_folder("JSON", ["Mat", "overlay"])
    assert not is_ignored_folder("json", ["overlay"])
    assert place_of("", ("json",)).role == "mask"
    assert place_of("", ("json",)).rank > place_of("", ("masks",)).rank


@pytest.mark.parametrize(
    ("file", "subset"),
    [
        ("data/train/images/1.png", "train"),
        ("data/Validation/1.png", "val"),
        ("data/images/test/same_tissue/1.png", "test"),
        ("data/val_images/1.png", "val"),
        ("data/imagesTs/1.png", "test"),
        ("data/training set/1.png", "train"),
        ("train/images/1.png", "train"),
        ("train.zip/images/1.png", "train"),
        ("train/val/1.png", "val"),
        ("data/stage1_train/1.png", ""),
        ("data/trained/1.png", ""),
        ("data/images/train.png", ""),
    ],
)
def test_the_subset_of_a_file(file, subset):
    assert subset_of_file(file) == subset
