"""Pairs across folders, archives and subsets, and the partner of one file."""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.dataset_info import read_info
from napari_snow_unet.data.datasets.divide import split_dataset
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pairs.folder import find_pairs, require_pairs
from napari_snow_unet.data.pairs.partner import is_mask_path, partner_of
from napari_snow_unet.data.pairs.unread_files import NO_PAIR
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.png import encode


def picture(number=0):
    return np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def labels(number=1):
    values = np.zeros((12, 16), np.int32)
    values[2:5, 2:5], values[7:10, number : number + 3] = 1, 2
    return values


def put(folder, *names):
    """Write an image or, where a path says mask, labels under each of these names."""
    for name in names:
        path = f"{folder.name}/{name}"
        if any(word in path for word in ("mask", "label", "GT")):
            write_labels(folder / name, labels())
        else:
            write_image(folder / name, picture(crc32(path.encode())))  # no two alike
    return [folder / name for name in names]


def pairs_in(*folders):
    """Name an image and a mask in each of these folders."""
    return [f"{folder}/{kind}/1.png" for folder in folders for kind in ("images", "masks")]


def prepared(sources, out, **options):
    return run(prepare(sources, out, PrepareOptions(workers=1, **options)))


def names_of(found, root):
    return [path.relative_to(root).as_posix() for path in found]


def test_archives_of_patients_are_matched_each_by_itself(tmp_path):
    archives = []
    for patient, number in (("A", 1), ("B", 2)):
        archives.append(tmp_path / f"{patient}.zip")
        with zipfile.ZipFile(archives[-1], "w") as archive:
            archive.writestr("images/1.png", encode(picture(number)))
            archive.writestr("masks/1.png", encode(labels(number).astype(np.uint16)))
            archive.writestr(f"images/only {patient}.png", encode(picture(9)))
            archive.writestr(f"masks/only {'B' if patient == 'A' else 'A'}.png", encode(picture(9)))
    result = prepared(archives, tmp_path / "out")
    assert [tile.name for tile in result.tiles] == ["A/1", "B/1"]
    for number, tile in enumerate(result.tiles, start=1):
        assert np.array_equal(read_labels(tmp_path / "out" / tile.mask), labels(number))
    assert len(result.problems) == 4
    again = prepared(archives, tmp_path / "out")
    assert (again.new, again.tiles) == (0, result.tiles)


def test_a_mask_for_each_nucleus_is_read_out_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "stage1_train.zip", "w") as archive:
        for tile in ("a1", "b2"):
            archive.writestr(f"{tile}/images/{tile}.png", encode(picture(len(tile))))
            for id_ in (1, 2):
                mask = ((labels() == id_) * 255).astype(np.uint8)
                archive.writestr(f"{tile}/masks/n{id_}.png", encode(mask))
    result = prepared([tmp_path / "stage1_train.zip"], tmp_path / "out")
    assert {tile.source_mask for tile in result.tiles} == {
        "stage1_train.zip/a1/masks",
        "stage1_train.zip/b2/masks",
    }
    for tile in result.tiles:
        assert np.array_equal(read_labels(tmp_path / "out" / tile.mask), labels())


def test_images_alone_and_masks_alone_are_matched_whatever_they_are_called(tmp_path):
    put(tmp_path / "cohort tiles", "1.png", "2.png")
    put(tmp_path / "expert masks", "1.png", "3.png")
    put(tmp_path / "whole", "images/9.png", "masks/9.png")
    sources = [tmp_path / name for name in ("cohort tiles", "expert masks", "whole")]
    result = prepared(sources, tmp_path / "out")
    assert [tile.name for tile in result.tiles] == ["1", "9"]
    assert {problem.name for problem in result.problems} == {
        "cohort tiles/2.png",
        "expert masks/3.png",
    }


def test_sources_that_are_subsets_stay_these(tmp_path):
    sources = [tmp_path / "train", tmp_path / "val"]
    put(sources[0], *pairs_in("a", "b", "c", "d"))
    put(sources[1], *pairs_in("e", "f"))
    result = prepared(sources, tmp_path / "out")
    assert result.subsets == {"train": 4, "val": 2, "test": 0, "unused": 0}
    assert read_info(tmp_path / "out").split == SplitPlan(folders=True)
    put(sources[0], *pairs_in("g"))
    more = prepared(sources, tmp_path / "out")
    assert more.subsets == {"train": 5, "val": 2, "test": 0, "unused": 0}
    parts, folds = split_dataset(tmp_path / "out", folds=2)
    assert (parts, sorted(folds)) == (more.subsets, [3, 4])
    assert split_dataset(tmp_path / "out", SplitPlan(train=1.0))[0]["train"] == 7
    assert not read_info(tmp_path / "out").split.folders


