"""Which image belongs to which mask, in every layout people have."""

from __future__ import annotations

import os

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.names.file_names import natural_key, tile_name
from napari_snow_unet.data.pairs import messages
from napari_snow_unet.data.pairs.folder import find_pairs
from napari_snow_unet.data.pairs.partner import is_mask_path, partner_of

JUNK = [
    "__MACOSX/Image/._seed0000.png",
    "Image/._seed0000.png",
    "Image/.DS_Store",
    "Mask/Thumbs.db",
    "readme.txt",
    "mask_0_5000/overlay/seed0000.png",
    "mask_0_5000/json/seed0000.json",
]
LAYOUTS = {
    "unpacked release": ("Image/seed0000.png", "Mask/seed0000.mat"),
    "one level up": ("SNOW_Dataset_20k/Image/seed0000.png", "SNOW_Dataset_20k/Mask/seed0000.mat"),
    "archives": ("SNOW_Image/seed0000.png", "mask_0_5000/mat/seed0000.mat"),
    "archives in folders of their own": (
        "SNOW_Image/SNOW_Image/seed0000.png",
        "mask_0_5000/mask_0_5000/mat/seed0000.mat",
    ),
    "later archive": ("SNOW_Image/seed12000.png", "mask_10k_15k/mat/seed12000.mat"),
    "prepared": ("images/000000.png", "masks/000000.png"),
    "prepared in shards": ("images/00/000000.png", "masks/00/000000.png"),
    "side by side": ("seed0000.png", "seed0000.mat"),
    "split into parts": ("train/images/a.png", "train/masks/a.png"),
    "parts within": ("images/train/a.png", "masks/train/a.png"),
    "other types": ("images/a.ome.tif", "labels/a.tiff"),
    "in capitals": ("IMAGES/A.PNG", "MASKS/A.PNG"),
}


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return [folder / name for name in names]


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize(("image", "mask"), LAYOUTS.values(), ids=LAYOUTS)
def test_pairs_are_found_in_every_layout(tmp_path, image, mask):
    touch(tmp_path, image, mask, *JUNK)
    pairs = find_pairs(tmp_path)
    assert names(pairs.images, tmp_path) == [image]
    assert names(pairs.masks, tmp_path) == [mask]
    assert pairs.orphans == []


@pytest.mark.parametrize(("image", "mask"), LAYOUTS.values(), ids=LAYOUTS)
def test_each_file_finds_its_partner(tmp_path, image, mask):
    image, mask = touch(tmp_path, image, mask)
    touch(tmp_path, *JUNK)
    assert partner_of(image) == mask
    assert partner_of(mask) == image
    assert is_mask_path(mask)
    assert not is_mask_path(image)


def test_natural_order():
    assert sorted(["seed10", "seed2", "Seed1", "a"], key=natural_key) == [
        "a",
        "Seed1",
        "seed2",
        "seed10",
    ]


def test_pairs_come_in_natural_order_across_archives(tmp_path):
    for number in (9999, 3, 10_000, 12, 5000):
        place = "mask_0_5000" if number < 5000 else "mask_5001_10k"
        touch(tmp_path, f"SNOW_Image/seed{number}.png", f"{place}/mat/seed{number}.mat")
    stems = [path.stem for path in find_pairs(tmp_path).masks]
    assert stems == ["seed3", "seed12", "seed5000", "seed9999", "seed10000"]


def test_what_has_no_partner_is_an_orphan(tmp_path):
    touch(tmp_path, "Image/seed1.png", "Mask/seed1.mat", "Image/seed2.png", "Mask/seed3.mat")
    pairs = find_pairs(tmp_path)
    assert names(pairs.images, tmp_path) == ["Image/seed1.png"]
    assert names(pairs.orphans, tmp_path) == ["Image/seed2.png", "Mask/seed3.mat"]
    assert partner_of(tmp_path / "Image" / "seed2.png") is None
    assert partner_of(tmp_path / "Mask" / "seed3.mat") is None


def test_a_second_mask_of_the_same_name_is_an_orphan(tmp_path):
    touch(tmp_path, "Image/seed1.png", "Mask/seed1.mat", "Mask/seed1.png")
    pairs = find_pairs(tmp_path)
    assert names(pairs.masks, tmp_path) == ["Mask/seed1.mat"]
    assert names(pairs.orphans, tmp_path) == ["Mask/seed1.png"]


