import os
import subprocess
import sys

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.runs.lock import run_locked, training_process

HOLD = """
import sys
from pathlib import Path
from napari_snow_unet.unet.runs.lock import run_locked
with run_locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(words, **pipes, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_nobody_trains_in_a_fresh_folder(tmp_path):
    assert training_process(tmp_path) is None
    assert training_process(tmp_path / "nothing") is None


def test_the_process_that_trains_is_named_to_others(holder, tmp_path):
    assert training_process(tmp_path) == holder.pid
    with pytest.raises(InputError, match=f"process {holder.pid} "), run_locked(tmp_path):
        pass


def test_a_killed_process_lets_go(holder, tmp_path):
    holder.kill()
    holder.wait()
    assert training_process(tmp_path) is None
    with run_locked(tmp_path):
        pass


def test_it_is_let_go_of_after_an_error(tmp_path):
    with pytest.raises(KeyError), run_locked(tmp_path):
        raise KeyError
    assert training_process(tmp_path) is None
    with run_locked(tmp_path):
        assert (tmp_path / "lock").read_text().startswith(f'{{"pid": {os.getpid()}')
