import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import selection
from napari_snow_unet.unet.models.messages import ANOTHER_OPTIMIZER

selection.load_engine()

import keras  # noqa: E402

from napari_snow_unet.unet.network.build import build_unet  # noqa: E402
from napari_snow_unet.unet.network.config import UNetConfig  # noqa: E402
from napari_snow_unet.unet.runs import checkpoint as checkpoints  # noqa: E402
from napari_snow_unet.unet.runs.checkpoint import TrainingState, find_checkpoint, save_checkpoint  # noqa: E402

CONFIG = UNetConfig(base_filters=2, levels=2, dropout=0.1)
PIXELS = np.random.default_rng(0).random((2, 8, 8, 1)).astype(np.float32)
TRUTH = (PIXELS > 0.5).astype(np.float32)


def trained(steps=2, config=CONFIG):
    network = build_unet(config)
    model = keras.Model(network.input, network.output)
    optimizer = keras.optimizers.AdamW(1e-2)
    model.compile(optimizer, loss="binary_crossentropy", jit_compile=False)
    optimizer.build(model.trainable_variables)
    for _ in range(steps):
        model.train_on_batch(PIXELS, TRUTH)
    return network, optimizer


def state(epoch, best_epoch=None, **more):
    rows = tuple({"epoch": i + 1.0, "loss": 1 / (i + 1), "val_auc": None} for i in range(epoch))
    return TrainingState(epoch, best_epoch or epoch, 0.25, history=rows, **more)


def values(model, optimizer):
    return [np.asarray(v) for v in (*model.weights, *optimizer.variables)]


def test_everything_comes_back(tmp_path):
    place = tmp_path / "checkpoints"
    model, optimizer = trained()
    known = state(3, wait=2, stopped_early=True)
    save_checkpoint(place, model, optimizer, known)
    found = find_checkpoint(place)
    assert found.state == known
    other, its_optimizer = trained(steps=0)
    found.load(other, its_optimizer)
    for a, b in zip(values(model, optimizer), values(other, its_optimizer), strict=True):
        assert np.array_equal(a, b)


def test_before_the_first_epoch_there_is_none(tmp_path):
    assert find_checkpoint(tmp_path / "checkpoints") is None
    (tmp_path / "checkpoints" / ".writing-x").mkdir(parents=True)
    assert find_checkpoint(tmp_path / "checkpoints") is None


def test_only_the_newest_stays_and_it_keeps_the_best_weights(tmp_path):
    model, optimizer = trained()
    first = save_checkpoint(tmp_path, model, optimizer, state(1))
    best = (first.folder / checkpoints.WEIGHTS).read_bytes()
    model.set_weights([weights + 1 for weights in model.get_weights()])
    second = save_checkpoint(tmp_path, model, optimizer, state(2, best_epoch=1))
    assert [path.name for path in tmp_path.iterdir()] == ["000002"]
    assert (second.folder / checkpoints.BEST).read_bytes() == best
    assert (second.folder / checkpoints.WEIGHTS).read_bytes() != best


def test_a_network_of_another_shape_is_refused(tmp_path):
    save_checkpoint(tmp_path, *trained(), state(1))
    with pytest.raises(InputError, match="weights"):
        find_checkpoint(tmp_path).load(*trained(0, UNetConfig(base_filters=4, levels=2)))


def test_an_optimizer_of_another_version_is_refused_with_a_way_to_go_on(tmp_path):
    network, optimizer = trained()
    save_checkpoint(tmp_path, network, optimizer, state(1))
    fewer = keras.optimizers.AdamW(1e-2)
    fewer.build(network.trainable_variables[1:])
    with pytest.raises(InputError, match=rf"optimizer\.safetensors: .*{ANOTHER_OPTIMIZER}"):
        find_checkpoint(tmp_path).load(network, fewer)


@pytest.mark.parametrize("name", [checkpoints.WEIGHTS, checkpoints.BEST, checkpoints.OPTIMIZER])
def test_a_changed_file_is_noticed(tmp_path, name):
    folder = save_checkpoint(tmp_path, *trained(), state(1)).folder
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} has changed"):
        find_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("wait"),
        lambda content: content.update(epoch=2),
        lambda content: content.update(code="import os"),
        lambda content: content.update(history=3),
        lambda content: content.update(sha256=None),
    ],
)
def test_a_damaged_state_is_refused(tmp_path, change):
    path = save_checkpoint(tmp_path, *trained(), state(1)).folder / checkpoints.STATE
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"state\.json: The checkpoint is damaged"):
        find_checkpoint(tmp_path)


def test_an_infinite_score_survives(tmp_path):
    known = TrainingState(1, 1, math.inf, history=({"epoch": 1.0},))
    save_checkpoint(tmp_path, *trained(), known)
    assert find_checkpoint(tmp_path).state.best_score == math.inf


def test_files_are_the_same_bytes_every_time(tmp_path):
    model, optimizer = trained()
    contents = []
    for name in "ab":
        folder = save_checkpoint(tmp_path / name, model, optimizer, state(1)).folder
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(10))
def test_killed_at_any_call_to_the_system_the_newest_checkpoint_is_complete(
    tmp_path, monkeypatch, moment
):
    """End at the n-th of the calls that change the disk: what is found is epoch 1 or epoch 2."""
    model, optimizer = trained()
    save_checkpoint(tmp_path, model, optimizer, state(1))
    calls = 0

    def counted(function):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls > moment:
                raise Killed
            return function(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(os, "link", counted(os.link))
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "write_text", counted(Path.write_text))
        patch.setattr(checkpoints.shutil, "rmtree", counted(checkpoints.shutil.rmtree))
        with pytest.raises(Killed):
            save_checkpoint(tmp_path, model, optimizer, state(2))
    found = find_checkpoint(tmp_path)
    assert found.state in (state(1), state(2))
    found.load(*trained(0))
    save_checkpoint(tmp_path, model, optimizer, state(found.state.epoch + 1))
    assert find_checkpoint(tmp_path).state == state(found.state.epoch + 1)


def test_a_full_disk_leaves_the_one_before(tmp_path, monkeypatch):
    model, optimizer = trained()
    save_checkpoint(tmp_path, model, optimizer, state(1))

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            save_checkpoint(tmp_path, model, optimizer, state(2))
    assert find_checkpoint(tmp_path).state == state(1)
    assert [path.name for path in tmp_path.iterdir()] == ["000001"]
