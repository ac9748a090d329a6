"""The process that computes on a GPU, shown with Keras on the processor in it."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from model_folders import random_arrays
from napari_snow_unet import models
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import open_model
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.models import keras_process, messages
from napari_snow_unet.unet.models.array_file import write_arrays
from napari_snow_unet.unet.models.keras_process import KerasProcess, in_process, on_gpu
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.predictor import on_processor

CONFIG = UNetConfig(base_filters=4, levels=3, name="small")
PATIENCE = 120  # seconds, on however busy a computer


def window(*shape, seed=0):
    return np.random.default_rng(seed).random((1, *shape, 1), np.float32)


@pytest.fixture(autouse=True)
def _findable(monkeypatch):
    """Let children import what this process does, and never look for a GPU."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "small"
    folder.mkdir()
    write_arrays(folder / models_folder.WEIGHTS, random_arrays(CONFIG))
    (folder / models_folder.CONFIG).write_text(CONFIG.to_json())
    return folder


@pytest.fixture(scope="module")
def shared_process(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv("CUDA_VISIBLE_DEVICES", "-1")
        process = KerasProcess(folder, "float32")
    yield process
    process.close()


@pytest.fixture
def network(shared_process):
    return in_process(CONFIG, shared_process)


@pytest.fixture
def exact():
    return on_processor(CONFIG, random_arrays(CONFIG), "float32")


@pytest.fixture
def without_keras(tmp_path, monkeypatch):
    """Return a function that puts a module in place of Keras in the children that follow."""

    def put(text):
        (tmp_path / "instead").mkdir()
        (tmp_path / "instead" / "tensorflow.py").write_text(text)
        path = os.pathsep.join([str(tmp_path / "instead"), os.environ["PYTHONPATH"]])
        monkeypatch.setenv("PYTHONPATH", path)

    return put


def alive(pid):
    """Tell whether a process runs, which may have ended without anybody having asked."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid):
    until = time.monotonic() + PATIENCE
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def windows_of(process):
    return Path(process._windows.name).parent


def test_it_computes_what_the_processor_does(network, exact):
    assert network.precision == "float32"
    assert network.device.endswith("(cpu, tensorflow)")
    assert network.calls_at_once == 1
    for shape in ((64, 64), (128, 32), (4, 4), (256, 256), (64, 64)):
        pixels = window(*shape)
        found = network.predict(pixels)
        assert (found.shape, found.dtype) == ((1, *shape), np.float32)
        np.testing.assert_allclose(found, exact.predict(pixels), atol=1e-4)
    batch = np.concatenate([window(32, 32, seed=seed) for seed in range(3)])
    np.testing.assert_allclose(network.predict(batch), exact.predict(batch), atol=1e-4)


def test_a_result_stays_as_it_is_when_the_next_window_is_computed(network):
    first = network.predict(window(64, 64))
    kept = first.copy()
    network.predict(window(64, 64, seed=1))
    assert np.array_equal(first, kept)


def test_threads_get_their_own_window(network):
    windows = [window(16 * (1 + seed % 4), 64, seed=seed) for seed in range(8)]
    alone = [network.predict(pixels).tobytes() for pixels in windows]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda pixels: network.predict(pixels).tobytes(), windows * 4)
        assert list(together) == alone * 4


@pytest.mark.parametrize("shape", [(64, 62, 1), (64, 64, 3)])
def test_a_window_that_does_not_fit_is_refused_and_the_next_computed(
    network, shared_process, shape
):
    for refusing in (network.predict, shared_process):  # here, and there
        with pytest.raises(InputError, match="multiples of 4"):
            refusing(np.zeros((1, *shape), np.float32))
    assert network.predict(window(8, 8)).shape == (1, 8, 8)


def test_this_process_imports_no_network_library(folder):
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from napari_snow_unet.unet.models.keras_process import KerasProcess\n"
        "process = KerasProcess(Path(sys.argv[1]), 'float32')\n"
        "print(process(np.zeros((1, 8, 8, 1), np.float32)).shape)\n"
        "print(sorted({'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(1, 8, 8)", "[]"]


def test_what_libraries_print_is_no_answer(folder, without_keras, exact):
    """The real library is there, behind one that talks on every way out it has."""
    without_keras(
        "import ctypes, os, sys\n"
        "print('{}'); sys.__stdout__.write('[]\\n'); os.write(1, b'{\"kind\": 1}\\n')\n"
        "ctypes.CDLL(None).puts(b'hello')\n"
        "here = os.path.dirname(__file__)\n"
        "sys.path.remove(here); del sys.modules['tensorflow']\n"
        "import tensorflow\n"
    )
    process = KerasProcess(folder, "float32")
    found = process(window(64, 64))
    np.testing.assert_allclose(found, exact.predict(window(64, 64)), atol=1e-4)
    process.close()


def test_without_an_engine_there_the_reason_comes_here(folder, without_keras):
    without_keras("raise ImportError('libcuda.so.1: no such file')")
    before = set(Path(tempfile.gettempdir()).glob("napari-snow-unet-*/windows"))
    with pytest.raises(InputError, match=r"libcuda\.so\.1"):
        KerasProcess(folder, "float32")
    assert on_gpu(CONFIG, folder, "float32", insist=False) is None
    with pytest.raises(InputError, match=r"libcuda\.so\.1"):
        on_gpu(CONFIG, folder, "float32", insist=True)
    assert set(Path(tempfile.gettempdir()).glob("napari-snow-unet-*/windows")) <= before


def test_files_beside_the_user_are_not_imported(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("numpy", "json", "tensorflow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(7)")
    process = KerasProcess(folder, "float32")
    assert process.kind == "cpu"
    process.close()


def test_damaged_weights_are_refused_there_too(folder, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / models_folder.CONFIG).write_text(CONFIG.to_json())
    (damaged / models_folder.WEIGHTS).write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not safetensors"):
        KerasProcess(damaged, "float32")


def test_a_process_that_was_killed_at_a_window_is_an_error_and_the_next_window_starts_another(
    folder, exact, monkeypatch
):
    process = KerasProcess(folder, "float32")
    network, pixels = in_process(CONFIG, process), window(64, 64)
    first = process._process.pid
    ask = KerasProcess._ask

    def ask_a_dead_one(self, request):
        os.kill(first, signal.SIGKILL)
        ask(self, request)

    monkeypatch.setattr(KerasProcess, "_ask", ask_a_dead_one)
    with pytest.raises(InputError, match=re.escape(messages.gpu_process_ended(-9).text())):
        network.predict(pixels)
    monkeypatch.setattr(KerasProcess, "_ask", ask)
    left = windows_of(process)
    np.testing.assert_allclose(network.predict(pixels), exact.predict(pixels), atol=1e-4)
    assert process._process.pid != first
    assert not left.exists()
    process.close()
    assert not windows_of(process).exists()


def test_a_device_that_is_another_after_a_restart_is_refused(folder):
    process = KerasProcess(folder, "float32")
    process._facts = {**process._facts, "device": "a GPU"}
    process.device = "a GPU"
    process._process.kill()
    process._process.wait()
    with pytest.raises(InputError, match=r"The GPU changed: .* before on a GPU"):
        process(window(64, 64))
    assert process._process.poll() is not None


def ask_for(process, shape):
    process._ask({"shape": shape})
    process._answer()


def test_an_error_that_nobody_has_foreseen_comes_here_and_the_next_window_is_computed(
    shared_process, network
):
    with pytest.raises(InputError, match=r"The GPU failed \(TypeError"):
        ask_for(shared_process, "large")
    assert network.predict(window(8, 8)).shape == (1, 8, 8)


def test_an_interrupted_call_leaves_no_answer_for_the_next(folder, exact, monkeypatch):
    process = KerasProcess(folder, "float32")
    network = in_process(CONFIG, process)
    answer = KerasProcess._answer

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(KerasProcess, "_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        network.predict(window(64, 64, seed=1))
    monkeypatch.setattr(KerasProcess, "_answer", answer)
    pixels = window(64, 64)
    np.testing.assert_allclose(network.predict(pixels), exact.predict(pixels), atol=1e-4)
    process.close()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")
def test_it_ends_with_the_object_and_takes_its_file_along(folder):
    process = KerasProcess(folder, "float32")
    network = in_process(CONFIG, process)
    network.predict(window(64, 64))
    pid, file = process._process.pid, windows_of(process)
    assert alive(pid)
    assert file.exists()
    del process
    gc.collect()
    assert alive(pid)  # the network needs it
    del network
    gc.collect()
    assert not alive(pid)
    assert not file.exists()


PARENT = """
import os, sys, numpy as np
from pathlib import Path
from napari_snow_unet.unet.models.keras_process import KerasProcess
process = KerasProcess(Path(sys.argv[1]), "float32")
process(np.zeros((1, 64, 64, 1), np.float32))
print(process._process.pid, process._windows.name, flush=True)
if sys.argv[2] == "waits":
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")
@pytest.mark.parametrize("way", ["ends", "killed"])
def test_it_ends_with_the_program_however_that_ends(folder, way):
    word = "ends" if way == "ends" else "waits"
    command = [sys.executable, "-c", PARENT, str(folder), word]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid, file = parent.stdout.readline().split()
        if way == "killed":
            assert alive(pid)
            parent.kill()
        parent.wait(PATIENCE)
    assert ends(pid)
    until = time.monotonic() + PATIENCE
    while Path(file).parent.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(file).parent.exists()


def test_where_no_gpu_is_found_the_processor_computes_unless_one_is_insisted_on(
    folder, monkeypatch, exact
):
    monkeypatch.setattr(
        "napari_snow_unet.unet.engine.selection.may_have_gpu", lambda: True
    )  # as with a driver, but without what TensorFlow needs beside it
    models._open_network.cache_clear()
    model = open_model(folder)
    assert model.device.endswith("(cpu, openvino)")
    assert np.array_equal(model.predict(window(64, 64)), exact.predict(window(64, 64)))
    with pytest.raises(InputError, match=r"No GPU can be used\. \w+"):
        open_model(folder, device="gpu")


def test_a_gpu_that_is_there_is_taken(folder, monkeypatch):
    """What a process says of itself is believed; here it is Keras on the processor."""
    monkeypatch.setattr("napari_snow_unet.unet.engine.selection.may_have_gpu", lambda: True)
    start = KerasProcess._start
    monkeypatch.setattr(KerasProcess, "_start", lambda self: start(self) | {"kind": "gpu"})
    models._open_network.cache_clear()
    model = open_model(folder)
    assert model.device.endswith("(cpu, tensorflow)")
    assert model.window_that_fits(4096) == 4096
    assert open_model(folder) is model
    assert open_model(folder, device="cpu").device.endswith("(cpu, openvino)")
    assert model.predict(window(64, 64)).shape == (1, 64, 64)
    models._open_network.cache_clear()


def test_a_processor_is_never_looked_for_where_the_cpu_is_chosen(folder, monkeypatch):
    monkeypatch.setattr(keras_process, "KerasProcess", None)
    monkeypatch.setattr("napari_snow_unet.unet.engine.selection.may_have_gpu", lambda: True)
    models._open_network.cache_clear()
    assert open_model(folder, device="cpu").device.endswith("(cpu, openvino)")
