"""Files in, files out: what is found, written, refused and summed up."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Condition, Event, get_ident
from threading import enumerate as enumerate_threads
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import zarr

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch import (
    SUMMARY,
    Outputs,
    find_images,
    messages,
    one_file,
    segment_files,
    segmenting,
    writing,
)
from napari_snow_unet.batch.journal import Journal
from napari_snow_unet.batch.run_options import OPTIONS_FILE
from napari_snow_unet.batch.summary import FileDone
from napari_snow_unet.batch.writing import refuse_clash, write_results
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.slides import slide as slides_slide
from napari_snow_unet.segmentation import classical, prefetch
from napari_snow_unet.segmentation.messages import NO_NUCLEI, TRAINING_IMAGES_LABEL
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.segmentation.stack import segment_stack

MODEL = classical.model()


def picture(seed=0, shape=(96, 128)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.full((*shape, 3), 230, np.uint8)
    image[(y % 32 - 16) ** 2 + (x % 32 - 16) ** 2 <= 64] = (110, 60, 140)
    noise = np.random.default_rng(seed).integers(0, 10, image.shape, dtype=np.uint8)
    return image - noise


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "tissue with space äöü [1]"
    for number in (2, 10, 1):
        write_image(images / f"tile{number}.png", picture(number))
    return images


def rows_of(path):
    with (path / SUMMARY).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_folder_gives_its_images_in_natural_order_and_names_the_rest(folder):
    for junk in ("notes.txt", ".DS_Store", "._tile1.png", "tile1_probability.png"):
        (folder / junk).write_bytes(b"junk")
    (folder / "deeper").mkdir()
    found = find_images([folder])
    assert [path.name for path in found.images] == ["tile1.png", "tile2.png", "tile10.png"]
    assert {path.name for path in found.skipped} == {
        "notes.txt",
        ".DS_Store",
        "._tile1.png",
        "tile1_probability.png",
    }
    assert [path.name for path in found.folders] == ["deeper"]


def test_a_dataset_gives_the_images_of_its_images_folder(folder):
    for name in ("images", "Image"):
        parent = folder.parent / name / "set"
        parent.mkdir(parents=True)
        (parent / name).mkdir()
        write_image(parent / name / "a.png", picture())
        assert [path.name for path in find_images([parent]).images] == ["a.png"]


def test_patterns_repeats_and_names_that_look_like_patterns(folder):
    one = folder / "tile1.png"
    pattern = folder.parent / "tissue*" / "tile1*.png"
    assert [path.name for path in find_images([pattern]).images] == ["tile1.png", "tile10.png"]
    assert find_images([one, one, folder]).images[0] == one
    assert len(find_images([one, one, folder]).images) == 3
    bracketed = write_image(folder / "tile[12].png", picture())
    assert find_images([bracketed]).images == [bracketed]


@pytest.mark.parametrize("name", ["missing.png", "nothing*.png"])
def test_what_does_not_exist_is_named(tmp_path, name):
    with pytest.raises(InputError, match=name.replace("*", r"\*")):
        find_images([tmp_path / name])
    with pytest.raises(InputError, match="no image"):
        find_images([tmp_path])


def test_labels_are_those_of_the_array(folder, tmp_path):
    out = tmp_path / "out"
    files = find_images([folder]).images
    outputs = Outputs(out, probability=True, overlay=True)
    results = run(segment_files(files, MODEL, Options(), outputs))
    assert [result.source for result in results] == files
    for result in results:
        image = read_image(result.source).array
        expected = run(segment(image, MODEL))
        assert result.error == ""
        assert np.array_equal(read_labels(result.labels), expected.labels)
        assert result.nuclei == expected.nuclei == 12
        probability = read_image(out / f"{result.source.stem}_probability.png").array
        assert np.array_equal(probability, expected.probability)
        drawn = read_image(out / f"{result.source.stem}_overlay.png").array
        changed = (drawn != image).any(axis=-1)
        assert changed.any()
        assert np.all(expected.labels[changed] > 0)


def test_masks_are_0_and_255(folder, tmp_path):
    run(segment_files([folder / "tile1.png"], MODEL, Options(output="mask"), Outputs(tmp_path)))
    assert set(np.unique(read_image(tmp_path / "tile1.png").array)) == {0, 255}


def test_a_stack_is_segmented_plane_by_plane(tmp_path):
    source = tmp_path / "in" / "stack.tif"
    source.parent.mkdir()
    planes = np.stack([picture(1), picture(2), np.full_like(picture(), 235)])
    tifffile.imwrite(source, planes, photometric="rgb")
    (result,) = run(segment_files([source], MODEL, Options(), Outputs(tmp_path, overlay=True)))
    assert result.error == ""
    labels = tifffile.imread(result.labels)
    assert labels.shape == planes.shape[:3]
    for plane, found in zip(planes, labels, strict=True):
        assert np.array_equal(found, run(segment(plane, MODEL)).labels)
    assert result.nuclei == 24
    shown = run(segment_stack(planes, MODEL, rgb=True))  # as the dock does
    assert np.array_equal(labels, shown.labels)
    assert result.messages == shown.messages
    assert f"1 of 3 slices: {NO_NUCLEI}" in result.messages


def test_bad_files_are_reported_and_the_others_done(folder, tmp_path):
    (folder / "tile3.png").write_bytes((folder / "tile1.png").read_bytes()[:200])
    (folder / "tile4.png").write_bytes(b"no image at all")
    results = run(segment_files(find_images([folder]).images, MODEL, Options(), Outputs(tmp_path)))
    failed = {result.source.name: result.error for result in results if result.error}
    assert set(failed) == {"tile3.png", "tile4.png"}
    assert all(name in error for name, error in failed.items())
    rows = {Path(row["image"]).name: row for row in rows_of(tmp_path)}
    assert len(rows) == 5
    assert rows["tile1.png"]["nuclei"] == "12"
    assert rows["tile4.png"]["error"] == failed["tile4.png"]


def test_existing_results_are_kept_unless_told(folder, tmp_path):
    target = tmp_path / "tile1.png"
    target.write_bytes(b"mine")
    files = [folder / "tile1.png", folder / "tile2.png"]
    first, second = run(segment_files(files, MODEL, Options(), Outputs(tmp_path)))
    assert messages.RESULT_EXISTS.problem in first.error
    assert target.read_bytes() == b"mine"
    assert second.error == ""
    first, second = run(segment_files(files, MODEL, Options(), Outputs(tmp_path, overwrite=True)))
    assert first.error == second.error == ""
    assert read_labels(target).max() == 12
    assert len(rows_of(tmp_path)) == 2


def test_the_images_themselves_are_never_replaced(folder):
    before = (folder / "tile1.png").read_bytes()
    outputs = Outputs(folder, overwrite=True)
    there = set(folder.iterdir())
    with pytest.raises(InputError) as refused:
        run(segment_files([folder / "tile1.png"], MODEL, Options(), outputs))
    assert refused.value.message == messages.WOULD_REPLACE_IMAGE
    assert (folder / "tile1.png").read_bytes() == before
    assert {path.name for path in set(folder.iterdir()) - there} == set()
    files = [folder / "tile1.png", folder / "other" / "tile1.png"]
    write_image(files[1], picture(3))
    first, second = run(segment_files(files[::-1], MODEL, Options(), outputs))
    assert messages.WOULD_REPLACE_IMAGE.problem in first.error + second.error
    assert (folder / "tile1.png").read_bytes() == before


def test_a_failed_image_has_no_measurements_in_the_table(folder, tmp_path):
    broken = folder / "broken.png"
    broken.write_bytes(b"no image")
    run(segment_files([broken, folder / "tile1.png"], MODEL, Options(), Outputs(tmp_path / "out")))
    failed, done = rows_of(tmp_path / "out")
    assert failed["nuclei"] == failed["area_fraction"] == failed["threshold"] == ""
    assert failed["error"]
    assert float(done["threshold"]) > 0


@pytest.mark.parametrize(
    ("options", "more", "flags"),
    [
        (Options(threshold=0.9), {}, "--threshold otsu.*--threshold 0.9"),
        (Options(), {"formats": ("csv", "mat")}, "no --format.*--format csv,mat"),
        (Options(), {"overlay": True}, "no --overlay.* --overlay"),
    ],
)
def test_a_run_is_not_resumed_as_another(folder, tmp_path, options, more, flags):
    files, outputs = [folder / "tile1.png"], Outputs(tmp_path / "out")
    run(segment_files(files, MODEL, Options(), outputs))
    before = {path.name: path.read_bytes() for path in outputs.folder.iterdir()}
    with pytest.raises(InputError, match=flags):
        run(segment_files(files, MODEL, options, replace(outputs, resume=True, **more)))
    run(segment_files(files, MODEL, Options(tile=512), replace(outputs, resume=True)))
    assert {path.name: path.read_bytes() for path in outputs.folder.iterdir()} == before
    run(segment_files(files, MODEL, options, replace(outputs, overwrite=True, **more)))


def test_the_pixel_size_of_a_prepared_dataset_is_that_of_its_manifest(folder, tmp_path):
    raw = tmp_path / "raw"
    write_image(raw / "images" / "a.png", picture(1))
    write_labels(raw / "masks" / "a.png", np.eye(*picture(1).shape[:2], dtype=np.int32))
    dataset = tmp_path / "dataset"
    run(prepare([raw], dataset, PrepareOptions(um_per_px=0.5, split=SplitPlan(train=1.0))))
    for found in (find_images([dataset]), find_images([dataset], "train")):
        assert list(found.pixel_sizes.values()) == [0.5]
        steps = segment_files(
            found.images,
            MODEL,
            Options(),
            Outputs(tmp_path / "out", overwrite=True),
            pixel_sizes=found.pixel_sizes,
        )
        assert run(steps)[0].pixel_size_um == 0.5


def test_two_images_of_one_name_do_not_share_a_result(folder, tmp_path):
    twin = write_image(tmp_path / "other" / "tile1.png", picture(9))
    files = [folder / "tile1.png", twin]
    first, second = run(segment_files(files, MODEL, Options(), Outputs(tmp_path / "out")))
    assert first.error == ""
    assert str(folder / "tile1.png") in second.error


def test_rows_of_other_images_stay_and_foreign_tables_are_not_touched(folder, tmp_path):
    for name in ("tile1.png", "tile2.png"):
        run(segment_files([folder / name], MODEL, Options(), Outputs(tmp_path)))
    assert [Path(row["image"]).name for row in rows_of(tmp_path)] == ["tile1.png", "tile2.png"]
    (tmp_path / SUMMARY).write_text("patient,age\nA,50\n")
    before = {path: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()}
    for overwrite in (False, True):
        outputs = Outputs(tmp_path, overwrite=overwrite)
        with pytest.raises(InputError, match=re.escape(messages.OTHER_TABLE.problem)):
            run(segment_files([folder / "tile10.png"], MODEL, Options(), outputs))
    assert {path: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()} == before


def test_stopping_between_steps_leaves_whole_files(folder, tmp_path):
    files = find_images([folder]).images
    steps = segment_files(files, MODEL, Options(), Outputs(tmp_path))
    progress = [next(steps) for _ in range(4)]
    steps.close()
    assert [step.total for step in progress] == [3] * 4
    assert {path.name for path in tmp_path.glob("*.*")} >= {"tile1.png", SUMMARY}
    assert not list(tmp_path.glob(".writing*"))
    assert read_labels(tmp_path / "tile1.png").max() == 12


def test_reading_computing_and_writing_overlap(folder, tmp_path, monkeypatch):
    """Each waits for another one to have begun, which none could if they took turns."""
    files = find_images([folder]).images
    begun = {(what, number): Event() for what in ("read", "compute", "write") for number in (0, 1)}
    order = {"read": 0, "compute": 0, "write": 0}

    def begin(what):
        number, order[what] = order[what], order[what] + 1
        if (what, number) in begun:
            begun[what, number].set()
        return number

    def read(path):
        begin("read")
        return read_image(path)

    def predict(pixels):
        if begin("compute") == 0:
            assert begun["read", 1].wait(120)
        return MODEL.predict(pixels)

    def write(*given, **named):
        if begin("write") == 0:
            assert begun["compute", 1].wait(120)
        return write_results(*given, **named)

    monkeypatch.setattr(one_file, "read_any_image", read)
    monkeypatch.setattr(one_file, "write_results", write)
    model = replace(MODEL, predict=predict)
    results = run(segment_files(files, model, Options(), Outputs(tmp_path)))
    assert [result.source for result in results] == files
    assert not any(result.error for result in results)
    assert [row["image"] for row in rows_of(tmp_path)] == [str(path) for path in files]


def test_small_images_are_computed_side_by_side_and_large_ones_one_by_one(
    folder, tmp_path, monkeypatch
):
    write_image(folder / "tile11.png", picture(11))
    files, both = find_images([folder]).images, Barrier(2)

    def meeting(pixels):
        both.wait(120)  # for another image, which would not come if they took turns
        return MODEL.predict(pixels)

    results = run(
        segment_files(files, replace(MODEL, predict=meeting), Options(), Outputs(tmp_path))
    )
    assert [result.nuclei for result in results] == [12] * 4
    assert [row["image"] for row in rows_of(tmp_path)] == [str(path) for path in files]
    monkeypatch.setattr(prefetch, "SMALL_CALL", 96 * 128 - 1)
    monkeypatch.setattr(one_file, "BIG", 0)
    read, at_work, most = [], [], []

    def alone(pixels):
        at_work.append(1)
        most.append(len(at_work))
        found = MODEL.predict(pixels)
        at_work.pop()
        return found

    def reading(path):
        read.append(path)
        return read_image(path)

    monkeypatch.setattr(one_file, "read_any_image", reading)
    model = replace(MODEL, predict=alone)
    outputs = Outputs(tmp_path, overwrite=True)
    for step in segment_files(files, model, Options(), outputs):
        assert len(read) <= step.done + 3, "one in hand, one being written, one read ahead"
    assert most == [1] * 4


def test_an_image_takes_its_own_time_only(folder, tmp_path, monkeypatch):
    """What is computed ahead waits for others, which is not time that it took."""
    files, now, looks, looked = find_images([folder]).images, [0.0], Counter(), Condition()

    def clock():
        with looked:
            looks[get_ident()] += 1
            looked.notify_all()
            return now[0]

    def others_are_done():
        return any(times == 2 for thread, times in looks.items() if thread != get_ident())

    def slow(pixels):
        if pixels[0, 0, 0, 0] < 0.1:
            with looked:
                assert looked.wait_for(others_are_done, timeout=600)
                now[0] += 10
        return MODEL.predict(pixels)

    first = read_image(files[0]).array
    first[0, 0] = 0
    write_image(files[0], first, overwrite=True)
    monkeypatch.setattr(segmenting, "time", SimpleNamespace(perf_counter=clock))
    model = replace(MODEL, predict=slow, calls_at_once=2)
    results = run(segment_files(files, model, Options(), Outputs(tmp_path)))
    assert [result.seconds for result in results] == [10, 0, 0]


def test_stopped_while_a_result_is_being_written_it_is_written_and_has_its_row(folder, tmp_path):
    files = find_images([folder]).images
    steps = segment_files(files, MODEL, Options(), Outputs(tmp_path))
    for step in steps:
        if step.done == 1:  # the first is being written, or has just been
            break
    steps.close()
    written = {path.name for path in tmp_path.glob("tile*.png")}
    assert written == {Path(row["image"]).name for row in rows_of(tmp_path)}
    assert "tile1.png" in written
    ours = ("writing", "ahead")
    assert not [thread for thread in enumerate_threads() if thread.name.startswith(ours)]


def test_bad_options_stop_everything_before_the_first_file(folder, tmp_path):
    with pytest.raises(InputError, match="tile is 10"):
        run(segment_files([folder / "tile1.png"], MODEL, Options(tile=10), Outputs(tmp_path)))
    assert not list(tmp_path.glob("tile*"))


def test_labels_are_the_same_in_every_format(folder, tmp_path):
    formats = ("tif", "mat", "geojson", "zarr", "csv", "png")
    (result,) = run(
        segment_files([folder / "tile1.png"], MODEL, Options(), Outputs(tmp_path, formats=formats))
    )
    assert result.error == ""
    assert result.labels == tmp_path / "tile1.tif"
    expected = run(segment(read_image(folder / "tile1.png").array, MODEL)).labels
    for name in ("tif", "mat", "geojson", "png"):
        found = read_labels(tmp_path / f"tile1.{name}", expected.shape)
        assert np.array_equal(found, expected)
    assert np.array_equal(zarr.open_group(tmp_path / "tile1.zarr")["0"][:], expected)
    with (tmp_path / "tile1.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["label"]) for row in rows] == list(range(1, 13))
    assert all(float(row["mean_red"]) < 130 < 255 * float(row["mean_probability"]) for row in rows)


def test_outlines_of_a_tile_lie_in_its_slide(tmp_path):
    source = write_image(tmp_path / "in" / "slide [d=2,x=100,y=50,w=256,h=192].png", picture())
    outputs = Outputs(tmp_path / "out", formats=("geojson",))
    (result,) = run(segment_files([source], MODEL, Options(), outputs))
    features = json.loads(result.labels.read_text(encoding="utf-8"))["features"]
    corners = np.concatenate([feature["geometry"]["coordinates"][0] for feature in features])
    assert (corners.min(axis=0) >= (100, 50)).all()
    assert (corners.max(axis=0) <= (356, 242)).all()
    assert (corners.max(axis=0) > (256, 192)).all()
    expected = run(segment(read_image(source).array, MODEL)).labels
    moved = (tmp_path / "in" / source.with_suffix(".geojson").name).write_bytes
    moved(result.labels.read_bytes())
    assert np.array_equal(read_labels(source.with_suffix(".geojson")), expected)


def test_a_stack_is_refused_for_formats_of_one_plane_before_any_work(tmp_path):
    source = tmp_path / "in" / "stack.tif"
    source.parent.mkdir()
    tifffile.imwrite(source, np.stack([picture(1), picture(2)]), photometric="rgb")
    outputs = Outputs(tmp_path / "out", formats=("png", "mat"))
    (result,) = run(segment_files([source], MODEL, Options(), outputs))
    assert "one plane" in result.error
    assert {path.name for path in outputs.folder.iterdir()} == {SUMMARY, OPTIONS_FILE}


def test_no_format_is_overwritten_untold_and_the_summary_never(folder, tmp_path):
    (tmp_path / "tile1.geojson").write_text("mine")
    outputs = Outputs(tmp_path, formats=("png", "geojson"))
    (result,) = run(segment_files([folder / "tile1.png"], MODEL, Options(), outputs))
    assert messages.RESULT_EXISTS.problem in result.error
    assert not (tmp_path / "tile1.png").exists()
    source = write_image(folder / "summary.png", picture())
    outputs = Outputs(tmp_path, overwrite=True, formats=("csv",))
    (result,) = run(segment_files([source], MODEL, Options(), outputs))
    assert messages.WOULD_REPLACE_SUMMARY.problem in result.error


def test_a_result_says_how_it_came_about(folder, tmp_path):
    source = folder / "tile1.png"
    (result,) = run(segment_files([source], MODEL, Options(separate=False), Outputs(tmp_path)))
    assert result.provenance["model"] == MODEL.name
    assert result.provenance["options"]["separate"] is False
    assert result.provenance["threshold"] == result.threshold
    assert result.provenance["source"] == str(source)
    assert result.provenance["versions"]["numpy"] == np.__version__


def test_the_pixel_size_of_a_file_may_be_passed_over(tmp_path):
    source = tmp_path / "in" / "a.tif"
    source.parent.mkdir()
    resolution = {"resolution": (40000, 40000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(source, picture(), photometric="rgb", **resolution)
    (known,) = run(segment_files([source], MODEL, Options(), Outputs(tmp_path / "1")))
    assert known.pixel_size_um == pytest.approx(0.25)
    outputs = Outputs(tmp_path / "2")
    (unknown,) = run(segment_files([source], MODEL, Options(), outputs, use_pixel_size=False))
    assert unknown.pixel_size_um is None


def contents(folder):
    """Return all files of a folder; of the table all but the seconds."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != SUMMARY}
    rows = [{**row, "seconds": ""} for row in rows_of(folder)]
    return found | {SUMMARY: str(rows).replace(str(folder), "")}