def test_equal_names_in_different_parts_stay_apart(tmp_path):
    for part in ("train", "test"):
        touch(tmp_path, f"{part}/images/1.png", f"{part}/masks/1.png")
    pairs = find_pairs(tmp_path)
    assert [path.parts[-3] for path in pairs.images] == [path.parts[-3] for path in pairs.masks]
    assert len(pairs.images) == 2


def test_archives_unpacked_side_by_side_are_matched_by_name(tmp_path):
    touch(tmp_path, "download1/SNOW_Image/seed1.png", "download2/mask_0_5000/mat/seed1.mat")
    assert names(find_pairs(tmp_path).masks, tmp_path) == ["download2/mask_0_5000/mat/seed1.mat"]


@pytest.mark.parametrize("chosen", ["SNOW_Image", "mask_0_5000", "mask_0_5000/mat"])
def test_the_image_or_mask_folder_alone_will_do(tmp_path, chosen):
    touch(tmp_path, "SNOW_Image/seed1.png", "mask_0_5000/mat/seed1.mat", "SNOW_Image/seed7000.png")
    pairs = find_pairs(tmp_path / chosen)
    assert names(pairs.images, tmp_path) == ["SNOW_Image/seed1.png"]
    expected = ["SNOW_Image/seed7000.png"] if chosen == "SNOW_Image" else []
    assert names(pairs.orphans, tmp_path) == expected  # only what lies in the chosen folder


def test_a_folder_named_for_both_holds_both(tmp_path):
    folder = tmp_path / "images_and_masks"
    touch(folder, "a.png", "a.mat")
    assert len(find_pairs(folder).images) == 1


def test_a_link_that_leads_in_circles_ends(tmp_path):
    touch(tmp_path, "Image/seed1.png", "Mask/seed1.mat")
    try:
        (tmp_path / "Image" / "again").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("links need rights here")
    assert len(find_pairs(tmp_path).images) == 1


def test_linked_folders_are_followed(tmp_path):
    touch(tmp_path, "store/img/seed1.png", "set/Mask/seed1.mat")
    try:
        (tmp_path / "set" / "Image").symlink_to(tmp_path / "store" / "img")
    except OSError:
        pytest.skip("links need rights here")
    assert names(find_pairs(tmp_path / "set").images, tmp_path) == ["set/Image/seed1.png"]


def test_odd_names(tmp_path, monkeypatch):
    odd = "Bücher [x] (1) é 核"
    touch(tmp_path / odd, f"Image/{odd}.png", f"Mask/{odd}.mat")
    assert len(find_pairs(tmp_path / odd).images) == 1
    monkeypatch.chdir(tmp_path / odd)
    assert len(find_pairs(os.curdir).images) == 1
    assert partner_of(f"Image/{odd}.png") == tmp_path / odd / "Mask" / f"{odd}.mat"


def test_tile_names(tmp_path):
    assert [tile_name(tmp_path / name) for name in ("a.png", "a.ome.tif", "a.b.mat")] == [
        "a",
        "a",
        "a.b",
    ]


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=messages.NO_FOLDER.problem):
        find_pairs(tmp_path / "missing")
    (file,) = touch(tmp_path, "a.png")
    with pytest.raises(InputError, match=messages.NO_FOLDER.problem):
        find_pairs(file)


def test_masks_with_mask_behind_the_name_of_their_image(tmp_path):
    for name in ("flat/a.png", "flat/a_mask.png", "flat/b.tif", "flat/b_cp_masks.png",
                 "flat/c_mask.png", "flat/d.png", "flat/_mask.png"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_pairs(tmp_path / "flat")
    assert [path.name for path in found.images] == ["a.png", "b.tif"]
    assert [path.name for path in found.masks] == ["a_mask.png", "b_cp_masks.png"]
    assert {path.name for path in found.orphans} == {"c_mask.png", "d.png", "_mask.png"}


def test_a_mask_of_the_images_own_name_goes_before_one_with_an_ending(tmp_path):
    for name in ("images/a.png", "images/a_label.png", "masks/a.png", "masks/a_label.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_pairs(tmp_path)
    assert [path.name for path in found.images] == ["a.png", "a_label.png"]
    assert [path.name for path in found.masks] == ["a.png", "a_label.png"]
    assert found.orphans == []
