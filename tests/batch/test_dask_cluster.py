"""More than one machine: a real scheduler and real worker processes on this one."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import zarr
from tifffile import TiffWriter
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.batch import SUMMARY, Outputs
from napari_snow_unet.batch.dask_cluster import segment_files_on
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.messages import RESULT_EXISTS
from napari_snow_unet.cli import app
from napari_snow_unet.cli.messages import segmented
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.slides import slide
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.segmentation.options import Options

pytest.importorskip("distributed")
TILES = 12
POSIX = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="killing needs a POSIX system")


@pytest.fixture
def images(tmp_path):
    for seed in range(TILES):
        write_image(tmp_path / "in" / f"{seed}.png", generate_tile(seed, size=256).image)
    (tmp_path / "in" / "bad.png").write_bytes(b"no image")
    return tmp_path / "in"


def read_if_there(path):
    return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start a scheduler and two workers with their nannies, as a person would."""
    folder = tmp_path_factory.mktemp("cluster")
    found = folder / "scheduler.json"
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    words += ["--port", "0", "--no-dashboard", "--scheduler-file", str(found)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(found)]
    worker += ["--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    worker += ["--local-directory", str(folder)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    with subprocess.Popen(words, **quiet) as one, subprocess.Popen(worker, **quiet) as two:
        while not (told := re.search(r'"address": "(.+?)"', read_if_there(found))):
            assert one.poll() is None
            time.sleep(0.1)
        yield told[1]
        for process in (two, one):
            process.terminate()
            process.wait()


def shell(*words):
    return CliRunner().invoke(app, [*map(str, words), "--model", "classical"])


def rows_of(folder):
    with (folder / SUMMARY).open(newline="", encoding="utf-8") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    for row in rows.values():
        del row["seconds"], row["labels"]
    return rows


def pids_of(cluster):
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        pids = list(client.run(os.getpid).values())
    assert len(pids) == 2
    return pids


def same(folder, other):
    names = {path.name for path in other.iterdir() if path.suffix in (".png", ".geojson")}
    assert {path.name for path in folder.iterdir() if path.suffix in (".png", ".geojson")} == names
    for name in sorted(name for name in names if name.endswith(".png")):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    return names


def test_workers_give_the_results_of_one_machine(cluster, images, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    words = ("--probability", "--min-area", 30)
    assert shell("segment", images, "-o", here, *words).exit_code == 1  # one is no image
    done = shell("segment", images, "-o", there, "--scheduler", cluster, *words)
    assert done.exit_code == 1, done.output
    assert segmented(TILES, TILES + 1, there, 0) in " ".join(done.output.split())
    assert "bad.png" in done.output
    assert len(same(there, here)) == 2 * TILES
    assert rows_of(there) == rows_of(here)
    again = shell("segment", images, "-o", there, "--scheduler", cluster, *words)
    assert RESULT_EXISTS.problem in again.output


@POSIX
def test_a_worker_killed_in_the_middle_changes_nothing(cluster, images, tmp_path):
    (images / "bad.png").unlink()
    files = sorted(images.iterdir())
    pids = pids_of(cluster)
    job = Job("classical", "auto", Options(), Outputs(tmp_path / "there", overwrite=True))
    steps, results = segment_files_on(cluster, files, job), None
    try:
        while True:
            step = next(steps)
            if step.done == 1:
                os.kill(pids[0], signal.SIGKILL)
    except StopIteration as end:
        results = end.value
    assert [result.source for result in results] == [path.resolve() for path in files]
    assert not any(result.error for result in results)
    assert shell("segment", images, "-o", tmp_path / "here").exit_code == 0
    assert len(same(tmp_path / "there", tmp_path / "here")) == TILES


@pytest.fixture
def large(tmp_path, monkeypatch):
    """Return an image that counts as too large to be read as a whole."""
    pixels = np.tile(generate_tile(5, size=512).image, (3, 2, 1))
    pixels[:256, :300] = 243  # glass
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 1000)
    with TiffWriter(tmp_path / "slide.tif") as tif:
        tif.write(pixels, tile=(256, 256), photometric="rgb")
    return tmp_path / "slide.tif"


@pytest.mark.parametrize(
    "killed", [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=POSIX)]
)
def test_one_large_image_is_divided_among_the_workers(cluster, large, tmp_path, killed):
    words = ("--tile", 128, "--format", "zarr,tif", "--probability", "--pixel-size", 0.25)
    assert shell("segment", large, "-o", tmp_path / "here", *words).exit_code == 0
    options = Options(tile=128, pixel_size_um=0.25)
    outputs = Outputs(tmp_path / "there", probability=True, formats=("zarr", "tif"))
    job, seen = Job("classical", "auto", options, outputs), []
    steps = segment_files_on(cluster, [large], job)
    try:
        while True:
            seen.append(next(steps).message)
            if killed and len(seen) == 10:
                os.kill(pids_of(cluster)[0], signal.SIGKILL)
    except StopIteration as end:
        (result,) = end.value
    assert not result.error
    assert result.nuclei > 10
    assert sum("tile" in message for message in seen) > 20
    here, there = tmp_path / "here", tmp_path / "there"
    for name in ("slide.tif", "slide_probability.tif"):
        np.testing.assert_array_equal(read_image(there / name).array, read_image(here / name).array)
    for level in ("0", "1"):
        expected = zarr.open_group(here / "slide.zarr", mode="r")[level][...]
        found = zarr.open_group(there / "slide.zarr", mode="r")[level][...]
        np.testing.assert_array_equal(found, expected)
    assert rows_of(there) == rows_of(here)
    assert not list(there.glob(".writing*"))


