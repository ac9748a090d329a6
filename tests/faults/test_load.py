"""`make load`: 20,000 tiles through every command; memory, files and processes stay few."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux"),
]
TILES = int(os.environ.get("TILES", "20000"))
SHELL = [sys.executable, "-m", "napari_snow_unet.cli"]


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Return a folder with images/ and masks/ of many different tiles of 32 pixels."""
    folder = tmp_path_factory.mktemp("tiles")
    rng = np.random.default_rng(0)
    for number in range(TILES):
        labels = np.zeros((32, 32), np.int32)
        for label, (y, x) in enumerate(rng.integers(0, 22, (2, 2)), 1):
            labels[y : y + 10, x : x + 10] = label
        ground = np.kron(rng.integers(90, 225, (8, 8)), np.ones((4, 4), int))  # no two are alike
        pixels = np.where(labels > 0, 30, ground)[..., None] + rng.integers(0, 30, (32, 32, 3))
        write_image(folder / "images" / f"t{number:05d}.png", pixels.astype(np.uint8))
        write_labels(folder / "masks" / f"t{number:05d}.png", labels)
    return folder


def children(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def watched(words, expected=0):
    """Run a command; return memory, open files and processes, looked at twenty times a second."""
    process = subprocess.Popen(
        [*SHELL, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    seen, began = [], time.monotonic()
    os.set_blocking(process.stdout.fileno(), False)
    said = b""
    while process.poll() is None:
        said += process.stdout.read() or b""
        try:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            files = len(os.listdir(f"/proc/{process.pid}/fd"))  # noqa: PTH208
        except (OSError, IndexError):
            break
        kin = children(process.pid)
        seen.append((time.monotonic() - began, pages * 4096 / 2**20, files, len(kin)))
        time.sleep(0.05)
    os.set_blocking(process.stdout.fileno(), True)
    said += process.stdout.read() or b""
    process.stdout.close()
    assert process.wait() == expected, said.decode()[-3000:]
    return np.array(seen)


def assert_steady(name, seen, mebibytes, record):
    """Hold what a command has at its end to what it had after a quarter of its time."""
    ends = seen[-1, 0]
    quarter, late = (
        seen[(seen[:, 0] > low * ends) & (seen[:, 0] < high * ends)]
        for low, high in ((0.2, 0.3), (0.85, 0.97))
    )
    early_files, late_files = np.median(quarter[:, 2]), np.median(late[:, 2])
    record.append(
        f"{name:9} {ends:5.0f} s, {np.median(quarter[:, 1]):4.0f} MiB at 25 %, "
        f"{np.median(late[:, 1]):4.0f} MiB at the end, {late_files:.0f} files, "
        f"at most {seen[:, 3].max():.0f} processes"
    )
    assert np.median(late[:, 1]) - np.median(quarter[:, 1]) < mebibytes, record[-1]
    assert late_files <= early_files + 4, record[-1]
    assert seen[:, 3].max() <= 4, record[-1]


def test_20000_tiles_through_every_command(tiles, tmp_path):
    """What is kept of every tile is a row of a table: 4 KiB are allowed, and 8 for a check."""
    data, found, record = tmp_path / "data", tmp_path / "found", []
    row = TILES / 256  # MiB if 4 KiB are kept of every tile
    commands = {
        "prepare": (["prepare", tiles, "-o", data, "--workers", 2], row),
        "check": (["check", data], 2 * row),
        "segment": (["segment", data, "-o", found, "--model", "classical"], row),
        "evaluate": (["evaluate", found, data / "masks", "-o", tmp_path / "report"], 2 * row),
    }
    try:
        for name, (words, mebibytes) in commands.items():
            assert_steady(name, watched(words), mebibytes + 20, record)
    finally:
        print("", *record, sep="\n")
    assert len(list((data / "images").rglob("*.png"))) == TILES
    assert len(list(found.glob("*.png"))) == TILES
    scores = json.loads((tmp_path / "report" / "scores.json").read_text())
    assert len(scores["tiles"]) == TILES
