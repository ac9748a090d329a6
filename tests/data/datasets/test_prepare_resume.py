"""Stopped, killed, out of disk space, edited: the dataset is valid and can be continued."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing import active_children

import numpy as np
import psutil
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.locks import folder_locked
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.dataset_info import read_info
from napari_snow_unet.data.datasets.manifest import JOURNAL, MANIFEST, read_manifest, write_manifest
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.data.synthetic import generate_tile

SCRIPT = """
import signal
import sys
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.prepare.dataset import prepare

if __name__ == "__main__":
    # What a shell starts in the background ignores Ctrl-C; here it shall not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for step in prepare([sys.argv[1]], sys.argv[2], PrepareOptions(workers=2)):
        if step.message.startswith("seed"):
            print(step.done, flush=True)
            sys.stdin.readline()  # until it is told to go on
"""
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def prepared(source, folder, **options):
    return run(prepare([source], folder, PrepareOptions(**{"workers": 1, **options})))


def everything(folder):
    """Return all files of a dataset that say anything."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def assert_valid(folder):
    """Hold every row of the table to its files: whole, of the right pixels, in a subset."""
    tiles = read_manifest(folder)
    for tile in tiles:
        assert (folder / tile.image).stat().st_size == tile.image_bytes
        assert len(np.unique(read_labels(folder / tile.mask))) == 4
        assert tile.split in ("train", "val", "test")
    return tiles


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


@pytest.fixture
def source(release):
    return release.unpacked()


@pytest.fixture
def whole(source, tmp_path):
    """What an undisturbed run gives."""
    prepared(source, tmp_path / "whole")
    return everything(tmp_path / "whole")


def test_a_finished_dataset_is_not_made_again(source, whole, tmp_path):
    out = tmp_path / "whole"
    before = times(out)
    result = prepared(source, out)
    assert result.new == 0
    assert times(out) == before
    assert everything(out) == whole


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stop_at", [0, 4, 9])
def test_stopped_at_any_tile_and_continued_gives_the_same(
    source, whole, tmp_path, workers, stop_at
):
    out = tmp_path / "out"
    steps = prepare([source], out, PrepareOptions(workers=workers))
    for step in steps:
        if step.total == 10 and step.done == stop_at:
            break
    steps.close()
    assert not active_children()
    there = assert_valid(out)
    assert stop_at <= len(there) <= stop_at + 4 * workers
    assert not (out / JOURNAL).exists()
    result = prepared(source, out)
    assert result.new == 10 - len(there)
    assert everything(out) == whole


@posix_only
def test_killed_and_continued_gives_the_same(release, tmp_path):
    release = type(release)(tmp_path / "many", 80)
    source = release.unpacked()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    out = tmp_path / "out"
    for kill_at in (5, 30):
        with subprocess.Popen([sys.executable, script, source, out], **PIPES, bufsize=1) as process:
            for line in process.stdout:
                if int(line) >= kill_at:
                    break
                process.stdin.write("on\n")
            workers = psutil.Process(process.pid).children(recursive=True)
            process.kill()
        for worker in workers:  # they end after the tile they are at, and may stay as zombies
            with suppress(psutil.NoSuchProcess):
                while worker.status() != psutil.STATUS_ZOMBIE:
                    time.sleep(0.05)
        there = assert_valid(out)
        assert kill_at <= len(there) < 80
    (out / "images" / ".writing-abc.png").write_bytes(b"half")
    assert prepared(source, out).new == 80 - len(there)
    prepared(source, tmp_path / "whole")
    assert everything(out) == everything(tmp_path / "whole")


@posix_only
def test_ctrl_c_keeps_what_is_finished(release, tmp_path):
    source = type(release)(tmp_path / "many", 80).unpacked()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, script, source, out],
        **PIPES,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        error = process.stderr.read()
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert error.count("Traceback") == 1  # none from the other processes
    assert 1 <= len(assert_valid(out)) < 80
    assert not (out / JOURNAL).exists()