def test_a_row_stays_when_its_labels_stay(folder, tmp_path):
    files = find_images([folder]).images
    run(segment_files(files[:2], MODEL, Options(), Outputs(tmp_path)))
    before = rows_of(tmp_path)
    results = run(segment_files(files, MODEL, Options(), Outputs(tmp_path)))
    assert [bool(result.error) for result in results] == [True, True, False]
    assert rows_of(tmp_path)[:2] == before
    assert len(rows_of(tmp_path)) == 3


def test_a_run_that_replaces_results_is_gone_on_with(folder, tmp_path):
    files = find_images([folder]).images
    expected = run(
        segment_files(files, MODEL, Options(separate=False), Outputs(tmp_path / "whole"))
    )
    out = tmp_path / "out"
    run(segment_files(files, MODEL, Options(), Outputs(out)))
    steps = segment_files(files, MODEL, Options(separate=False), Outputs(out, overwrite=True))
    while not isinstance(next(steps), FileDone):
        pass
    steps.close()
    results = run(segment_files(files, MODEL, Options(separate=False), Outputs(out, resume=True)))
    assert [result.error for result in results] == [""] * len(expected)
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_utf_8_is_an_image_like_others(folder, tmp_path):
    odd = folder / os.fsdecode(b"n\xfcclei.png")
    (folder / "tile1.png").rename(odd)
    files = find_images([folder]).images
    assert odd in files
    outputs = Outputs(tmp_path / "out", formats=("png", "geojson", "csv"), overlay=True)
    results = run(segment_files(files, MODEL, Options(), outputs))
    assert [result.error for result in results] == [""] * len(files)
    again = run(segment_files(files, MODEL, Options(), replace(outputs, resume=True)))
    assert {result.source for result in again} == set(files)
    assert not any(result.provenance for result in again)  # all of them are of the run before


