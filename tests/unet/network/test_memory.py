import os
import re
import subprocess
import sys

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.network import memory
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import (
    Room,
    batch_bytes,
    memory_available,
    memory_limit,
    require_memory,
)


def test_it_grows_with_the_batch_and_halves_with_the_precision():
    config = UNetConfig()
    one = batch_bytes(config, (1, 256, 256), "float32")
    assert batch_bytes(config, (8, 256, 256), "float32") == pytest.approx(8 * one, rel=1e-6)
    assert batch_bytes(config, (1, 512, 512), "float32") == pytest.approx(4 * one, rel=1e-6)
    assert batch_bytes(config, (1, 256, 256), "mixed_bfloat16") == pytest.approx(one / 2, rel=1e-6)


def test_it_is_less_than_was_measured():
    """Peak memory over that of the program itself, on Linux with TensorFlow 2.21."""
    measured = {(8, 256, 256): 0.94e9, (8, 512, 512): 2.0e9}
    for shape, peak in measured.items():
        assert 0.4 * peak < batch_bytes(UNetConfig(), shape, "float32") < peak


def test_what_cannot_fit_is_refused_and_what_can_is_not():
    require_memory(UNetConfig(), (8, 256, 256), "float32")
    with pytest.raises(InputError, match=r"GiB.*smaller batches"):
        require_memory(UNetConfig(base_filters=64), (1024, 4096, 4096), "float32")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_limit_on_this_program_counts():
    code = (
        "import resource; from napari_snow_unet.unet.network.memory import memory_limit;"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)); print(memory_limit())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 2 << 30
    assert memory_limit() > 2 << 30


WINDOW = """
import os
import numpy as np
from model_folders import random_arrays
from napari_snow_unet.unet.network import memory
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.predictor import on_processor
if THREADS:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
config = UNetConfig(base_filters=FILTERS)
network = on_processor(config, random_arrays(config), "PRECISION")
assert network.precision == "PRECISION"
network.predict(np.zeros((1, 64, 64, 1), np.float32))
before = peak()
for _ in range(2):
    network.predict(np.zeros((1, 1024, 1024, 1), np.float32))
print((peak() - before) / 1024**2, network.room.least, network.room.most)
"""
KERNELS = {  # none of these computes with more than the processor has
    "its own": {},
    "of AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "of AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "of SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
}
OFTEN = (
    *(("its own", 16, 0, precision) for precision in ("float32", "bfloat16")),
    ("of AVX2", 16, 0, "float32"),
)


@pytest.mark.parametrize(
    ("kernels", "filters", "threads", "precision"),
    [
        *OFTEN,
        *(
            pytest.param(kernels, filters, threads, precision, marks=pytest.mark.slow)
            for kernels in KERNELS
            for filters in (4, 16, 64)
            for threads in (0, 1)
            for precision in ("float32", "bfloat16")
            if (precision == "float32" or kernels == "its own")
            and (kernels, filters, threads, precision) not in OFTEN
        ),
    ],
)
def test_a_window_takes_between_the_least_and_the_most(
    request, measured, repository, kernels, filters, threads, precision
):
    if precision != "float32":
        request.getfixturevalue("bfloat16")
    code = WINDOW.replace("PRECISION", precision).replace("FILTERS", str(filters))
    environment = KERNELS[kernels] | {"PYTHONPATH": python_path(repository)}
    taken, least, most = measured(code.replace("THREADS", str(threads)), **environment)
    assert least < taken < most


def python_path(repository) -> str:
    """Return where a process finds what tests import, and what this one does."""
    return os.pathsep.join([str(repository / "tests" / "helpers"), *filter(None, sys.path)])


RELEASED = """
import os
from pathlib import Path
import numpy as np
from napari_snow_unet.models import open_model

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

model = open_model("he-breast-nuclei")
model.predict(np.zeros((1, 64, 64, 1), np.float32))
before = held()
model.predict(np.zeros((1, 1024, 1024, 1), np.float32))
after = held()
model.release_memory()
print(before / 2**20, after / 2**20, held() / 2**20)
"""


def test_what_a_window_took_is_given_back_when_no_more_come(measured):
    before, after, released = measured(RELEASED)
    assert after - before > 150  # MiB, of which nothing else than the window takes so much
    assert released - before < (after - before) / 3


