import subprocess
import sys

import pytest

from napari_snow_unet.data.files import InputError
from napari_snow_unet.unet.config import UNetConfig
from napari_snow_unet.unet.memory import (
    batch_bytes,
    memory_limit,
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
        "import resource; from napari_snow_unet.unet.memory import memory_limit;"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)); print(memory_limit())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 2 << 30
    assert memory_limit() > 2 << 30


WINDOW = """
import numpy as np
from napari_snow_unet.models import find_model, open_model
from napari_snow_unet.unet import backend
backend.prepare()
from napari_snow_unet.unet.network import for_prediction
from napari_snow_unet.unet.predictor import make_predictor
from napari_snow_unet.unet.store import load_model
network, config = load_model(find_model("he-breast-nuclei"), precision="{precision}")
predict = make_predictor({network})
predict(np.zeros((1, 64, 64, 1), np.float32))
before = peak()
predict(np.zeros((1, 2048, 2048, 1), np.float32))
print((peak() - before) / 2048**2)
"""


@pytest.mark.parametrize(
    ("network", "merged", "precision"),
    [
        pytest.param("network", False, "float32", marks=pytest.mark.slow),
        ("for_prediction(network, config)", True, "mixed_bfloat16"),
    ],
)
def test_a_window_is_estimated_at_about_what_it_takes(measured, network, merged, precision):
    (per_pixel,) = measured(WINDOW.replace("{network}", network).replace("{precision}", precision))
    with pytest.raises(InputError, match="tile size") as refused:
        require_window_memory((1, 1 << 20, 1 << 20), 16, merged=merged)
    estimated = float(refused.value.received.split()[-2]) * 2**30 / (1 << 40)
    assert 0.75 * estimated < per_pixel < 1.25 * estimated


FREES = """
import ctypes
import numpy as np
from napari_snow_unet.unet.memory import keep_freed_memory

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
