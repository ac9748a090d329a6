import importlib
import os
import subprocess
import sys

import pytest

from napari_snow_unet.unet.engine.process import symbols_kept_apart

DRAW = """
import napari, numpy as np
if napari.current_viewer() is None:
    viewer = napari.Viewer()
viewer.add_image(np.ones((64, 64, 3)))
assert viewer.screenshot(canvas_only=False).std() > 0
"""
CLOSE = "viewer.close()"  # a window that is still open when Python ends makes Qt crash
COMPUTE = """
import numpy as np
from napari_snow_unet.unet.engine.selection import load_engine
load_engine()
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.build import build_unet
network = build_unet(UNetConfig(base_filters=2, levels=2))
assert network(np.zeros((1, 16, 16, 1), np.float32)).shape == (1, 16, 16, 1)
"""


ON_PROCESSOR = """
from napari_snow_unet.models import open_model
window = np.zeros((1, 64, 64, 1), np.float32)
assert open_model("he-breast-nuclei", device="cpu").predict(window).shape == (1, 64, 64)
"""


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(DRAW + COMPUTE + DRAW + CLOSE, id="napari-first"),
        pytest.param(COMPUTE + DRAW + COMPUTE + CLOSE, id="network-first"),
        pytest.param(DRAW + ON_PROCESSOR + DRAW + CLOSE, id="napari-before-openvino"),
        pytest.param("import numpy as np" + ON_PROCESSOR + DRAW + CLOSE, id="openvino-first"),
    ],
)
def test_a_network_and_a_napari_window_live_in_one_process(script):
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(not hasattr(os, "RTLD_DEEPBIND"), reason="the linker has no such choice")
def test_the_way_libraries_are_loaded_is_put_back_after_an_error():
    flags, modules = sys.getdlopenflags(), set(sys.modules)
    with pytest.raises(ModuleNotFoundError), symbols_kept_apart():
        importlib.import_module("no_such_network_library")
    assert (sys.getdlopenflags(), set(sys.modules)) == (flags, modules)
