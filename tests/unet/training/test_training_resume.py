"""Training as processes of its own that are killed: the end is that of an unkilled one."""

import csv
import random
import signal
import subprocess
import sys
import time

import pytest

from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.folder import is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.progress import read_progress, request_stop

SHELL = [sys.executable, "-c", "from napari_snow_unet.cli import main; main()", "train"]
SMALL = ["--crop", "32", "--batch-size", "4", "--base-filters", "4", "--dropout", "0.1"]


def start(*words, **more):
    return subprocess.Popen([*SHELL, *map(str, words)], stdout=subprocess.PIPE, text=True, **more)


def finish(process, code=0):
    out, _ = process.communicate(timeout=600)
    assert process.returncode == code, out
    return out


def contents(run):
    """Return all that does not say when, where or how long."""
    names = ("best", "last", "checkpoints", "preview")
    files = (path for name in names for path in (run / name).rglob("*.*"))
    kept = {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in files
        if path.name not in ("state.json", "config.json")
    }
    with (run / "history.csv").open() as file:
        kept["history"] = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    return kept


@pytest.fixture(scope="module")
def unkilled(discs, tmp_path_factory):
    run = tmp_path_factory.mktemp("unkilled") / "run"
    finish(start(discs, "-o", run, *SMALL, "--epochs", 4))
    return contents(run)


def reach(process, run, epoch):
    """Wait until a training is within an epoch."""
    while not ((now := read_progress(run)) and now.epoch >= epoch and now.batch):
        assert process.poll() is None, "it ended sooner than it should"
        time.sleep(0.05)


def test_killed_and_resumed_it_ends_byte_for_byte_like_an_unkilled_one(discs, tmp_path, unkilled):
    run = tmp_path / "run"
    process = start(discs, "-o", run, *SMALL, "--epochs", 4)
    reach(process, run, 2)
    assert training_process(run) == process.pid
    process.kill()
    process.communicate()
    assert training_process(run) is None
    finish(start("--resume", run))
    assert contents(run) == unkilled


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_byte_for_byte_like_an_unkilled_one(
    discs, tmp_path, unkilled
):
    chance = random.Random(0)
    for trial in range(4):
        run = tmp_path / f"run{trial}"
        for kill in range(6):
            words = ("--resume", run) if is_run(run) else (discs, "-o", run, *SMALL, "--epochs", 4)
            process = start(*words)
            try:
                process.communicate(timeout=chance.uniform(0, 12) if kill < 5 else 200)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        assert contents(run) == unkilled


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("file", marks=pytest.mark.slow),
        pytest.param("input", marks=pytest.mark.slow),
        "ctrl-c",
    ],
)
def test_it_ends_when_it_is_asked_to(discs, tmp_path, how):
    run = tmp_path / "run"
    more = ["--stop-with-parent"] if how == "input" else []
    words = [discs, "-o", run, *SMALL, "--epochs", 10000, *more]
    process = start(*words, stdin=subprocess.PIPE if how == "input" else subprocess.DEVNULL)
    reach(process, run, 1)
    if how == "file":
        request_stop(run)
    elif how == "input":
        process.stdin.close()
        process.stdin = None
    elif sys.platform == "win32":
        pytest.skip("a process cannot be sent Ctrl-C there without a console of its own")
    else:
        process.send_signal(signal.SIGINT)
    out = finish(process, code=130 if how == "ctrl-c" else 0)
    assert "--resume" in out
    assert read_progress(run).state == "stopped"
    assert training_process(run) is None


HELD_UP = """
import sys, threading
from pathlib import Path
from napari_snow_unet.unet.runs import stopping
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.progress import StopRequest
run = RunDirectory(Path(sys.argv[1]))
with stopping.watched(run, StopRequest(run.stop_file)):
    print("at a batch", flush=True)
    threading.Event().wait()  # a batch that never ends
"""


def test_it_does_not_wait_for_a_batch_that_takes_long(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HELD_UP, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "at a batch\n"
        request_stop(tmp_path)
        assert process.wait(timeout=600) == 0
    progress = read_progress(tmp_path)
    assert progress.state == "stopped"
    assert progress.message == messages.stopped_in_batch("")
    assert not (tmp_path / "STOP").exists()
