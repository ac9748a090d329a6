"""The dataset check: every fault is one line, and what is sound stays silent."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.check import messages
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.check.near_duplicates import find_alike, thumbnail
from napari_snow_unet.data.datasets.divide import split_dataset
from napari_snow_unet.data.datasets.manifest import read_manifest, write_manifest
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.synthetic import generate_tile

SIZE = 256


def check(folder):
    return run(check_dataset(folder, workers=1))


def lines(report, severity="problem"):
    findings = [finding for finding in report.findings if finding.severity == severity]
    return {(finding.kind, finding.name) for finding in findings}


@pytest.fixture(scope="module")
def sound_folder(tmp_path_factory):
    """Six sound tiles."""
    folder = tmp_path_factory.mktemp("sound") / "data"
    for seed in range(6):
        tile = generate_tile(seed, size=SIZE)
        write_image(folder / "images" / f"{seed}.png", tile.image)
        write_labels(folder / "masks" / f"{seed}.png", tile.labels)
    return folder


@pytest.fixture
def foreign(sound_folder, tmp_path):
    return shutil.copytree(sound_folder, tmp_path / "data")


@pytest.fixture
def dataset(foreign, tmp_path):
    out = tmp_path / "out"
    split = SplitPlan(train=3, val=1, test=2)
    run(prepare([foreign], out, PrepareOptions(workers=1, split=split)))
    return out


def of_subset(folder, subset):
    return [folder / tile.image for tile in read_manifest(folder) if tile.split == subset]


def test_sound_datasets_have_no_problem(foreign, dataset):
    for folder in (foreign, dataset):
        report = check(folder)
        assert report.findings == []
        assert report.tiles == 6
        assert report.summary["sizes"] == {"256 x 256": 6}
        assert 0 < report.summary["foreground"] < 1
        assert report.summary["nuclei"] > 6
    assert {subset: row["tiles"] for subset, row in report.summary["parts"].items()} == {
        "train": 3,
        "val": 1,
        "test": 2,
    }


def test_faults_of_foreign_folders(foreign):
    images, masks = foreign / "images", foreign / "masks"
    (masks / "0.png").unlink()
    write_labels(masks / "9.png", np.ones((SIZE, SIZE), np.int32))
    (images / "1.png").write_bytes((images / "1.png").read_bytes()[:600])
    write_labels(masks / "2.png", np.ones((SIZE, 50), np.int32), overwrite=True)
    write_labels(masks / "3.png", np.zeros((SIZE, SIZE), np.int32), overwrite=True)
    scattered = np.zeros((SIZE, SIZE), np.int32)
    scattered[:4, :4] = scattered[50:54, :4] = 70_000
    scattered[20, 20] = 3
    (masks / "4.png").unlink()
    tifffile.imwrite(masks / "4.tif", scattered.astype(np.float32))
    write_image(masks / "5.png", ((scattered > 0) * 255).astype(np.uint8), overwrite=True)
    write_image(images / "5.png", read_image(images / "5.png").array[..., 0], overwrite=True)
    report = check(foreign)
    assert lines(report) == {
        ("no partner", "images/0.png"),
        ("no partner", "masks/9.png"),
        ("unreadable", "images/1.png"),
        ("size", "images/2.png"),
    }
    assert lines(report, "note") == {
        ("empty", "images/3.png"),
        ("type", "images/4.png"),
        ("ids", "images/4.png"),
        ("ids", "images/5.png"),
        ("type", "images/5.png"),
    }
    texts = [finding.text for finding in report.findings]
    assert messages.unconnected_ids(1, 2) in texts
    assert messages.high_ids(70_000) in texts
    assert of_datasets.sizes_differ((SIZE, 50), (SIZE, SIZE)).problem in texts


def test_faults_of_prepared_datasets(dataset):
    tiles = read_manifest(dataset)
    (dataset / tiles[0].image).unlink()
    write_labels(dataset / tiles[1].mask, np.ones((SIZE, SIZE), np.int32), overwrite=True)
    write_image(dataset / "images" / "extra.png", np.zeros((9, 9, 3), np.uint8))
    assert lines(check(dataset)) == {
        ("unreadable", "images/000000.png"),
        ("table", "images/000001.png"),
        ("table", "images/extra.png"),
    }


def test_a_pixel_size_no_microscope_has_is_a_problem_of_the_table(dataset):
    first, *rest = read_manifest(dataset)
    write_manifest(dataset, [replace(first, um_per_px=25), *rest])
    assert lines(check(dataset)) == {("table", "images/000000.png")}


def test_one_image_in_two_subsets_is_leakage(dataset):
    (first, *_), (other, _) = of_subset(dataset, "train"), of_subset(dataset, "test")
    Image.open(first).save(other, compress_level=9)  # other bytes, the same picture
    report = check(dataset)
    leaks = [finding for finding in report.findings if finding.kind == "leakage"]
    first, other = (str(path.relative_to(dataset)) for path in (first, other))
    (earlier, _), (later, _) = pairs = sorted([(first, "train"), (other, "test")])
    subsets = [subset for _, subset in pairs]
    assert [(leak.name, leak.text) for leak in leaks] == [
        (later, messages.leakage(earlier, *subsets))
    ]


def test_a_turned_and_recompressed_image_in_two_subsets_is_leakage(dataset):
    (first, *_), (other, _) = of_subset(dataset, "train"), of_subset(dataset, "test")
    turned = np.rot90(read_image(first).array)[:, ::-1]
    write_image(other, np.clip(turned * 0.8 + 20, 0, 255).astype(np.uint8), overwrite=True)
    leaks = [finding for finding in check(dataset).findings if finding.kind == "leakage"]
    assert len(leaks) == 1
    assert leaks[0].severity == "problem"


def test_leakage_between_folders_called_train_and_test(sound_folder, tmp_path):
    for subset in ("train", "test"):
        shutil.copytree(sound_folder, tmp_path / subset)
    report = check(tmp_path)
    assert len(report.problems) == 6
    assert {finding.kind for finding in report.findings} == {"leakage"}
    assert set(report.summary["parts"]) == {"train", "test"}


def test_a_duplicate_that_was_taken_out_of_use_is_a_note(foreign, tmp_path):
    shutil.copy(foreign / "images" / "1.png", foreign / "images" / "2.png")
    out = tmp_path / "out"
    result = run(prepare([foreign], out, PrepareOptions(workers=1)))
    assert len(result.problems) == 1
    report = check(out)
    assert report.problems == []
    assert ("duplicate", "images/000002.png") in lines(report, "note")
    assert lines(check(foreign)) == {("duplicate", "images/2.png")}


def test_a_group_in_two_subsets_is_a_problem(dataset):
    split_dataset(dataset, SplitPlan(train=0.5, test=0.5, group_by=r"^(\d)"))
    assert lines(check(dataset)) == set()
    table = dataset / "manifest.csv"
    text = table.read_text()
    table.write_text(
        text.replace("data/images/1.png", "data/images/0.png")
        .replace("data/images/2.png", "data/images/0.png")
        .replace("data/images/3.png", "data/images/0.png")
    )
    assert ("groups", "") in lines(check(dataset))


def named_like(dataset, pattern):
    """Give the rows of a dataset's table other sources; six tiles, three prefixes."""
    rows = (dataset / "manifest.csv").read_text().splitlines(keepends=True)
    for number in range(6):
        new = f"data/images/{pattern.format(number, number // 2, number % 2)}.png"
        rows = [row.replace(f"data/images/{number}.png", new) for row in rows]
    (dataset / "manifest.csv").write_text("".join(rows))
    return [f for f in check(dataset).findings if f.kind == "groups"]


