"""Training from Python: in this process, beside napari, interrupted, resumed."""

import re
import subprocess
import sys

import pytest

import napari_snow_unet as snow
from napari_snow_unet.api import messages
from napari_snow_unet.base.errors import InputError

TRAIN = """
import sys
import napari_snow_unet as snow
snow.prepare(["images", "masks"], "dataset", train=6, val=2)
small = {"crop": 64, "base_filters": 2, "levels": 2, "workers": 0}
"""
WHOLE = """
seen = []
training = snow.train("dataset", "run", epochs=2, progress=seen.append, **small)
assert training.finished and len(training.history) == 2, training
assert (seen[-1].done, "epoch 2 of 2" in seen[-1].message) == (seen[-1].total, True), seen[-1]
assert snow.segment("tile.png", training.model).labels.shape == (192, 192)
html = training._repr_html_()
assert len(repr(training)) <= 100 and "2 epochs" in repr(training), training
assert html.startswith("<img") and "val_dice" in html and len(html) < 300_000
print("tensorflow" in sys.modules)
"""


def in_python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("beside_napari", [False, True])
def test_a_training_runs_here_or_beside_napari_in_its_own_process(beside_napari, place):
    before = "import napari\n" if beside_napari else ""
    assert in_python(before + TRAIN + WHOLE)[-1:] == [str(not beside_napari)]


INTERRUPTED = """
from napari_snow_unet.unet.runs.folder import open_run
steps = snow.train_steps("dataset", "run", epochs=1000, schedule="constant", **small)
for step in steps:
    if step.message.startswith("epoch 3"):
        break
steps.close()
kept = len(open_run("run").history())
assert kept >= 2, kept
training = snow.train("dataset", "run", resume=True, epochs=kept + 1)
print(training.finished, len(training.history) - kept)
"""


def test_an_interrupted_training_is_resumed(place):
    assert in_python(TRAIN + INTERRUPTED) == ["True", "1"]


def test_what_cannot_be_trained_is_refused(place):
    with pytest.raises(InputError):
        snow.train("images", "run", epochs=0)
    with pytest.raises(InputError):
        snow.train("nothing", "run")
    with pytest.raises(TypeError) as error:
        snow.train("dataset", "run", epoch=2)
    assert str(error.value) == messages.unknown_keyword("epoch", "epochs", "train")
    with pytest.raises(InputError):
        snow.train("dataset", "run", resume=True)
    assert not (place / "run").exists()


def test_a_training_without_an_epoch_has_no_model(tmp_path):
    from napari_snow_unet.api.training import Training

    training = Training(tmp_path, ("<Nothing>",))
    with pytest.raises(InputError, match=re.escape(messages.NO_EPOCH.problem)):
        training.model  # noqa: B018
    assert training._repr_html_().endswith("<p>&lt;Nothing&gt;</p>")


def test_masks_may_lie_beside_the_folder_of_images(place):
    program = TRAIN + 'print(snow.train("images", "run", epochs=1, **small).finished)'
    assert in_python(program) == ["True"]
