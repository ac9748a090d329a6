"""Hygiene for every test: no network, nothing of the user's touched, the same random numbers."""

import gc
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from napari_snow_unet.unet.engine.process import symbols_kept_apart

# Set before anything that reads them is imported, and handed down to child processes.
_home = tempfile.TemporaryDirectory(prefix="napari-snow-unet-tests-", ignore_cleanup_errors=True)
for _variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
    os.environ[_variable] = str(Path(_home.name, _variable.lower()))
os.environ["NAPARI_CONFIG"] = str(Path(_home.name, "napari", "settings.yaml"))
os.environ["MPLBACKEND"] = "agg"
os.environ.setdefault("MPLCONFIGDIR", str(Path(_home.name, "matplotlib")))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
# pytest-socket guards this process only; a child that asks for a page meets a closed door.
for _variable in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ[_variable] = os.environ[_variable.upper()] = "http://127.0.0.1:9"

# How fast an example runs says more about the computer than about the code.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Load what test modules import at their top as the package itself would load it."""
    with symbols_kept_apart():
        return (yield)


@pytest.fixture(autouse=True)
def _models_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the models that the user has trained out of the tests, and theirs out of the user's."""
    monkeypatch.setenv("NAPARI_SNOW_UNET_MODELS", str(tmp_path / "models-of-the-user"))


@pytest.fixture(autouse=True)
def _same_random_numbers() -> None:
    """Start every test, alone or among others, from the same random numbers."""
    random.seed(0)
    np.random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def _few_objects_to_look_at() -> None:
    """Keep what was there before from the garbage collector, which napari calls with every layer.

    With all libraries loaded a full collection looks at a million objects that stay anyway.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def notifications() -> Iterator[Callable[[], list[Any]]]:
    """Return what napari has notified of since the test began."""
    from napari.utils.notifications import notification_manager

    before = len(notification_manager.records)
    yield lambda: notification_manager.records[before:]
    del notification_manager.records[before:]


PEAK = """
import re
from pathlib import Path

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
"""


@pytest.fixture(scope="module")
def installed_plugins() -> None:
    """Find the plugins, which napari does when its first viewer opens."""
    from npe2 import PluginManager

    PluginManager.instance().discover()


@pytest.fixture(scope="session")
def measured() -> Callable[..., list[float]]:
    """Run a script that prints numbers in a process of its own, where peak() is its memory so far.

    Keywords are variables of its environment.

    Not `ru_maxrss`: a process begins with that of its parent, so that it tells what the tests
    before this one took, and a difference of two tells nothing.
    """
    if sys.platform != "linux":
        pytest.skip("the peak of a process alone is read from /proc")

    def run_script(script: str, **environment: str) -> list[float]:
        done = subprocess.run(
            [sys.executable, "-c", PEAK + script],
            capture_output=True,
            text=True,
            timeout=600,
            env=os.environ | environment,
        )
        assert done.returncode == 0, done.stderr
        return [float(word) for word in done.stdout.split()]

    return run_script


@pytest.fixture(scope="session")
def bfloat16() -> str:
    """Return Keras' name of the policy; where a limit on oneDNN leaves no kernels for it, skip."""
    from napari_snow_unet.base.errors import InputError
    from napari_snow_unet.models import open_model

    name = "mixed_bfloat16"
    try:
        open_model("he-breast-nuclei", precision=name).predict(np.zeros((1, 64, 64, 1), np.float32))
    except InputError as error:
        if "number format" not in str(error):
            raise
        pytest.skip(str(error))
    return name


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the repository, which the installed package knows nothing of."""
    return Path(__file__).parents[1]
