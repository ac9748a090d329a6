"""`make soak`: programs killed at random moments end like those that were not, byte for byte.

Training starts from a process that has Keras loaded already, so that kills fall into the training
and not into five seconds of imports. KILLS is the number of kills for each of the three.
"""

import csv
import multiprocessing
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there"),
]
KILLS = int(os.environ.get("KILLS", "5"))
SMALL = ["--crop", "32", "--batch-size", "4", "--base-filters", "4", "--epochs", "6"]
ENGINE = ["napari_snow_unet.cli.train", "napari_snow_unet.unet.training.loop"]
CHATTER = {"state.json", "config.json", "progress.json", "training.json", "lock", ".lock"}


def tile(number, size):
    """Return an image that hardly packs, and its labels."""
    rng = np.random.default_rng(number)
    labels = np.zeros((size, size), np.int32)
    for label, (y, x) in enumerate(rng.integers(2, size - 14, (5, 2)), 1):
        labels[y : y + 11, x : x + 11] = label
    colours = np.where(labels[..., None] > 0, (110, 70, 140), (225, 190, 210))
    return (colours + rng.integers(-20, 21, colours.shape)).astype(np.uint8), labels


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    return made(tmp_path_factory.mktemp("tiles"), count=12, size=64)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return made(tmp_path_factory.mktemp("many"), count=300, size=96)


def made(folder, count, size):
    for number in range(count):
        pixels, labels = tile(number, size)
        write_image(folder / "images" / f"t{number}.png", pixels)
        write_labels(folder / "masks" / f"t{number}.png", labels)
    return folder


class Shell:
    """A command as a process of its own, in a Python that has just begun."""

    def __init__(self, *words):
        command = [sys.executable, "-m", "napari_snow_unet.cli", *map(str, words)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def lives(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def finish(self):
        said = self.process.communicate(timeout=600)[0].decode()
        assert self.process.returncode == 0, said


def train(words, said):
    """Run the command in a process that was forked from one with Keras loaded."""
    with open(said, "w") as stream:  # noqa: PTH123
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    from napari_snow_unet.cli import main

    sys.argv = ["napari-snow-unet", "train", *map(str, words)]
    main()


class Forked:
    """A training as a process of its own, in a Python that has loaded Keras."""

    context = multiprocessing.get_context("forkserver")

    def __init__(self, said, *words):
        self.said = said
        self.process = self.context.Process(target=train, args=(words, said))
        self.process.start()

    def lives(self):
        return self.process.is_alive()

    def kill(self):
        self.process.kill()
        self.process.join()

    def finish(self):
        self.process.join(600)
        assert self.process.exitcode == 0, self.said.read_text()


def timed(program):
    began = time.monotonic()
    program.finish()
    return time.monotonic() - began


def kill_at_random(program, chance, longest, folder):
    """Kill at any moment, or as soon as something is being written; tell whether it still lived."""
    ends = time.monotonic() + chance.uniform(0, longest)
    while_writing = chance.random() < 0.4
    while time.monotonic() < ends and program.lives():
        time.sleep(0.002)
    while while_writing and program.lives() and not any(folder.rglob(".writing-*")):
        time.sleep(0)
    lived = program.lives()
    program.kill()
    return lived


def soak(start, again, longest, folder, check):
    """Kill and go on; whenever a run comes to its end, compare and begin anew."""
    chance, kills, ends = random.Random(0), 0, 0
    while kills < KILLS or not ends:
        run = folder / f"run{ends}"
        program = start(run)
        for _ in range(chance.randint(1, 7)):
            kills += kill_at_random(program, chance, longest, run)
            program = again(run)
        program.finish()
        check(run)
        ends += 1
    print(f"\n{kills} kills, {ends} ends like those of an unkilled run")


def everything(folder, skip=()):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in skip)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def without_seconds(path, folder):
    with path.open(newline="", encoding="utf-8") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def test_prepare(many, tmp_path):
    def start(run):
        return Shell("prepare", many, "-o", run, "--workers", 2)

    longest = timed(start(tmp_path / "whole"))
    expected = everything(tmp_path / "whole")
    assert sum(name.endswith(".png") for name in expected) == 600

    def check(run):
        assert everything(run, skip={".lock"}) == expected

    soak(start, start, longest, tmp_path, check)


def test_segment(many, tmp_path):
    words = ["--model", "classical", "--overlay", "--probability", "--format", "png,csv"]

    def start(run, *more):
        return Shell("segment", many / "images", "-o", run, *words, *more)

    def found(run):
        rows = without_seconds(run / "summary.csv", run)
        rows = [{**row, "labels": row["labels"].replace(str(run), "")} for row in rows]
        return everything(run, skip={".lock", "summary.csv"}) | {"summary.csv": rows}

    longest = timed(start(tmp_path / "whole"))
    expected = found(tmp_path / "whole")
    assert len(expected["summary.csv"]) == 300

    def check(run):
        assert found(run) == expected

    soak(start, lambda run: start(run, "--resume"), longest, tmp_path, check)


def test_train(tiles, tmp_path):
    from napari_snow_unet.unet.runs.folder import is_run

    Forked.context.set_forkserver_preload(ENGINE)

    def start(run, *more):
        words = ["--resume", run] if is_run(run) else [tiles, "-o", run, *SMALL]
        return Forked(tmp_path / "said.txt", *words)

    def found(run):
        names = ("best", "last", "checkpoints", "preview")
        files = {name: everything(run / name, skip=CHATTER) for name in names}
        return files | {"history": without_seconds(run / "history.csv", run)}

    start(tmp_path / "warm").finish()
    longest = timed(start(tmp_path / "whole"))
    expected = found(tmp_path / "whole")
    assert len(expected["history"]) == 6
    assert all(expected[name] for name in ("best", "last", "checkpoints"))

    def check(run):
        assert found(run) == expected

    soak(start, start, longest, tmp_path, check)