def test_a_result_of_a_large_image_is_looked_for_before_and_spared(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(slides_slide, "LARGEST_WHOLE", 1000)
    slide = tmp_path / "scan.tif"
    tifffile.imwrite(slide, picture(), photometric="rgb", tile=(64, 64))
    source = tmp_path / "scan.zarr"
    source.mkdir()
    with pytest.raises(InputError, match=rf"scan\.zarr: {messages.RESULT_EXISTS.problem}"):
        refuse_clash(slide, Outputs(tmp_path), set(), {})
    with pytest.raises(InputError, match=rf"scan\.zarr: {messages.WOULD_REPLACE_IMAGE.problem}"):
        refuse_clash(slide, Outputs(tmp_path, overwrite=True), {slide, source}, {})
    source.rmdir()
    refuse_clash(slide, Outputs(tmp_path), {slide}, {})  # its labels are no TIFF


def test_resuming_makes_what_is_half_and_what_is_missing_and_nothing_else(folder, tmp_path):
    files = find_images([folder]).images
    whole, out = Outputs(tmp_path / "whole", overlay=True), Outputs(tmp_path / "out", overlay=True)
    expected = run(segment_files(files, MODEL, Options(), whole))
    steps = segment_files(files, MODEL, Options(), out)
    while not (out.folder / f"{files[1].stem}_overlay.png").exists():
        next(steps)
    steps.close()
    for path in out.folder.glob(f"{files[2].stem}*"):  # written after the row that is half below
        path.unlink()
    table = (out.folder / SUMMARY).read_bytes().splitlines(keepends=True)
    (out.folder / SUMMARY).write_bytes(b"".join(table[:2]) + table[2][:40])  # killed within a row
    journal = Journal(out)
    journal.start(files[1])
    journal.start(files[2])  # by another thread, while the row of the one before was written
    (out.folder / f"{files[1].stem}.png").unlink()
    (out.folder / ".writing-x.png").write_bytes(b"half")
    done = (out.folder / f"{files[0].stem}.png").stat().st_mtime_ns
    results = run(segment_files(files, MODEL, Options(), replace(out, resume=True)))
    assert [result.nuclei for result in results] == [result.nuclei for result in expected]
    assert contents(out.folder) == contents(whole.folder)
    assert (out.folder / f"{files[0].stem}.png").stat().st_mtime_ns == done


def test_resuming_replaces_nothing_that_a_run_has_not_made(folder, tmp_path):
    (tmp_path / "tile1.png").write_bytes(b"mine")
    files, outputs = find_images([folder]).images, Outputs(tmp_path, resume=True)
    first, *others = run(segment_files(files, MODEL, Options(), outputs))
    assert messages.RESULT_EXISTS.problem in first.error
    assert (tmp_path / "tile1.png").read_bytes() == b"mine"
    assert not any(result.error for result in others)
    other = replace(MODEL, name="another")
    with pytest.raises(InputError, match=f"'{MODEL.name}'.*'another'"):
        run(segment_files(files, other, Options(), outputs))


def test_what_a_format_that_failed_has_left_is_made_again(folder, tmp_path, monkeypatch):
    files, outputs = find_images([folder]).images[:2], Outputs(tmp_path, formats=("png", "csv"))
    (tmp_path / f"{files[1].stem}.png").write_bytes(b"mine")
    write_nuclei = writing.write_nuclei

    def full_for_csv(path, *args, **kwargs):
        if path.suffix == ".csv":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write_nuclei(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_nuclei", full_for_csv)
        results = run(segment_files(files, MODEL, Options(), outputs))
    assert [bool(result.error) for result in results] == [True, True]
    assert (tmp_path / f"{files[0].stem}.png").exists()
    outputs = replace(outputs, resume=True)
    done, refused = run(segment_files(files, MODEL, Options(), outputs))
    assert not done.error
    assert (tmp_path / f"{files[0].stem}.csv").exists()
    assert messages.RESULT_EXISTS.problem in refused.error
    assert (tmp_path / f"{files[1].stem}.png").read_bytes() == b"mine"
    assert not (tmp_path / ".begun").exists()


def test_two_runs_on_one_folder_lose_no_row(folder, tmp_path):
    first, *others = find_images([folder]).images
    steps = segment_files([first], MODEL, Options(), Outputs(tmp_path))
    next(steps)
    with pytest.raises(InputError, match="nother program"):
        run(segment_files(others, MODEL, Options(), Outputs(tmp_path)))
    run(steps)
    run(segment_files(others, MODEL, Options(), Outputs(tmp_path)))
    assert [Path(row["image"]) for row in rows_of(tmp_path)] == [first, *others]


def deep(folder, name, image):
    folder.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(folder / name, image, photometric="rgb")
    return folder / name


def test_what_was_assumed_of_an_image_stands_in_the_table(tmp_path):
    file = deep(tmp_path / "in", "a.tif", picture(1).astype(np.uint16) * 16)
    (result,) = run(segment_files([file], MODEL, Options(), Outputs(tmp_path / "out")))
    assert "4,095" in result.messages[0]
    assert result.provenance["white"] == 4095
    (row,) = rows_of(tmp_path / "out")
    assert row["notes"] == " ".join(result.messages)


def test_a_dark_file_is_read_as_the_model_was_trained(tmp_path):
    dark = (picture(1).astype(np.uint16) * 16) // 5
    file = deep(tmp_path / "in", "a.tif", dark)
    known = replace(MODEL, white={"uint16": 4095.0})
    (alone,) = run(segment_files([file], MODEL, Options(), Outputs(tmp_path / "alone")))
    (as_known,) = run(segment_files([file], known, Options(), Outputs(tmp_path / "known")))
    assert (alone.provenance["white"], as_known.provenance["white"]) == (1023, 4095)
    assert TRAINING_IMAGES_LABEL in as_known.messages[0]
    plain = write_image(tmp_path / "plain.png", np.rint(dark / 4095 * 255).astype(np.uint8))
    (eight,) = run(segment_files([plain], MODEL, Options(), Outputs(tmp_path / "plain")))
    assert as_known.nuclei == eight.nuclei
    assert as_known.threshold == eight.threshold


def test_a_table_of_the_version_before_is_gone_on_with(folder, tmp_path):
    files = find_images([folder]).images
    run(segment_files(files[:2], MODEL, Options(), Outputs(tmp_path)))
    rows, new = rows_of(tmp_path), ("notes", "precision")
    with (tmp_path / SUMMARY).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name not in new])
        writer.writeheader()
        writer.writerows({k: v for k, v in row.items() if k not in new} for row in rows)
    results = run(segment_files(files, MODEL, Options(), Outputs(tmp_path, resume=True)))
    assert [result.error for result in results] == ["", "", ""]
    assert len(rows_of(tmp_path)) == 3


def test_every_row_names_the_number_format_of_a_network(folder, tmp_path):
    network = replace(MODEL, checksum="0" * 64, precision="bfloat16")
    for model, expected in ((network, "bfloat16"), (MODEL, "")):
        out = tmp_path / model.precision
        run(segment_files(find_images([folder]).images, model, Options(), Outputs(out)))
        assert [row["precision"] for row in rows_of(out)] == [expected] * 3