@posix_only
def test_workers_that_die_change_nothing(source, whole, tmp_path):
    out = tmp_path / "out"
    killed = 0

    def kill_one(_):
        nonlocal killed
        if killed < 3 and (children := active_children()):
            os.kill(children[0].pid, signal.SIGKILL)
            killed += 1
            (out / "images" / f".writing-{killed}.png").write_bytes(b"half")  # as it may leave

    result = run(prepare([source], out, PrepareOptions(workers=2)), kill_one)
    assert killed == 3
    assert result.problems == []
    assert everything(out) == whole


@posix_only
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_sentence_and_what_is_finished_is_kept(
    release, whole, tmp_path, workers
):
    import resource

    source = release.folder / "SNOW_Dataset_20k"
    large = source / "Image" / "seed0004.png"
    data = large.read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    large.write_bytes(encode(noise))  # 67 kB, more than a file may have now
    (source / "Mask" / "seed0004.mat").rename(tmp_path / "kept.mat")
    write_labels(source / "Mask" / "seed0004.png", np.ones((150, 150), np.int32))
    out = tmp_path / "out"
    too_large = f"(File too large|{os.strerror(errno.EFBIG)})"  # of a process that has no window
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, usual[1]))
    try:
        with pytest.raises(InputError, match=rf"written \(000004.png: {too_large}\)"):
            prepared(source, out, workers=workers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    there = assert_valid(out)
    assert 4 <= len(there) <= 9
    assert not list(out.rglob(".writing-*"))
    large.write_bytes(data)
    (source / "Mask" / "seed0004.png").unlink()
    (tmp_path / "kept.mat").rename(source / "Mask" / "seed0004.mat")
    assert prepared(source, out).new == 10 - len(there)
    names = [name for name in whole if name.endswith(".png")]
    assert {name: everything(out)[name] for name in names} == {name: whole[name] for name in names}


def test_lost_and_damaged_tiles_are_made_again(source, whole, tmp_path):
    out = tmp_path / "whole"
    (out / "images" / "000002.png").unlink()
    (out / "masks" / "000005.png").write_bytes(b"damaged")
    assert prepared(source, out).new == 2
    assert everything(out) == whole


def test_a_corrected_mask_is_kept_and_taken_over(source, whole, tmp_path):
    out = tmp_path / "whole"
    mask = out / "masks" / "000003.png"
    labels = read_labels(mask)
    labels[:] = np.arange(labels.size).reshape(labels.shape) // 600
    write_labels(mask, labels, overwrite=True)
    corrected = mask.read_bytes()
    result = prepared(source, out)
    assert (result.new, result.problems) == (0, [])
    assert result.messages == [messages.edited_tiles(1)]
    assert mask.read_bytes() == corrected
    assert result.tiles[3].nuclei == labels.max()
    assert prepared(source, out).messages == []


def test_a_changed_source_is_made_again_unless_the_tile_was_corrected(
    release, whole, mat, tmp_path
):
    out, source = tmp_path / "whole", release.folder / "SNOW_Dataset_20k"
    corrected = np.zeros((48, 48), np.int32)
    corrected[:9, :9] = 5
    write_labels(out / "masks" / "000001.png", corrected, overwrite=True)
    prepared(source, out)
    changed = np.zeros((48, 48), np.int32)
    changed[:4] = 7
    for number in (0, 1):
        (source / "Mask" / f"seed000{number}.mat").write_bytes(mat(changed))
    first = out / "masks" / "000001.png"
    first.touch()
    tiles = read_manifest(out)
    tiles[1] = replace(tiles[1], mask_sha256="0" * 64)  # another correction of the same size
    write_manifest(out, tiles)
    result = prepared(source, out)
    assert result.new == 1
    assert np.array_equal(read_labels(out / "masks" / "000000.png"), changed)
    assert np.array_equal(read_labels(first), corrected)
    (problem,) = result.problems
    assert problem.name == "images/000001.png, masks/000001.png"
    assert problem.reason == messages.SOURCE_AND_TILE_CHANGED


def test_a_missing_mask_that_arrives_later_fills_its_place_or_comes_last(release, tmp_path):
    source, out = release.unpacked(), tmp_path / "out"
    mask = source / "Mask" / "seed0004.mat"
    mask.rename(tmp_path / "away.mat")
    mask.write_bytes(b"")  # damaged, but there: its number is kept free
    assert len(prepared(source, out).problems) == 1
    mask.unlink()
    (tmp_path / "away.mat").rename(mask)
    result = prepared(source, out)
    assert (result.new, result.problems) == (1, [])
    assert [tile.name for tile in result.tiles] == [f"seed000{n}" for n in range(10)]

    (source / "Mask" / "seed0002.mat").rename(tmp_path / "away.mat")
    prepared(source, tmp_path / "b")
    (tmp_path / "away.mat").rename(source / "Mask" / "seed0002.mat")
    result = prepared(source, tmp_path / "b")
    assert [tile.name[-1] for tile in result.tiles] == list("0134567892")


def test_more_sources_add_tiles(release, tmp_path):
    images, first, second = release.archives()
    out = tmp_path / "out"
    assert len(run(prepare([images, first], out, PrepareOptions(workers=1))).tiles) == 5
    result = run(prepare([images, second], out, PrepareOptions(workers=1)))
    assert [tile.name[-1] for tile in result.tiles] == list("0123456789")
    assert result.new == 5


def test_the_same_name_from_elsewhere_does_not_replace_a_tile(release, whole, tmp_path, mat):
    other = type(release)(tmp_path / "elsewhere", 1)
    other.masks[0] = mat(np.ones((48, 48), np.int32))
    root = other.unpacked()
    (root / "Image").rename(root / "image_tiles")
    result = prepared(root, tmp_path / "whole")
    source_image = read_manifest(tmp_path / "whole")[0].source_image
    assert source_image.startswith("SNOW_Dataset_20k/Image/")
    assert result.problems[0].reason == messages.other_source("seed0000", source_image)
    assert result.new == 0


def test_other_options_and_another_program_are_refused(source, whole, tmp_path):
    out = tmp_path / "whole"
    for options, message in (
        ({"binary": True}, messages.other_masks(False)),
        ({"shard": 3}, messages.other_subfolders(None)),
    ):
        with pytest.raises(InputError) as error:
            prepared(source, out, **options)
        assert error.value.message == message
        assert error.value.helps == tuple(options)
    with folder_locked(out), pytest.raises(InputError, match="nother program"):
        prepared(source, out)
    assert everything(out) == whole


def test_a_split_that_was_changed_stays_unless_another_is_asked_for(source, whole, tmp_path):
    from napari_snow_unet.data.datasets.divide import split_dataset

    out = tmp_path / "whole"
    subsets, folds = split_dataset(out, SplitPlan(train=6, val=2, test=2, seed=3, folds=4))
    assert subsets == {"train": 6, "val": 2, "test": 2, "unused": 0}
    assert folds == [2, 2, 2, 2]
    table = (out / MANIFEST).read_bytes()
    assert prepared(source, out).subsets == subsets
    assert (out / MANIFEST).read_bytes() == table
    assert prepared(source, out, split=SplitPlan(train=1.0)).subsets["train"] == 10


def test_a_continued_dataset_keeps_its_pixel_size(source, tmp_path):
    folder = tmp_path / "dataset"
    prepared(source, folder, limit=2, um_per_px=0.5)
    result = prepared(source, folder)
    assert {tile.um_per_px for tile in result.tiles} == {0.5}
    assert result.new == len(result.tiles) - 2 > 0
    assert result.messages == [messages.pixel_size_kept(0.5)]
    assert prepared(source, folder).messages == []
    write_labels(folder.parent / "more" / "masks" / "new.png", np.eye(8, dtype=np.int32))
    write_image(folder.parent / "more" / "images" / "new.png", np.zeros((8, 8, 3), np.uint8))
    other = run(prepare([tmp_path / "more"], folder, PrepareOptions(um_per_px=0.25)))
    assert [tile.um_per_px for tile in other.tiles][-1] == 0.25
    assert other.messages == []


def test_a_pixel_size_that_was_given_can_be_called_unknown_again(source, tmp_path):
    folder = tmp_path / "dataset"
    prepared(source, folder, limit=2, um_per_px=0.5)
    result = prepared(source, folder, um_per_px=0)
    assert [tile.um_per_px for tile in result.tiles] == [0.5] * 2 + [None] * result.new
    assert result.messages == [messages.other_pixel_size(2)]
    assert read_info(folder).um_per_px is None


def touched(source):
    """Let all sources look changed, as after copying them."""
    for path in source.rglob("*.*"):
        os.utime(path, (1, 1))


def test_columns_of_others_stay_when_tiles_are_made_again(source, whole, tmp_path):
    out = tmp_path / "whole"
    weighted = [replace(t, extra={"weight": str(t.index)}) for t in read_manifest(out)]
    write_manifest(out, weighted)
    touched(source)
    assert prepared(source, out).new == 10
    assert [tile.extra for tile in read_manifest(out)] == [tile.extra for tile in weighted]


def test_a_source_that_has_become_unreadable_takes_no_tile_away(source, whole, tmp_path):
    out = tmp_path / "whole"
    before = read_manifest(out)
    (source / "Mask" / "seed0003.mat").write_bytes(b"damaged")
    result = prepared(source, out)
    assert [problem.name for problem in result.problems] == ["SNOW_Dataset_20k/Mask/seed0003.mat"]
    assert result.tiles == before == read_manifest(out)


@pytest.mark.parametrize("again", [False, True])
def test_subsets_that_were_edited_stay(source, tmp_path, again):
    out = tmp_path / "out"
    prepared(source, out, limit=8)
    subsets = ["test", "test", *["train"] * 5, "val"]
    rows = read_manifest(out)
    write_manifest(out, [replace(t, split=s) for t, s in zip(rows, subsets, strict=True)])
    if again:
        touched(source)
    same = prepared(source, out, limit=8)
    assert ([tile.split for tile in same.tiles], same.messages) == (subsets, [])
    result = prepared(source, out)
    assert [tile.split for tile in result.tiles] == [*subsets, "unused", "unused"]
    assert result.messages[-1] == messages.SUBSETS_KEPT
    assert result.problems == []
    divided = prepared(source, out, split=SplitPlan(train=1.0)).subsets
    assert divided == {"train": 10, "val": 0, "test": 0, "unused": 0}


def test_a_pixel_size_that_changes_nothing_says_so(source, whole, tmp_path):
    result = prepared(source, tmp_path / "whole", um_per_px=0.5)
    assert result.messages == [messages.other_pixel_size(10)]
    assert prepared(source, tmp_path / "whole", um_per_px=0).messages == []


def test_a_name_that_comes_again_makes_no_tile_twice(tmp_path):
    def add(patient, *numbers):
        for number in numbers:
            tile = generate_tile(number + 10 * patient, size=64)
            folder = tmp_path / "in" / f"p{patient}"
            write_image(folder / "images" / f"{number:03d}.png", tile.image)
            write_labels(folder / "masks" / f"{number:03d}.png", tile.labels)

    add(1, 0, 1, 2)
    out = tmp_path / "out"
    before = prepared(tmp_path / "in", out).tiles
    add(2, 2, 3)
    result = prepared(tmp_path / "in", out)
    assert (result.new, result.problems) == (2, [])
    assert [tile.name for tile in result.tiles[:3]] == [tile.name for tile in before]
    assert len({tile.name for tile in result.tiles}) == 5
    assert prepared(tmp_path / "in", out).new == 0
