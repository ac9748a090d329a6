"""The state from which a training resumes: a folder that is written atomically.

``checkpoints/000012/`` holds the state after epoch 12. It is written under another name, synced to
the disk and renamed; then its predecessor is removed. So the newest numbered folder is complete at
any time, even if the process is killed. Version 0.1 stored the arrays as HDF5.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import folder_written_whole
from napari_snow_unet.unet.models import messages as models_messages
from napari_snow_unet.unet.models.array_file import read_arrays, write_arrays
from napari_snow_unet.unet.models.keras_file import read_hdf5
from napari_snow_unet.unet.models.store import read_weights
from napari_snow_unet.unet.network.arrays import arrays_of, fill, shapes_of
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.folder import Row

WEIGHTS, BEST, OPTIMIZER = "model.safetensors", "best.safetensors", "optimizer.safetensors"
STATE = "state.json"
_IN_0_1 = {WEIGHTS: "model.weights.h5", BEST: "best.weights.h5", OPTIMIZER: "optimizer.h5"}
_LARGEST_STATE = 200_000_000


@dataclass(frozen=True)
class TrainingState:
    """The state of a training besides its weights."""

    epoch: int = 0
    best_epoch: int = 0  # from 1; the one with the lowest validation loss
    best_score: float = math.inf  # its validation loss
    wait: int = 0  # epochs since then, as early stopping counts them
    stopped_early: bool = False
    history: tuple[Row, ...] = field(default_factory=tuple)  # a row per epoch


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint on disk."""

    folder: Path
    state: TrainingState

    @property
    def weights(self) -> Path:
        """File of the weights after the last epoch."""
        return _file(self.folder, WEIGHTS)

    @property
    def best(self) -> Path:
        """File of the weights after the best epoch."""
        return _file(self.folder, BEST)

    def load(self, model: Any, optimizer: Any) -> None:
        """Restore the weights of the last epoch and the variables of the optimizer."""
        fill(model, read_weights(self.weights, shapes_of(model)))
        _load_optimizer(optimizer, _file(self.folder, OPTIMIZER))


def find_checkpoint(place: Path) -> Checkpoint | None:
    """Open the newest checkpoint in ``checkpoints``; None before the first finished epoch."""
    if not place.is_dir():
        return None
    numbered = sorted(path for path in place.iterdir() if path.name.isdecimal())
    if not numbered:
        return None
    return Checkpoint(numbered[-1], _read_state(numbered[-1]))


def save_checkpoint(place: Path, model: Any, optimizer: Any, state: TrainingState) -> Checkpoint:
    """Write a checkpoint and remove the previous one, whose best weights may be kept."""
    place.mkdir(exist_ok=True)
    target = place / f"{state.epoch:06d}"
    with folder_written_whole(target, overwrite=True, ours=Path.is_dir) as folder:
        write_arrays(folder / WEIGHTS, arrays_of(model))
        _save_optimizer(optimizer, folder / OPTIMIZER)
        earlier = sorted(path for path in place.iterdir() if path.name.isdecimal())
        newest = state.best_epoch == state.epoch or not earlier
        best = folder / WEIGHTS if newest else _file(earlier[-1], BEST)
        _link(best, folder / (BEST if newest else best.name))
        sums = {file.name: _sha256(file) for file in folder.iterdir()}
        text = json.dumps({**asdict(state), "sha256": sums}, indent=1) + "\n"
        (folder / STATE).write_text(text, encoding="utf-8")
        for file in folder.iterdir():
            _force_to_disk(file)
    _force_to_disk(place)
    for old in place.iterdir():
        if old.name.isdecimal() and old != target:
            shutil.rmtree(old, ignore_errors=True)
    return Checkpoint(target, state)


def _read_state(folder: Path) -> TrainingState:
    path = folder / STATE
    try:
        if path.stat().st_size > _LARGEST_STATE:
            raise ValueError("the file is too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        sums = dict(content.pop("sha256"))
        names = {entry.name for entry in fields(TrainingState)}
        if set(content) != names:
            raise ValueError(f"missing or unknown entries {sorted(set(content) ^ names)}"[:100])
        state = TrainingState(**{**content, "history": tuple(dict(r) for r in content["history"])})
        if state.epoch != len(state.history) or state.epoch != int(folder.name):
            raise ValueError(f"epoch {state.epoch}, but {len(state.history)} rows of history")
        for name in (WEIGHTS, OPTIMIZER, BEST):
            file = _file(folder, name)
            if _sha256(file) != sums.get(file.name):
                raise ValueError(f"{file.name} has changed")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(messages.damaged_checkpoint(str(error)), path=path) from error
    return state


def _file(folder: Path, name: str) -> Path:
    """Return a file of a checkpoint, under its name of version 0.1 if it has that one."""
    old = folder / _IN_0_1[name]
    return old if old.is_file() else folder / name


def _load_optimizer(optimizer: Any, path: Path) -> None:
    read = read_hdf5 if path.suffix == ".h5" else read_arrays
    shapes = {f"{n:05d}": tuple(each.shape) for n, each in enumerate(optimizer.variables)}
    arrays = read(path, shapes, models_messages.ANOTHER_OPTIMIZER)
    for variable, array in zip(optimizer.variables, arrays.values(), strict=True):
        variable.assign(array)


def _save_optimizer(optimizer: Any, path: Path) -> None:
    from keras.ops import convert_to_numpy

    arrays = (convert_to_numpy(variable) for variable in optimizer.variables)
    write_arrays(path, {f"{n:05d}": array for n, array in enumerate(arrays)})


def _link(source: Path, target: Path) -> None:
    """Create a hard link; copy the file if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _force_to_disk(path: Path) -> None:
    """Sync a file or folder to the disk, so that it survives a power failure."""
    if path.is_dir():
        with suppress(OSError):  # not possible for folders on Windows and some network drives
            _sync(path, os.O_RDONLY)
    else:
        _sync(path, os.O_RDWR)


def _sync(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
