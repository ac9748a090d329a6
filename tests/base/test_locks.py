"""One program at a time in a folder; the lock goes with the process that holds it."""

import errno
import os
import subprocess
import sys

import pytest

from napari_snow_unet.base import messages
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.locks import LOCK, folder_locked

HOLD = """
import multiprocessing, sys, time
from pathlib import Path
from napari_snow_unet.base.locks import folder_locked
with folder_locked(Path(sys.argv[1])):
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    sys.modules["__main__"].__spec__ = None
    child.start()
    print(child.pid, flush=True)
    sys.stdin.read()
"""
ENTER = """
import os, sys
from pathlib import Path
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.locks import folder_locked
folder, entered = Path(sys.argv[1]), 0
while entered < 100:
    try:
        with folder_locked(folder):
            os.mkdir(folder / "inside")
            os.rmdir(folder / "inside")
            entered += 1
    except InputError:
        pass
"""


def test_another_program_is_kept_out_until_the_one_inside_is_killed(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], **pipes, text=True)
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(InputError) as refused, folder_locked(tmp_path):
            pass
        assert refused.value.path == tmp_path
        assert refused.value.message == messages.FOLDER_IN_USE
        holder.kill()
        holder.wait()
        with folder_locked(tmp_path):  # the child, which lives on, holds nothing
            assert (tmp_path / LOCK).exists()
    finally:
        os.kill(child, 9)
        holder.kill()
        holder.communicate()
    assert not (tmp_path / LOCK).exists()


def test_the_file_is_removed_though_others_wait_and_two_are_never_inside(tmp_path):
    processes = [subprocess.Popen([sys.executable, "-c", ENTER, tmp_path]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="there are locks on all drives")
@pytest.mark.parametrize("number", ["ENOLCK", "EOPNOTSUPP", "ENOSYS"])
def test_a_drive_that_knows_no_locks_is_written_to(tmp_path, monkeypatch, number):
    def flock(*_):
        raise OSError(getattr(errno, number), number)

    monkeypatch.setattr("fcntl.flock", flock)
    with folder_locked(tmp_path):
        assert (tmp_path / LOCK).exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / LOCK).mkdir()
    with pytest.raises(InputError) as refused, folder_locked(tmp_path):
        pass
    assert refused.value.path == tmp_path
    assert isinstance(refused.value.__cause__, OSError)