def test_a_window_that_can_fit_nowhere_is_refused_in_one_sentence():
    room = Room(least=80, most=600)
    with pytest.raises(InputError, match=r"1048576 x 1048576.*at least .* GiB.*smaller tile size"):
        room.require((1, 1 << 20, 1 << 20))
    room.require((1, 1024, 1024))


def test_where_an_engine_has_memory_of_its_own_nothing_is_refused():
    Room().require((1, 1 << 20, 1 << 20))
    assert Room().edge_that_fits(1 << 20) == 1 << 20


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_window_that_fits_shrinks_with_what_is_free(monkeypatch, precision):
    room = Room.on_processor(UNetConfig(base_filters=4), precision)
    monkeypatch.setattr(memory, "memory_available", lambda: int(2**20 * room.most))
    assert [room.edge_that_fits(edge) for edge in (512, 1024, 4096)] == [512, 1024, 1024]
    four = Room.on_processor(UNetConfig(base_filters=4), precision, windows=4)
    assert four.edge_that_fits(4096) == 512
    monkeypatch.setattr(memory, "memory_available", lambda: None)
    assert room.edge_that_fits(4096) == 4096


def test_what_is_free_is_part_of_what_there_is():
    free = memory_available()
    if sys.platform == "linux":
        assert 0 < free <= memory_limit()
    else:
        assert free is None


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.prediction import predict_plane
from napari_snow_unet.segmentation.plan import make_plan

def computed(tile):
    steps = predict_plane(image, make_plan(image, model, Options(tile=tile)))
    windows = 0
    try:
        while True:
            next(steps)
            windows += 1
    except StopIteration as ended:
        return ended.value.astype(int), windows

side, tile, room = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) << 20
image = np.tile(generate_tile(1, size=512).image, (side // 512, side // 512, 1))
model = open_model("he-breast-nuclei")
expected, _ = computed(1024)
model.release_memory()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + room,) * 2)
found, windows = computed(tile)
print(windows, np.abs(found - expected).max())
"""


def limited(side: int, tile: int, room: int) -> subprocess.CompletedProcess[str]:
    """Compute an image in a process that may take so many MiB more than before."""
    words = [sys.executable, "-c", LIMITED, str(side), str(tile), str(room)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.run(words, capture_output=True, text=True, timeout=600, env=environment)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS of Linux")
def test_where_a_window_may_not_fit_smaller_ones_are_computed():
    """The window that is asked for would take 80 to 160 MiB at the least, and might take 900."""
    ended = limited(1024, 1024, 200)
    assert ended.returncode == 0, ended.stderr
    windows, difference = map(int, ended.stdout.split())
    assert windows > 1
    assert difference <= 1  # rounding: kernels are chosen by the size of the window


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS of Linux")
def test_where_no_window_can_fit_that_is_one_sentence():
    ended = limited(512, 512, 4)
    *_, last = ended.stderr.splitlines()
    assert ended.returncode == 1, ended.stderr
    assert "InputError: A window of 256 x 256 px" in last


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS of Linux")
@pytest.mark.parametrize("room", [13, 20, 28])
def test_where_one_might_fit_and_does_not_that_is_no_crash(room):
    """A window of 256 pixels takes at least 12 MiB, and up to 37."""
    ended = limited(512, 512, room)
    if ended.returncode:
        assert ended.returncode == 1, ended.stderr
        *_, last = ended.stderr.splitlines()
        assert re.search("MemoryError|InputError: A window of 256 x 256 px", last)


FREES = """
import ctypes
import numpy as np
from napari_snow_unet.unet.network.memory import keep_freed_memory

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
         "fordblks", "keepcost")]

def held():
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Info
    now = mallinfo()
    return now.arena + now.hblkhd

if not hasattr(ctypes.CDLL(None), "mallinfo2"):  # another library than glibc, or an old one
    print(0, 0, 0)
    raise SystemExit
kept = KEPT and keep_freed_memory()
before = held()
array = np.ones(2**27, np.uint8)
most = held() - before
del array
print(int(kept), most // 2**20, (held() - before) // 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="settings of glibc")
def test_what_a_training_frees_is_kept():
    def run(kept):
        code = FREES.replace("KEPT", str(kept))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return [int(word) for word in done.stdout.split()]

    kept, most, after = run(True)
    if not kept:
        pytest.skip("not glibc, or older than 2.33")
    assert most >= 128
    assert after == most
    _, most, after = run(False)
    assert most >= 128
    assert after < 64