def test_as_many_large_images_as_workers_are_one_task_each(cluster, large, tmp_path):
    from distributed import Client

    files = [large, shutil.copy(large, large.with_name("other.tif"))]
    with Client(cluster, set_as_default=False) as client:
        client.run(setattr, slide, "LARGEST_WHOLE", 1000)
    words = ("--format", "tif", "--pixel-size", 0.25)
    assert shell("segment", *files, "-o", tmp_path / "here", *words).exit_code == 0
    done = shell("segment", *files, "-o", tmp_path / "there", "--scheduler", cluster, *words)
    assert done.exit_code == 0, done.output
    assert rows_of(tmp_path / "there") == rows_of(tmp_path / "here")


def test_a_large_image_that_fails_on_the_workers_is_told(cluster, large, tmp_path):
    job = Job("classical", "auto", Options(), Outputs(tmp_path / "there"))
    steps = segment_files_on(cluster, [large], job)
    next(steps)
    large.write_bytes(large.read_bytes()[:3000])
    (result,) = run(steps)
    assert "slide.tif" in result.error
    assert not list((tmp_path / "there").glob("slide*"))


def test_a_scheduler_that_is_not_there_is_named(images, tmp_path, monkeypatch):
    from napari_snow_unet.batch import dask_cluster as module

    monkeypatch.setattr(module, "REACHED_WITHIN", 1)
    done = shell("segment", images, "-o", tmp_path / "o", "--scheduler", "tcp://127.0.0.1:9")
    assert done.exit_code == 1
    assert isinstance(done.exception, InputError)
    assert "tcp://127.0.0.1:9" in str(done.exception)
    assert "dask scheduler" in str(done.exception)
    words = ("--scheduler", "tcp://x:1", "--device", "cpu")
    assert shell("segment", images, "-o", tmp_path / "o", *words).exit_code == 2


def test_a_run_on_workers_is_resumed(cluster, images, tmp_path):
    link = images / "100.png"
    link.symlink_to(images / "0.png")
    (images / "bad.png").unlink()
    there = tmp_path / "there"
    steps = segment_files_on(
        cluster, sorted(images.iterdir()), Job("classical", "auto", Options(), Outputs(there))
    )
    while next(steps).done < 3:
        pass
    steps.close()
    rows = rows_of(there)
    done = shell("segment", images, "-o", there, "--scheduler", cluster, "--resume")
    assert done.exit_code == 0, done.output
    printed = " ".join(done.output.split())
    assert segmented(TILES + 1, TILES + 1, there, len(rows)) in printed
    assert shell("segment", images, "-o", tmp_path / "here").exit_code == 0
    assert "100.png" in same(there, tmp_path / "here")  # a link keeps its name
    assert rows_of(there) == rows_of(tmp_path / "here")


def test_a_large_image_that_cannot_be_written_is_told_like_a_small_one(cluster, large, tmp_path):
    job = Job("classical", "auto", Options(), Outputs(tmp_path / "out", formats=("png",)))
    (result,) = run(segment_files_on(cluster, [large], job))
    assert result.error.count(str(large)) == 1
    assert "InputError" not in result.error