def test_an_image_of_two_subsets_is_used_once(tmp_path):
    first, _, second, _ = put(tmp_path / "in", *pairs_in("train", "val"))
    shutil.copy(first, second)
    result = prepared([tmp_path / "in"], tmp_path / "out")
    assert sorted(tile.split for tile in result.tiles) == ["train", "unused"]
    assert messages.ONLY_ONE_USED in result.problems[0].reason


def test_a_dataset_whose_split_was_stated_is_not_divided_anew(tmp_path):
    put(tmp_path / "in", *pairs_in("train", "val"))
    prepared([tmp_path / "in"], tmp_path / "out", split=SplitPlan(train=2))
    prepared([tmp_path / "in"], tmp_path / "out")
    assert {tile.split for tile in read_manifest(tmp_path / "out")} == {"train"}


def test_a_tile_that_lies_in_no_subset_is_unused_and_told(tmp_path):
    put(tmp_path / "in", *pairs_in("train", "val", "more"))
    result = prepared([tmp_path / "in"], tmp_path / "out")
    assert {tile.name: tile.split for tile in result.tiles}["more/1"] == "unused"
    assert any(re.match("1 tile .*unused", message) for message in result.messages)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("A/images/1.png", "A/masks/1.png"),
        ("A_images/1.png", "A_masks/1.png"),
        ("Slide_02/1.png", "GT_02/1.png"),
        ("SNOW_Image/1.png", "mask_0_5000/mat/1.png"),
        ("images/1.TIF", "masks/1.PNG"),
    ],
)
def test_the_partner_of_one_file(tmp_path, image, mask):
    for name in (image, mask):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert partner_of(tmp_path / image) == tmp_path / mask
    assert partner_of(tmp_path / mask) == tmp_path / image
    assert is_mask_path(tmp_path / mask)
    assert not is_mask_path(tmp_path / image)


def test_no_file_has_its_partner_with_another_patient(tmp_path):
    put(tmp_path, "A_images/1.png", "B_masks/1.png", "Slide_01/1.png", "GT_02/1.png")
    for path in tmp_path.rglob("*.png"):
        assert partner_of(path) is None, path


def test_the_partner_may_be_a_folder_of_nuclei(tmp_path):
    image, *_ = put(tmp_path, "a1/images/a1.png", "a1/masks/n1.png", "a1/masks/n2.png")
    assert partner_of(image) == tmp_path / "a1" / "masks"
    (tmp_path / "a1" / "masks" / "n2.png").unlink()
    assert partner_of(image) is None


def test_of_several_masks_that_belong_the_partner_is_that_of_the_pairs(tmp_path):
    names = [f"{place}/1.png" for place in ("images", "masks", "labels", "mask binary")]
    image, *_ = put(tmp_path, *names)
    found = find_pairs(tmp_path)
    assert names_of(found.masks, tmp_path) == ["labels/1.png"]
    assert partner_of(image) == tmp_path / "labels" / "1.png"
    (note,) = found.notes
    assert re.search("'labels'.*: mask binary, masks", note)


def test_a_folder_whose_name_hints_at_masks_finds_its_images_beside(tmp_path):
    put(tmp_path, "Slide_01/1.png", "GT_01/1.png", "Slide_02/1.png")
    found = find_pairs(tmp_path / "GT_01")
    assert names_of(found.images, tmp_path) == ["Slide_01/1.png"]
    with pytest.raises(InputError, match=NO_PAIR):
        require_pairs(tmp_path / "Slide_02")


def test_dataset_info_with_nonsense_for_folders_is_refused(tmp_path):
    put(tmp_path / "in", "images/1.png", "masks/1.png")
    prepared([tmp_path / "in"], tmp_path / "out")
    path = tmp_path / "out" / "dataset.json"
    path.write_text(path.read_text().replace('"folders": false', '"folders": 3'))
    with pytest.raises(InputError, match="folders is 3"):
        read_info(tmp_path / "out")
    assert replace(SplitPlan(), folders=True).folders
