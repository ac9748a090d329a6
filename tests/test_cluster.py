"""More than one machine: a real scheduler and real worker processes on this one."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from napari_snow_unet.batch import SUMMARY
from napari_snow_unet.cli import app
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import write_image
from napari_snow_unet.data.synthetic import generate_tile

pytest.importorskip("distributed")
TILES = 12


@pytest.fixture
def images(tmp_path):
    for seed in range(TILES):
        write_image(tmp_path / "in" / f"{seed}.png", generate_tile(seed, size=256).image)
    (tmp_path / "in" / "bad.png").write_bytes(b"no image")
    return tmp_path / "in"


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
        deadline = time.monotonic() + 60
        while not found.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        import json

        yield json.loads(found.read_text())["address"]
        for process in (two, one):
            process.terminate()
            process.wait(20)


def shell(*words):
    return CliRunner().invoke(app, [*map(str, words), "--model", "classical"])


def rows_of(folder):
    with (folder / SUMMARY).open(newline="", encoding="utf-8") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    for row in rows.values():
        del row["seconds"], row["labels"]
    return rows


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
    assert f"{TILES} of {TILES + 1} images segmented" in done.output
    assert "bad.png" in done.output
    assert len(same(there, here)) == 2 * TILES
    assert rows_of(there) == rows_of(here)
    again = shell("segment", images, "-o", there, "--scheduler", cluster, *words)
    assert "exists already" in again.output


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="killing needs a POSIX system")
def test_a_worker_killed_in_the_middle_changes_nothing(cluster, images, tmp_path):
    from distributed import Client

    from napari_snow_unet.batch import Outputs
    from napari_snow_unet.batch.cluster import Job, segment_files_on
    from napari_snow_unet.segmentation.options import Options

    (images / "bad.png").unlink()
    files = sorted(images.iterdir())
    with Client(cluster, set_as_default=False) as client:
        pids = list(client.run(os.getpid).values())
    assert len(pids) == 2
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


def test_a_scheduler_that_is_not_there_is_named(images, tmp_path, monkeypatch):
    from napari_snow_unet.batch import cluster as module

    monkeypatch.setattr(module, "REACHED_WITHIN", 1)
    done = shell("segment", images, "-o", tmp_path / "o", "--scheduler", "tcp://127.0.0.1:9")
    assert done.exit_code == 1
    assert isinstance(done.exception, InputError)
    assert "tcp://127.0.0.1:9 cannot be reached" in str(done.exception)
    assert "dask scheduler" in str(done.exception)
    resumed = shell("segment", images, "-o", tmp_path, "--scheduler", "tcp://x:1", "--resume")
    assert resumed.exit_code == 2
