"""SNOW in archives becomes a dataset: right pixels, right order, every problem named."""

from __future__ import annotations

import csv
import hashlib
import stat
import zipfile

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pairs.unread_files import NO_PAIR
from napari_snow_unet.data.pixels.images import read_image


def prepared(sources, folder, **options):
    sources = sources if isinstance(sources, list) else [sources]
    return run(prepare(sources, folder, PrepareOptions(**{"workers": 1, **options})))


def contents(folder):
    """Return the dataset's files but for its tables, which name the sources."""
    files = sorted(path for path in folder.rglob("*.png"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rewritten(path, change):
    """Write an archive anew after `change` has had its entries, a dict of name to bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("workers", [1, 2])
def test_archives_with_junk_become_a_dataset(release, truth, tmp_path, compression, workers):
    paths = release.archives(compression)
    before = [hashlib.sha256(path.read_bytes()).digest() for path in paths]
    out = tmp_path / "out"
    result = prepared(paths, out, workers=workers)
    assert result.problems == []
    assert result.new == len(result.tiles) == 10
    assert [tile.name for tile in result.tiles] == [f"seed{n:04d}" for n in range(10)]
    for number, tile in enumerate(read_manifest(out)):
        image, labels = truth(number)
        assert (out / tile.image).read_bytes() == release.images[number]
        assert np.array_equal(read_image(out / tile.image).array, image)
        assert np.array_equal(read_labels(out / tile.mask), labels)
        assert tile.image == f"images/{number:06d}.png"
        assert tile.mask == f"masks/{number:06d}.png"
        assert tile.source_image == f"SNOW_Image.zip/SNOW_Image/seed{number:04d}.png"
        assert tile.source_mask.endswith(f"/mat/seed{number:04d}.mat")
        assert (tile.height, tile.width, tile.nuclei) == (48, 48, 3)
        assert tile.foreground == pytest.approx(np.count_nonzero(labels) / labels.size, abs=1e-6)
        assert tile.image_sha256 == hashlib.sha256(release.images[number]).hexdigest()
        assert tile.mask_sha256 == hashlib.sha256((out / tile.mask).read_bytes()).hexdigest()
        assert (tile.note, tile.um_per_px) == ("", None)
    assert [hashlib.sha256(path.read_bytes()).digest() for path in paths] == before
    assert not list(out.rglob(".*"))


def test_masks_are_16_bit_whatever_the_ids(release, tmp_path):
    from PIL import Image

    prepared(release.archives(), tmp_path / "out")
    with Image.open(tmp_path / "out" / "masks" / "000000.png") as mask:
        assert mask.mode == "I;16"


def test_unpacked_archives_in_a_folder_and_any_mix_give_the_same(release, tmp_path):
    prepared(release.archives(), tmp_path / "a")
    prepared(release.folder, tmp_path / "b")  # the folder that the archives lie in
    root = release.unpacked()
    prepared(root, tmp_path / "c")
    prepared([root / "Mask", release.folder / "SNOW_Image.zip"], tmp_path / "d")
    datasets = [tmp_path / name for name in "abcd"]
    first = contents(datasets[0])
    assert len(first) == 20
    for folder in datasets[1:]:
        assert contents(folder) == first
    splits = [[tile.split for tile in read_manifest(folder)] for folder in datasets]
    assert splits[1:] == splits[:1] * 3


def test_binary_masks_shards_and_a_limit(release, truth, tmp_path):
    out = tmp_path / "out"
    result = prepared(release.archives(), out, binary=True, shard=4, limit=6)
    assert [tile.image for tile in result.tiles][3:5] == [
        "images/000000/000003.png",
        "images/000004/000004.png",
    ]
    assert result.problems == []
    assert len(result.tiles) == 6
    for number, tile in enumerate(result.tiles):
        mask = read_labels(out / tile.mask)
        assert np.array_equal(mask, (truth(number)[1] > 0) * 255)
        assert tile.nuclei == 3


def test_the_split_is_as_asked_and_the_rest_unused(release, tmp_path):
    split = SplitPlan(train=4, val=1, test=0.2)
    result = prepared(release.archives(), tmp_path / "out", split=split)
    assert result.subsets == {"train": 4, "val": 1, "test": 2, "unused": 3}
    assert prepared(release.archives(), tmp_path / "small").subsets["train"] == 7


@pytest.mark.parametrize("split", [SplitPlan(train=11), SplitPlan(train=0.9, test=0.2)])
def test_a_split_of_more_than_there_is_is_refused_before_anything_is_written(
    release, tmp_path, split
):
    with pytest.raises(InputError, match="10 tiles"):
        prepared(release.archives(), tmp_path / "out", split=split)
    assert not (tmp_path / "out").exists()


def test_every_problem_is_named_and_the_good_ones_are_done(release, mat, tmp_path):
    images, first, second = release.archives()
    wrong = mat(np.ones((48, 40), np.int32))

    def spoil_masks(entries):
        entries["mask_0_5000/mat/seed0000.mat"] = b"this is a text file\n" * 20
        entries["mask_0_5000/mat/seed0001.mat"] = release.masks[1][:200]
        entries["mask_0_5000/mat/seed0002.mat"] = wrong
        del entries["mask_0_5000/mat/seed0003.mat"]
        entries["mask_0_5000/mat/notes.mat"] = b"no partner"
        entries["../mat/seed0003.mat"] = release.masks[3]
        entries["mask_0_5000/mat/readme.txt"] = b"nothing"

    def spoil_images(entries):
        entries["SNOW_Image/seed0005.png"] = release.images[5][:-400]
        entries["SNOW_Image/seed0009.png"] = release.images[8]
        entries["more/SNOW_Image/seed0006.png"] = release.images[7]

    rewritten(first, spoil_masks)
    rewritten(images, spoil_images)
    out = tmp_path / "out"
    result = prepared([images, first, second], out, workers=2)
    reasons = {problem.name: problem.reason for problem in result.problems}
    expected = {
        "mask_0_5000.zip/mask_0_5000/mat/seed0000.mat": "not in MATLAB 5 format",
        "mask_0_5000.zip/mask_0_5000/mat/seed0001.mat": "truncated",
        "mask_0_5000.zip/mask_0_5000/mat/seed0002.mat": of_datasets.sizes_differ(
            (48, 40), (48, 48)
        ).problem,
        "SNOW_Image.zip/SNOW_Image/seed0003.png": "no mask",
        "mask_0_5000.zip/mask_0_5000/mat/notes.mat": "no image",
        "mask_0_5000.zip/../mat/seed0003.mat": of_datasets.OUTSIDE_ARCHIVE,
        "SNOW_Image.zip/SNOW_Image/seed0005.png": "damaged",
        "SNOW_Image.zip/more/SNOW_Image/seed0006.png": "no mask",
        "images/000008.png": of_datasets.same_image("images/000007.png"),
    }
    assert sorted(reasons) == sorted(expected)
    for name, words in expected.items():
        assert words.lower() in reasons[name].lower()
    assert [tile.name for tile in result.tiles] == [f"seed000{n}" for n in (4, 6, 7, 8, 9)]
    assert result.tiles[-1].split == "unused"
    with (out / "problems.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [p.name for p in result.problems]
    assert sorted(contents(out)) == sorted(
        name for tile in result.tiles for name in (tile.image, tile.mask)
    )


@pytest.mark.parametrize("place", ["images", "stored mask", "deflated mask", "compressed .mat"])
def test_a_flipped_bit_in_an_archive_is_noticed(release, tmp_path, place):
    compression = zipfile.ZIP_DEFLATED if place == "deflated mask" else zipfile.ZIP_STORED
    paths = release.archives(compression)
    path = paths[0 if place == "images" else 1]
    number = 1 if place == "compressed .mat" else 0
    at = {"images": 300, "stored mask": 2000, "deflated mask": 200, "compressed .mat": 170}[place]
    with zipfile.ZipFile(path) as archive:
        info = next(i for i in archive.infolist() if f"seed000{number}." in i.filename)
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + at] ^= 4
    path.write_bytes(data)
    result = prepared(paths, tmp_path / "out", verify=place == "deflated mask")
    (problem,) = result.problems
    assert f"seed000{number}" in problem.name
    assert "damaged" in problem.reason or "unpack" in problem.reason
    assert len(result.tiles) == 9


@pytest.mark.parametrize("first", [120, 200, 300])
def test_whatever_a_flipped_bit_makes_of_a_mask_the_archive_is_said_to_be_damaged(
    release, tmp_path, first
):
    paths = release.archives()
    data = bytearray(paths[1].read_bytes())
    with zipfile.ZipFile(paths[1]) as archive:
        masks = [info for info in archive.infolist() if info.filename.endswith(".mat")]
    for number, info in enumerate(masks):
        data[info.header_offset + 30 + len(info.filename) + first + 7 * number] ^= 4
    paths[1].write_bytes(data)
    result = prepared(paths, tmp_path / "out", verify=True)
    assert len(masks) == len(result.problems) == len(result.tiles) == 5
    for problem in result.problems:
        assert problem.reason == of_datasets.DAMAGED_IN_ARCHIVE.text()


def test_of_a_packed_mask_only_the_labels_are_unpacked_unless_asked(release, tmp_path):
    paths = release.archives()
    with zipfile.ZipFile(paths[1]) as archive:
        info = archive.getinfo("mask_0_5000/mat/seed0000.mat")
    data = bytearray(paths[1].read_bytes())
    data[info.header_offset + 30 + len(info.filename) + info.compress_size - 40] ^= 4
    paths[1].write_bytes(data)  # in the raw map, which nobody needs
    assert prepared(paths, tmp_path / "a").problems == []
    (problem,) = prepared(paths, tmp_path / "b", verify=True).problems
    assert "seed0000.mat" in problem.name
    assert problem.reason == of_datasets.DAMAGED_IN_ARCHIVE.text()


def test_an_archive_cut_short_is_one_problem_and_the_others_are_used(release, tmp_path):
    paths = release.archives()
    paths[2].write_bytes(paths[2].read_bytes()[:-100])
    result = prepared(paths, tmp_path / "out")
    assert len(result.tiles) == 5
    assert result.problems[0].name == "mask_5001_10k.zip"
    assert "cannot be opened" in result.problems[0].reason
    assert len(result.problems) == 6  # five images wait for their masks


def test_links_passwords_and_bombs_in_archives_are_left_alone(release, tmp_path):
    images, first, second = release.archives()
    link = zipfile.ZipInfo("mask_0_5000/mat/seed0000.mat")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    rewritten(
        first, lambda entries: [entries.pop(name) for name in list(entries) if "seed0000" in name]
    )
    with zipfile.ZipFile(first, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    data = bytearray(second.read_bytes())
    entry = data.rindex(b"mask_5001_10k/mat/seed0005.mat") - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 8] |= 1  # encrypted
    entry = data.rindex(b"mask_5001_10k/mat/seed0006.mat") - 46
    data[entry + 24 : entry + 28] = (1 << 30).to_bytes(4, "little")  # unpacked size
    second.write_bytes(data)
    reasons = {
        p.name[-12:]: p.reason for p in prepared([images, first, second], tmp_path / "out").problems
    }
    assert reasons["seed0000.mat"] == of_datasets.LINK_IN_ARCHIVE
    assert reasons["seed0005.mat"] == of_datasets.ENCRYPTED
    assert reasons["seed0006.mat"] == of_datasets.too_large_in_archive(1 << 30)


def test_orphans_beyond_a_limit_are_not_reported(release, tmp_path):
    paths = release.archives()
    assert prepared(paths[:2], tmp_path / "a", limit=3).problems == []
    assert len(prepared(paths[:2], tmp_path / "b").problems) == 5


def test_nothing_that_fits_together_is_one_sentence(release, tmp_path):
    with pytest.raises(InputError, match=rf"{NO_PAIR}.* 10 \.png files \(seed0000"):
        prepared(release.archives()[:1], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sources_that_are_none_are_refused(release, tmp_path):
    root = release.unpacked()
    prepared(root, tmp_path / "out")
    for source, target, message in (
        (tmp_path / "none.zip", tmp_path / "new", of_datasets.NO_SOURCE),
        (root / "Image" / "seed0000.png", tmp_path / "new", of_datasets.SINGLE_FILE),
        (root, root, messages.NOT_EMPTY),
        (root, root / "Image" / "seed0000.png", messages.NOT_A_FOLDER),
        (tmp_path / "out", tmp_path / "out", of_datasets.SOURCE_IS_TARGET),
    ):
        with pytest.raises(InputError) as error:
            prepared(source, target)
        assert error.value.message == message
        assert error.value.path in (source, target)


def test_a_folder_with_other_things_is_refused(release, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError) as error:
        prepared(release.archives(), tmp_path / "out")
    assert error.value.message == messages.NOT_EMPTY
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_dataset_within_its_source_is_passed_over(release):
    root = release.unpacked()
    for expected in (10, 0):
        result = prepared(root, root / "prepared")
        assert (result.new, result.problems) == (expected, [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"limit": 0}, "1 or more"),
        ({"workers": -1}, "1 or more"),
        ({"um_per_px": -0.5}, "0.05 to 20"),
        ({"um_per_px": float("nan")}, "0.05 to 20"),
        ({"um_per_px": 25}, "0.05 to 20"),
    ],
)
def test_senseless_numbers_are_refused(release, tmp_path, options, expected):
    with pytest.raises(InputError, match=expected):
        prepared(release.archives(), tmp_path / "out", **options)


def test_progress_ends_at_its_total(release, tmp_path):
    steps = list(prepare(release.archives(), tmp_path / "out", PrepareOptions(workers=1)))
    assert (steps[-1].done, steps[-1].total) == (10, 10)
    tiles = [step.done for step in steps if step.total == 10]
    assert tiles == list(range(11))
