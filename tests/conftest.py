"""Hygiene for every test: no network, nothing of the user's touched, the same random numbers."""

import gc
import importlib.util
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

#: What trains, or compares with Keras: left out where the extra `train` is not installed.
NEEDS_TRAIN = [
    "api/test_training.py",
    "cli/test_train.py",
    "paper/test_reproduce.py",
    "test_foreign_private_names.py",
    "test_models.py",
    "unet/engine/test_device_report.py",
    "unet/engine/test_process.py",
    "unet/engine/test_selection.py",
    "unet/models/test_bioimageio.py",
    "unet/models/test_hostile_models.py",
    "unet/models/test_keras_file.py",
    "unet/models/test_keras_process.py",
    "unet/models/test_refused_files.py",
    "unet/models/test_store.py",
    "unet/network/test_build.py",
    "unet/network/test_halo.py",
    "unet/network/test_operators.py",
    "unet/runs/test_checkpoint.py",
    "unet/runs/test_run_folder.py",
    "unet/training",
    "widgets/train/test_train.py",
]
#: Single tests of files that need it no further.
TESTS_THAT_NEED_TRAIN = (
    "docs/test_notebooks.py::test_a_notebook_runs[train",
    "cli/test_usage.py::test_an_unknown_model_is_wrong_usage[train tiles",
    "cli/test_usage.py::test_a_model_to_begin_with_is_not_ignored_where_all_folds_are_trained",
    "faults/test_disk.py::test_a_disk_that_cannot_be_written_to_is_one_sentence[train]",
    "test_files_of_0_1.py::test_a_training_that_was_killed_goes_on",
    "widgets/train/test_train_window.py::test_the_device_is_asked_for_in_a_process_of_its_own",
    "widgets/train/test_train_window.py::test_the_process_ends_with_a_program_that_is_killed",
)
WITHOUT_TRAIN = importlib.util.find_spec("keras") is None
collect_ignore = NEEDS_TRAIN if WITHOUT_TRAIN else []

# How fast an example runs says more about the computer than about the code.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Load what test modules import at their top as the package itself would load it."""
    with symbols_kept_apart():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip single tests that need the extra `train` where it is not installed."""
    if WITHOUT_TRAIN:
        for item in items:
            if item.nodeid.removeprefix("tests/").startswith(TESTS_THAT_NEED_TRAIN):
                item.add_marker(pytest.mark.skip(reason="needs the extra train"))


@pytest.fixture(autouse=True)
def _folders_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the user's models and corrections out of the tests, and theirs out of the user's."""
    monkeypatch.setenv("NAPARI_SNOW_UNET_MODELS", str(tmp_path / "models-of-the-user"))
    monkeypatch.setenv("NAPARI_SNOW_UNET_CORRECTIONS", str(tmp_path / "corrections-of-the-user"))


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
    """Return the name of the number format; where the processor does not multiply in it, skip."""
    from napari_snow_unet.unet.engine.openvino import computes_bfloat16

    if not computes_bfloat16():
        pytest.skip("this processor does not compute in bfloat16, or is not allowed to")
    return "bfloat16"


WITHOUT_TRAINING = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: (
    None if name in ("tensorflow", "keras") else find(name, *more)
)
"""


@pytest.fixture
def without_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let programs that a test starts find no library that trains, as in a plain installation."""
    folder = tmp_path / "without training"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT_TRAINING, encoding="utf-8")
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *([known] if known else [])]))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the repository, which the installed package knows nothing of."""
    return Path(__file__).parents[1]
