import os
import subprocess
import sys

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import (
    batch_bytes,
    least_bytes_per_pixel,
    memory_available,
    memory_limit,
    most_bytes_per_pixel,
    require_memory,
    require_window_memory,
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
import numpy as np
from napari_snow_unet.models import find_model
from napari_snow_unet.unet.engine import selection
selection.load_engine()
from napari_snow_unet.unet.network.build import for_prediction
from napari_snow_unet.unet.network.predictor import make_predictor
from napari_snow_unet.unet.models.store import load_model
network, config = load_model(find_model("he-breast-nuclei"), precision="PRECISION")
predict = make_predictor(for_prediction(network, config) if MERGED else network)
predict(np.zeros((1, 64, 64, 1), np.float32))
before = peak()
for _ in range(2):
    predict(np.zeros((1, 1024, 1024, 1), np.float32))
print((peak() - before) / 1024**2)
"""
KERNELS = {  # none of these computes with more than the processor has
    "its own": {},
    "of AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "of AVX": {"ONEDNN_MAX_CPU_ISA": "AVX"},
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "for one thread": {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"},
    "for many threads": {"TF_NUM_INTRAOP_THREADS": "16", "OMP_NUM_THREADS": "16"},
}
WITHOUT_BFLOAT16 = ("of AVX2", "of AVX")
OFTEN = ("its own", True, "mixed_bfloat16"), ("of AVX2", True, "float32")


@pytest.mark.parametrize(
    ("kernels", "merged", "precision"),
    [
        pytest.param(
            kernels,
            merged,
            precision,
            marks=() if (kernels, merged, precision) in OFTEN else pytest.mark.slow,
        )
        for kernels in KERNELS
        for merged in (True, False)
        for precision in ("float32", "mixed_bfloat16")
        if precision == "float32" or kernels not in WITHOUT_BFLOAT16
    ],
)
def test_a_window_takes_between_the_least_and_the_most(
    request, measured, kernels, merged, precision
):
    if precision != "float32":
        request.getfixturevalue("bfloat16")
    code = WINDOW.replace("PRECISION", precision).replace("MERGED", str(merged))
    (per_pixel,) = measured(code, CUDA_VISIBLE_DEVICES="-1", **KERNELS[kernels])
    assert least_bytes_per_pixel(16, merged=merged, precision=precision) < per_pixel
    assert per_pixel < most_bytes_per_pixel(16)


def test_a_window_that_can_fit_nowhere_is_refused_in_one_sentence():
    with pytest.raises(InputError, match=r"1048576 x 1048576.*at least .* GiB.*smaller tile size"):
        require_window_memory((1, 1 << 20, 1 << 20), 80)
    require_window_memory((1, 1024, 1024), 80)


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

def computed(side, tile):
    image = np.tile(generate_tile(1, size=512).image, (side // 512, side // 512, 1))
    steps = predict_plane(image, make_plan(image, model, Options(tile=tile)))
    windows = 0
    try:
        while True:
            next(steps)
            windows += 1
    except StopIteration as ended:
        return ended.value.astype(int), windows

side, tile, room = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) << 20
model = open_model("he-breast-nuclei")
expected, _ = computed(side, 1024)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + room,) * 2)
found, windows = computed(side, tile)
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
    assert "InputError: a window of 256 x 256 pixels" in last


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
