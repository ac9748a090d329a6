"""Disks that are full, closed, or change under the program: one sentence, and nothing half written.

A small tmpfs is a disk that is really full, and read-only when it is mounted so; mounting takes an
administrator, so where the tests do not run as one these are left out.
"""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import write_image

SHELL = [sys.executable, "-m", "napari_snow_unet.cli"]
CLASSICAL = ["--model", "classical"]


def shell(*words, code):
    done = subprocess.run([*SHELL, *map(str, words)], capture_output=True, text=True, timeout=600)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    return said


@contextmanager
def mounted(place, options):
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if sys.platform != "linux" or os.geteuid() or not shutil.which("mount"):
        pytest.skip("only an administrator can mount a disk")
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Return a folder with images/ and masks/ that hardly pack: 8 of 27 kB each."""
    folder = tmp_path_factory.mktemp("pairs")
    noise = np.random.default_rng(0)
    for number in range(8):
        pixels = noise.integers(0, 256, (96, 96, 3), dtype=np.uint8)
        labels = np.zeros((96, 96), np.int32)
        labels[10:40, 20:50] = number + 1
        write_image(folder / "images" / f"t{number}.png", pixels)
        write_labels(folder / "masks" / f"t{number}.png", labels)
    return folder


def assert_whole(folder):
    """Hold all images of a folder to be whole, and nothing to be left half written."""
    for path in folder.rglob("*.png"):
        read_labels(path) if "mask" in str(path.parent.name) else path.read_bytes()
    assert not list(folder.rglob(".writing-*"))


def test_prepare_on_a_full_disk_goes_on_once_there_is_room(pairs, tmp_path):
    with mounted(tmp_path / "disk", "size=128k") as disk:
        said = shell("prepare", pairs, "-o", disk / "out", "--workers", "1", code=1)
        assert "No space left" in said
        assert_whole(disk / "out")
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        shell("prepare", pairs, "-o", disk / "out", "--workers", "1", code=0)
        assert len(list((disk / "out" / "images").glob("*.png"))) == 8


def test_segment_on_a_full_disk_names_every_image_it_could_not_write(pairs, tmp_path):
    with mounted(tmp_path / "disk", "size=64k") as disk:
        words = ["segment", pairs / "images", "-o", disk / "out", *CLASSICAL, "--overlay"]
        said = shell(*words, code=1)
        assert "No space left" in said
        assert_whole(disk / "out")


@pytest.mark.parametrize(
    "words",
    [
        ["prepare", "{pairs}", "-o", "{disk}/out"],
        ["segment", "{pairs}/images", "-o", "{disk}/out", *CLASSICAL],
        ["train", "{pairs}", "-o", "{disk}/out"],
        ["evaluate", "{pairs}/masks", "{pairs}/masks", "-o", "{disk}/out"],
        ["demo", "-o", "{disk}/out", "--no-gui"],
    ],
    ids=lambda words: words[0],
)
def test_a_disk_that_cannot_be_written_to_is_one_sentence(pairs, tmp_path, words):
    with mounted(tmp_path / "disk", "ro") as disk:
        said = shell(*(word.format(pairs=pairs, disk=disk) for word in words), code=1)
        assert "Read-only" in said


def test_a_file_that_vanishes_or_is_cut_while_images_are_segmented_is_named(pairs, tmp_path):
    from napari_snow_unet.batch import Outputs, segment_files
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.options import Options

    folder = shutil.copytree(pairs / "images", tmp_path / "images")
    files = sorted(folder.iterdir())
    steps = segment_files(files, open_model("classical"), Options(), Outputs(tmp_path / "out"))
    try:
        next(steps)
        files[3].unlink()
        os.truncate(files[5], 1000)
        while True:
            next(steps)
    except StopIteration as end:
        results = end.value
    assert [bool(result.error) for result in results] == [n in (3, 5) for n in range(8)]
    assert "t3.png" in results[3].error
    assert "damaged" in results[5].error
    assert_whole(tmp_path / "out")


LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from napari_snow_unet.data.pixels.images import read_image

read_image(sys.argv[1])
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (32 << 20),) * 2)
read_image(sys.argv[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS of Linux")
def test_too_little_memory_for_an_image_is_one_sentence(tmp_path):
    """In a process of its own: what other tests give back meanwhile would be enough for it."""
    path = tmp_path / "large.png"
    write_image(path, np.zeros((5000, 5000, 3), np.uint8))
    ended = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY, path], capture_output=True, text=True
    )
    *_, last = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert re.search(r"InputError: .*large\.png.*memory", last)


LITTLE_FOR_NUCLEI = """
import resource, sys
from pathlib import Path
import numpy as np
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment

name, room, tile, side = sys.argv[1], *map(int, sys.argv[2:])
model, small = open_model(name), generate_tile(1, size=512).image
run(segment(small, model))
image = np.tile(small, (side // 512, side // 512, 1))
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (room << 20),) * 2)
run(segment(image, model, Options(tile=tile)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS of Linux")
@pytest.mark.parametrize(
    ("name", "room", "tile", "side"),
    [
        ("classical", 32, 512, 4096),
        ("default", 100, 2048, 1024),
        pytest.param("default", 60, 1024, 1536, marks=pytest.mark.slow),
    ],
)
def test_too_little_memory_for_the_nuclei_ends_no_program(name, room, tile, side):
    """The network is shown smaller windows; what is left may do for the nuclei, too, or not."""
    words = [sys.executable, "-c", LITTLE_FOR_NUCLEI, name, *map(str, (room, tile, side))]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=600)
    if name == "classical" or ended.returncode:
        *_, last = ended.stderr.splitlines()
        assert ended.returncode == 1, ended.stderr
        assert re.search(r"MemoryError|InputError: .*smaller tile", last)
