"""What OpenVINO brings along, in interpreters of their own: instructions, sockets, start."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from napari_snow_unet.unet.engine import messages
from napari_snow_unet.unet.engine.openvino import NetworksUnusableError
from napari_snow_unet.unet.network.messages import NO_BFLOAT16

LIMITED = """
import numpy as np
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import open_model
window = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
for precision in ("float32", "fast"):
    model = open_model("he-breast-nuclei", precision=precision, device="cpu")
    print(model.precision, model.predict(window).shape, *model.messages)
try:
    open_model("he-breast-nuclei", precision="bfloat16", device="cpu")
except InputError as error:
    print(error)
"""


def fresh(code: str, *, first: str = "", **environment: str) -> str:
    """Run code in another interpreter, which finds packages in a folder first; what it prints."""
    path = os.pathsep.join([*filter(None, [first]), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path} | environment,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "limit",
    [
        {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},  # it would emulate bfloat16, eight times slower
        {"DNNL_MAX_CPU_ISA": "avx512_core_vnni"},
        {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    ],
    ids=str,
)
def test_a_network_computes_in_float32_where_bfloat16_is_taken_away(limit):
    exact, fast, refused = fresh(LIMITED, **limit).splitlines()
    assert exact == "float32 (1, 64, 64)"
    assert fast == f"{exact} {NO_BFLOAT16}"
    assert "cannot compute in bfloat16" in refused
    assert "Choose float32." in refused


BROKEN = """
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import open_model
try: open_model("default")
except InputError as error: print(error)
print(open_model("classical").name)
"""


def test_an_engine_that_cannot_be_imported_says_why_and_what_to_do(tmp_path):
    (tmp_path / "openvino.py").write_text("raise ImportError('libtbb.so.12: no such file')")
    message, name = fresh(BROKEN, first=str(tmp_path)).splitlines()
    assert "(ImportError: libtbb.so.12" in message
    assert "'classical'" in message
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in message
    assert name == "classical"


def test_that_networks_cannot_be_used_is_known_after_pickling():
    """The segment dock tells it by the class; the error may come from another process."""
    error = NetworksUnusableError(messages.networks_unusable("no library", "here"))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is NetworksUnusableError
    assert copy.message == error.message


WATCHED = """
import os, sys, threading

def watch(event, given):
    if event.startswith("socket.") and event != "socket.__new__":
        os.write(1, f"{event} {given[-1]}\\n".encode())
        raise OSError("no network here")
    if event in ("os.fork", "os.posix_spawn", "subprocess.Popen") and given[:1] != ("uname",):
        os.write(1, f"{event} {given}\\n".encode())

sys.addaudithook(watch)  # which a process that is forked takes along

import numpy as np
from napari_snow_unet.models import open_model
for precision in ("float32", "fast"):
    model = open_model("he-breast-nuclei", precision=precision, device="cpu")
    assert model.predict(np.zeros((1, 64, 64, 1), np.float32)).shape == (1, 64, 64)
assert "openvino" in sys.modules
assert "openvino_telemetry" not in sys.modules
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        os.write(1, f"{thread}\\n".encode())
"""


def test_no_network_is_asked_for_or_waited_for(tmp_path):
    """By itself openvino_telemetry forks, reports the import, and keeps a number in this folder."""
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    assert fresh(WATCHED, **home) == ""
    assert list(tmp_path.iterdir()) == []


def test_what_other_programs_have_loaded_is_left_as_it_is():
    """Whoever asked OpenVINO for its report has it, and it can be imported afterwards."""
    code = (
        "import sys, types; sys.modules['openvino_telemetry'] = there = types.ModuleType('x')\n"
        "from napari_snow_unet.unet.engine.openvino import load_openvino\n"
        "load_openvino(); assert sys.modules['openvino_telemetry'] is there"
    )
    fresh(code)
    code = (
        "from napari_snow_unet.unet.engine.openvino import load_openvino\n"
        "assert load_openvino().convert_model\nimport openvino_telemetry"
    )
    fresh(code)