def test_a_name_prefix_in_several_subsets_is_a_note(dataset):
    split_dataset(dataset, SplitPlan(train=0.5, val=0.25, test=0.25))
    (note,) = named_like(dataset, "p{1}_{2}")
    assert note.severity == "note"
    assert re.search(r"\b[23] of 3 .*'p\d_'", note.text)
    split_dataset(dataset, SplitPlan(train=0.5, test=0.5, group_by="^([^_]+)_"))
    assert [finding for finding in check(dataset).findings if finding.kind == "groups"] == []


@pytest.mark.parametrize("pattern", ["tile_{0}", "{0}_a", "p{1}-{2}"])
def test_names_without_a_prefix_are_no_note(dataset, pattern):
    assert named_like(dataset, pattern) == []


def test_a_binary_dataset_is_held_to_0_and_255(foreign, tmp_path):
    out = tmp_path / "out"
    run(prepare([foreign], out, PrepareOptions(workers=1, binary=True)))
    assert check(out).problems == []
    write_labels(out / "masks" / "000000.png", np.full((SIZE, SIZE), 3, np.int32), overwrite=True)
    assert ("ids", "images/000000.png") in lines(check(out))


def test_tiles_of_another_size_are_named_together(foreign):
    for seed in (7, 8):
        tile = generate_tile(seed, size=64)
        write_image(foreign / "images" / f"{seed}.png", tile.image)
        write_labels(foreign / "masks" / f"{seed}.png", tile.labels)
    assert lines(check(foreign), "note") == {("size", "images/7.png and images/8.png")}


def test_processes_give_the_same_report(foreign):
    one, two = (run(check_dataset(foreign, workers=count)) for count in (1, 2))
    assert one == two


def test_different_pictures_are_not_alike_and_flat_ones_are_not_compared():
    pictures = [thumbnail(generate_tile(seed, size=128).image) for seed in range(12)]
    flat = [np.full((16, 16), grey, np.float32) for grey in (240, 240, 250)]
    assert list(find_alike(pictures + flat)) == []
    assert list(find_alike(pictures[:1])) == []


def test_an_image_is_matched_with_the_earlier_one_it_is_most_like():
    pictures = [thumbnail(generate_tile(seed, size=128).image) for seed in range(4)]
    noise = np.random.default_rng(0).normal(0, 1, (16, 16)).astype(np.float32)
    alike = list(find_alike([*pictures, pictures[2].T + noise, pictures[2].T]))
    assert [(later, earlier) for later, earlier, _ in alike] == [(4, 2), (5, 2)]
    assert all(correlation > 0.9 for _, _, correlation in alike)


def test_what_a_killed_prepare_had_finished_is_a_note_to_run_it_again(dataset):
    """Killed between the files of a pair and its row: the next run makes the pair again."""
    table = dataset / "manifest.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    report = check(dataset)
    assert report.problems == []
    (finding,) = [finding for finding in report.findings if finding.kind == "table"]
    assert finding.name == "images/000005.png"
    assert finding.text == messages.NOT_YET_IN_MANIFEST
    (dataset / "masks" / "000005.png").unlink()
    assert ("table", "images/000005.png") in lines(check(dataset))


def test_a_mask_with_one_value_is_noted_as_binary(foreign):
    mask = np.zeros((SIZE, SIZE), np.int32)
    mask[:4, :4] = mask[10:14, 10:14] = 128
    path = next(iter(sorted((foreign / "masks").iterdir())))
    write_labels(path, mask, overwrite=True)
    notes = [finding.text for finding in check(foreign).findings]
    assert messages.BINARY in notes
