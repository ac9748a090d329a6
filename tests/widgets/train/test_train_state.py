"""What the train dock allows and shows, without a window."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.unet.runs.progress import TrainingProgress
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.state import (
    Answer,
    End,
    TrainState,
    duration_in_words,
    time_left,
    why_not_resume_in,
    why_not_train_in,
)

RUN = Path("/a/run")
READY = {"has_dataset": True, "tiles": Answer("20 tiles"), "resume_problem": messages.NO_RUN}


@pytest.mark.parametrize("dock", ["train", "evaluate", "prepare"])
def test_no_window_is_needed(dock):
    asked = (
        f"import sys; from napari_snow_unet.widgets.{dock} import state; "
        "sys.exit(bool({'qtpy', 'magicgui', 'napari'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


@pytest.mark.parametrize(
    ("facts", "why_not"),
    [
        ({}, ""),
        ({"has_dataset": False, "problem": "Options."}, messages.CHOOSE_DATASET),
        ({"tiles": Answer("No tiles.", problem=True)}, messages.DATASET_UNUSABLE),
        ({"tiles": Answer("Pale?", doubtful=True)}, ""),
        ({"tiles": None}, messages.CHECKING_LABEL),
        ({"tiles": None, "folder_problem": "Full."}, "Full."),
        ({"problem": "Options.", "folder_problem": "Full."}, "Options."),
    ],
)
def test_the_first_reason_against_train_is_in_its_tooltip_and_under_the_buttons(facts, why_not):
    state = TrainState(**(READY | facts))
    assert state.why_not_train == state.message == why_not
    assert state.why_not_stop == messages.NOT_RUNNING
    assert not state.failed
    resumable = TrainState(**(READY | facts | {"resume_problem": ""}))
    assert (resumable.why_not_train, resumable.message) == (why_not, "")


def test_a_training_that_runs_can_only_be_stopped_and_only_once():
    state = TrainState(**READY, folder=RUN, running=True, end=End("failed", "earlier"))
    assert state.why_not_train == state.why_not_resume == messages.BUSY
    assert (state.why_not_stop, state.message) == ("", messages.starting(RUN))
    assert not state.failed
    progress = TrainingProgress(epoch=1, epochs=2, batch=4, batches=8, seconds_left=30.0)
    state = TrainState(**READY, folder=RUN, running=True, progress=progress)
    assert state.message == messages.running(time_left(progress), RUN)
    state = TrainState(**READY, folder=RUN, running=True, progress=progress, stopping=True)
    assert state.message == state.why_not_stop == messages.STOPPING_LABEL


@pytest.mark.parametrize(
    ("state", "epochs", "rest"),
    [
        ("finished", 3, [messages.ended_in(RUN), messages.TRAIN_AGAIN]),
        ("stopped", 3, [messages.ended_in(RUN)]),
        ("stopped", 0, []),
        ("failed", 3, []),
    ],
)
def test_how_a_training_ended_stays_under_the_buttons(state, epochs, rest):
    shown = TrainState(folder=RUN, epochs=epochs, end=End(state, "It is over."))
    assert shown.message == " ".join(["It is over.", *rest])
    assert shown.failed == (state == "failed")


def test_the_bars_count_what_was_finished_before_the_dock_looked():
    progress = TrainingProgress(state="training", epoch=19, epochs=40, batch=1, batches=9)
    late = TrainState(folder=RUN, running=True, progress=progress)
    assert (late.of_epochs.done, late.of_epochs.total) == (18, 40)
    ahead = TrainState(folder=RUN, running=True, progress=progress, epochs=19)
    assert ahead.of_epochs == Progress(19, 40, messages.EPOCH_LABEL.format(19, 40))
    assert ahead.of_batches == Progress(1, 9, messages.BATCH_LABEL.format(1, 9))
    early = TrainState(folder=RUN, running=True, epochs=5)
    assert early.of_epochs.total == early.of_batches.total == 0
    assert early.of_epochs.message == early.of_batches.message == ""


def test_a_folder_says_why_nothing_can_start_or_resume_there(tmp_path):
    assert why_not_train_in(None) == messages.CHOOSE_RUN_FOLDER
    assert why_not_train_in(tmp_path / "new") == why_not_train_in(tmp_path) == ""
    (tmp_path / "notes.txt").touch()
    assert str(tmp_path) in why_not_train_in(tmp_path)
    assert why_not_resume_in(None) == why_not_resume_in(tmp_path) == messages.NO_RUN


def test_the_time_of_the_whole_training_is_told():
    half = TrainingProgress(epoch=3, epochs=4, batch=0, batches=8, seconds_left=600.0)
    assert re.findall(r"\d+ \w+", time_left(half)) == ["10 min", "20 min"]
    assert not re.search(r"\d", time_left(TrainingProgress(epochs=4)))
    assert duration_in_words(12.3) == "12 s"
    assert re.findall(r"\d+ \w+", duration_in_words(3 * 3600 + 120)) == ["3 h", "2 min"]
