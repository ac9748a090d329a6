import json
import time
from types import SimpleNamespace

import pytest

from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs import progress as runs_progress
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.progress import (
    ProgressWriter,
    StopRequest,
    TrainingProgress,
    read_progress,
    request_stop,
)


def test_a_change_of_state_is_written_at_once_and_batches_now_and_then(tmp_path, monkeypatch):
    clock, heard, before = [1000.0], [], time.time()
    own = SimpleNamespace(monotonic=lambda: clock[0], time=time.time)
    monkeypatch.setattr(runs_progress, "time", own)
    writer = ProgressWriter(RunDirectory(tmp_path), heard.append)
    writer.update(state="training", epoch=1, epochs=2, batches=100)
    for batch in range(1, 100):
        clock[0] += 0.1
        writer.update(batch=batch)
    assert read_progress(tmp_path).batch in range(94, 99)  # twice a second
    assert [progress.batch for progress in heard] == list(range(100))
    writer.update(state="finished")
    assert read_progress(tmp_path) == heard[-1]
    assert before <= heard[-1].updated <= time.time()


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"state": "training", "more": 1}'])
def test_a_damaged_or_missing_file_is_no_progress(tmp_path, text):
    if text is not None:
        (tmp_path / "progress.json").write_text(text)
    assert read_progress(tmp_path) is None


def test_it_is_plain_json(tmp_path):
    ProgressWriter(RunDirectory(tmp_path)).update(at_once=True, message="µ")
    content = json.loads((tmp_path / "progress.json").read_text())
    assert set(content) == set(TrainingProgress.__dataclass_fields__)


def test_a_folder_that_cannot_be_written_to_does_not_end_the_training(tmp_path):
    (tmp_path / "file").write_text("")
    ProgressWriter(RunDirectory(tmp_path / "file")).update(state="training")


def test_reasons_to_stop(tmp_path):
    stop = StopRequest(tmp_path / "STOP")
    assert stop.reason() == ""
    request_stop(tmp_path)
    assert stop.reason()
    assert stop.ending() == "."
    assert StopRequest(None, 1000).reason() == ""
    assert StopRequest(None, 0).reason() == messages.TIME_LABEL.format(0)
    (tmp_path / "STOP").unlink()
    assert stop.reason()  # never taken back
    pressed = StopRequest(None)
    pressed.ask("Ctrl-C")
    pressed.ask("another")
    assert pressed.reason() == "Ctrl-C"
    assert pressed.ending() == " (Ctrl-C)."
