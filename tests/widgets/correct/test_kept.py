"""Copies of unsaved corrections on disk: whole, bounded, and of one program at a time."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.widgets.correct import kept, messages
from napari_snow_unet.widgets.correct.kept import (
    FILE,
    Corrections,
    Kept,
    checksum_of,
    left_by_others,
    read_kept,
    user_folder,
)


def corrections(value=1, shape=(20, 30)):
    """Return labels with one nucleus deleted by hand."""
    automatic = np.zeros(shape, np.int32)
    automatic[2:5, 2:5], automatic[8:12, 8:12] = value, value + 1
    labels = np.where(automatic == value, 0, automatic)
    place = {"scale": [0.5, 0.5], "units": ["micrometer"] * 2}
    return Corrections(labels, automatic, "A nuclei", "A", 7, {"deleted": 1}, place, {"model": "m"})


def test_what_is_kept_is_read_again_once_its_program_is_gone():
    made = Kept.new()
    made.write(corrections(), 1)
    assert left_by_others() == []
    made.release()
    assert left_by_others() == [made.folder]
    found = read_kept(made.folder)
    given = corrections()
    assert np.array_equal(found.labels, given.labels)
    assert np.array_equal(found.automatic, given.automatic)
    assert (found.layer, found.image, found.checksum) == ("A nuclei", "A", 7)
    assert (found.edits, found.placement, found.facts) == (
        given.edits,
        given.placement,
        given.facts,
    )
    assert found.time
    Kept(made.folder).remove()
    assert left_by_others() == []
    assert not made.folder.exists()


def test_the_latest_copy_is_kept_whichever_is_written_last():
    made = Kept.new()
    made.write(corrections(5), 2)
    made.write(corrections(1), 1)
    assert read_kept(made.folder).labels.max() == 6
    made.remove()
    made.write(corrections(), 3)
    assert not made.folder.exists()


def test_a_write_that_fails_leaves_the_copy_of_before(monkeypatch):
    made = Kept.new()
    made.write(corrections(), 1)

    def full(*args, **arrays):
        args[0].write(b"half of it")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", full)
        with pytest.raises(OSError, match="No space left"):
            made.write(corrections(5), 2)
    assert read_kept(made.folder).labels.max() == 2
    assert {path.name for path in made.folder.iterdir()} == {FILE, ".lock"}
    made.release()


@pytest.mark.parametrize("limit", ["MOST_KEPT", "MOST_BYTES"])
def test_the_oldest_copies_go_but_none_of_a_running_program(monkeypatch, limit):
    running = Kept.new()
    running.write(corrections(), 1)
    size = (running.folder / FILE).stat().st_size
    monkeypatch.setattr(kept, limit, 3 if limit == "MOST_KEPT" else 3 * size + size // 2)
    others = []
    for age in range(5):
        others.append(Kept.new())
        others[-1].write(corrections(), 1)
        os.utime(others[-1].folder / FILE, (age, age))
        others[-1].release()
    assert len(list(user_folder().iterdir())) == 3
    latest = Kept.new()
    latest.write(corrections(), 1)
    assert {path.name for path in user_folder().iterdir()} == {
        each.folder.name for each in (running, others[-1], latest)
    }
    running.release()
    latest.release()


@pytest.mark.parametrize("damage", ["empty", "cut", "other"])
def test_a_damaged_copy_is_refused(damage):
    made = Kept.new()
    made.write(corrections(), 1)
    path = made.folder / FILE
    if damage == "other":
        np.savez(path, labels=np.array([object()], object))
    else:
        path.write_bytes(path.read_bytes()[: 0 if damage == "empty" else 200])
    with pytest.raises(InputError, match=messages.KEPT_DAMAGED.problem):
        read_kept(made.folder)
    made.release()


def test_only_images_in_memory_have_a_checksum():
    import dask.array

    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert checksum_of(pixels) == checksum_of(pixels.copy()) != checksum_of(pixels + 1)
    assert checksum_of(dask.array.from_array(pixels)) is None


HOLD = """
import sys, time
from pathlib import Path
from napari_snow_unet.widgets.correct.kept import Kept
kept = Kept(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_copy_of_a_killed_program_is_free():
    made = Kept.new()
    made.write(corrections(), 1)
    made.release()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(made.folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    assert left_by_others() == []
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert left_by_others() == [made.folder]
