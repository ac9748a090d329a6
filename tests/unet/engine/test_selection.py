import os
import subprocess
import sys

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import precision, selection


def fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in another interpreter, where Keras is not imported yet."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KERAS", "TF_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**kept, **environment},
        check=False,
    )


def test_the_device_is_described_and_a_missing_gpu_explained():
    device = selection.load_engine()
    assert device.backend == selection.select_backend()
    assert device.name
    assert (device.kind == "gpu") == (not device.reason)
    assert selection.load_engine() is device


def test_starting_up_leaves_the_terminal_clean_and_passes_on_what_else_is_said():
    code = (
        "import os; from napari_snow_unet.unet.engine import selection\n"
        "find = selection._FIND_DEVICE['tensorflow']\n"
        "def say(): os.write(2, b'something else\\n'); return find()\n"
        "selection._FIND_DEVICE['tensorflow'] = say\n"
        "selection.load_engine(); import keras; print(keras.backend.backend())"
    )
    run = fresh(code)
    assert run.stdout == "tensorflow\n"
    assert run.stderr == "something else\n"


def test_the_engine_is_chosen_by_the_environment():
    code = (
        "from napari_snow_unet.unet.engine.selection import select_backend; print(select_backend())"
    )
    assert fresh(code, KERAS_BACKEND="jax").stdout == "jax\n"
    assert fresh(code).stdout == "tensorflow\n"
    assert "KERAS_BACKEND is 'theano'" in fresh(code, KERAS_BACKEND="theano").stderr


def test_another_engine_is_taken_where_tensorflow_is_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "")
    installed = {"torch"}
    monkeypatch.setattr(
        selection.importlib.util, "find_spec", lambda name: name in installed or None
    )
    assert selection.select_backend() == "torch"
    installed.clear()
    monkeypatch.setenv("KERAS_BACKEND", "")
    with pytest.raises(InputError, match=r"none of TensorFlow, PyTorch and JAX.*\[train\]"):
        selection.select_backend()


def test_an_engine_that_cannot_be_imported_says_why(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libcuda.so.1: no such file')")
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from napari_snow_unet.base.errors import InputError\n"
        "from napari_snow_unet.unet.engine.selection import load_engine\n"
        "try: load_engine()\n"
        "except InputError as error: print(error)"
    )
    run = fresh(code, PYTHONPATH=os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    assert "libcuda.so.1" in run.stdout
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in run.stdout


MAY_HAVE = """
import sys
from napari_snow_unet.unet.engine.selection import may_have_gpu
heavy = {"tensorflow", "keras", "torch", "jax", "openvino"}
print(may_have_gpu(), sorted(heavy & set(sys.modules)))
"""


def test_whether_a_gpu_may_be_there_is_told_without_a_network_library(tmp_path):
    driver = tmp_path / "nvidia-smi"
    driver.touch(mode=0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    assert fresh(MAY_HAVE, PATH=path, CUDA_VISIBLE_DEVICES="0").stdout == "True []\n"
    assert fresh(MAY_HAVE, PATH=path, CUDA_VISIBLE_DEVICES="-1").stdout == "False []\n"
    assert fresh(MAY_HAVE, PATH=path, CUDA_VISIBLE_DEVICES="").stdout == "False []\n"


@pytest.mark.parametrize("engine", ["torch", "jax"])
def test_another_engine_gives_the_same_probabilities(engine, tmp_path):
    pytest.importorskip(engine)
    code = (
        "import numpy as np; from napari_snow_unet.models import find_model\n"
        "from napari_snow_unet.unet.models.store import read_model\n"
        "from napari_snow_unet.unet.network.predictor import by_keras\n"
        "x = np.random.default_rng(0).random((1, 64, 64, 1), dtype=np.float32)\n"
        "model = by_keras(*read_model(find_model('default')), 'float32')\n"
        "np.save(PATH, model.predict(x))"
    )
    maps = []
    for name in ("tensorflow", engine):
        path = tmp_path / f"{name}.npy"
        run = fresh(code.replace("PATH", repr(str(path))), KERAS_BACKEND=name)
        assert run.returncode == 0, run.stderr
        maps.append(np.load(path))
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-4)


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("fpu avx512_bf16 gfni", True),
        ("amx_bf16", True),
        ("avx512f avx512_bf16x", False),
        ("", False),
    ],
)
def test_a_processor_that_multiplies_bfloat16_is_known_by_its_flags(
    tmp_path, monkeypatch, flags, fast
):
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    facts = tmp_path / "cpuinfo"
    facts.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\nbugs\t\t: amx_bf16\n")
    assert precision._multiplies_bfloat16(facts) == fast
    assert not precision._multiplies_bfloat16(tmp_path / "none")


@pytest.mark.parametrize(
    ("limits", "fast"),
    [
        ({"ONEDNN_MAX_CPU_ISA": "AVX2"}, False),
        ({"ONEDNN_MAX_CPU_ISA": "avx512_core_vnni"}, False),
        ({"DNNL_MAX_CPU_ISA": "AVX512_CORE"}, False),
        ({"ONEDNN_MAX_CPU_ISA": "", "DNNL_MAX_CPU_ISA": "SSE41"}, False),
        ({"ONEDNN_MAX_CPU_ISA": "DEFAULT", "DNNL_MAX_CPU_ISA": "AVX2"}, True),
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, True),
        ({"ONEDNN_MAX_CPU_ISA": "AVX10_1_512_AMX"}, True),
        ({"ONEDNN_MAX_CPU_ISA": "a name that oneDNN does not know either"}, True),
    ],
)
def test_a_limit_on_the_instructions_of_onednn_counts(tmp_path, monkeypatch, limits, fast):
    facts = tmp_path / "cpuinfo"
    facts.write_text("flags\t\t: avx512_bf16 amx_bf16\n")
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.setenv(name, limits.get(name, ""))
    assert precision._multiplies_bfloat16(facts) == fast
