"""Callbacks between the batches and epochs of `fit`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import messages as engine_messages
from napari_snow_unet.unet.runs.checkpoint import TrainingState
from napari_snow_unet.unet.runs.folder import SCORES, Row, RunDirectory
from napari_snow_unet.unet.runs.progress import ProgressWriter, StopRequest
from napari_snow_unet.unet.training.seeding import reseed_dropout

Logs = dict[str, float] | None
_WARM_UP = 2  # slow first batches, in which everything is built


class Stopped(Exception):  # noqa: N818 (not an error)
    """Raised to leave `fit` after a batch; the epoch does not count."""


class StopBetweenBatches(keras.callbacks.Callback):
    """End `fit` after the batch when a stop is requested."""

    def __init__(self, request: StopRequest) -> None:
        super().__init__()
        self._request = request

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Check before the first batch too."""
        self._stop_if_requested()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Check after every batch."""
        self._stop_if_requested()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Check after every batch of the validation."""
        self._stop_if_requested()

    def _stop_if_requested(self) -> None:
        if reason := self._request.reason():
            raise Stopped(reason)


class RefuseNaN(keras.callbacks.Callback):
    """Leave `fit` at once when the loss is not finite, before the epoch is saved."""

    # Keras' TerminateOnNaN lets the epoch end as if it were complete, so it would be saved.

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self._run, self._epoch = run, 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Store the epoch."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Raise `InputError` for a loss that is NaN or infinite."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            message = engine_messages.loss_not_finite(self._epoch, batch + 1)
            raise InputError(message, path=self._run.folder)


class ReportProgress(keras.callbacks.Callback):
    """Reports progress and the time left after every batch."""

    def __init__(
        self, writer: ProgressWriter, epochs: int, train_batches: int, validation_batches: int
    ) -> None:
        super().__init__()
        self._writer, self._epochs = writer, epochs
        self._train_batches, self._validation_batches = train_batches, validation_batches
        self._epoch, self._done = 0, 0
        self._train, self._validation = _Clock(), _Clock()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start counting the epoch's batches."""
        self._epoch, self._done = epoch, 0
        self._train.start()
        self._report("training", "")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Count a batch."""
        self._done += 1
        self._train.tick()
        self._report("training", f"loss {(logs or {}).get('loss', math.nan):.4f}")

    def on_test_begin(self, logs: Logs = None) -> None:
        """Start counting the validation's batches."""
        self._validation.start()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Count a batch of the validation."""
        self._done += 1
        self._validation.tick()
        self._report("validating", "")

    def _report(self, state: str, message: str) -> None:
        self._writer.update(
            state=state,
            epoch=self._epoch + 1,
            epochs=self._epochs,
            batch=self._done,
            batches=self._train_batches + self._validation_batches,
            seconds_left=self._left(),
            message=message,
        )

    def _left(self) -> float | None:
        each = self._train.mean()
        if each is None:
            return None
        # Until the validation has been timed: without gradients it takes about a third.
        each_validated = self._validation.mean() or each / 3
        later = self._epochs - self._epoch - 1
        train = self._train_batches * (later + 1) - min(self._done, self._train_batches)
        validation = self._validation_batches * (later + 1)
        validation -= max(self._done - self._train_batches, 0)
        return train * each + validation * each_validated


class _Clock:
    """Mean duration of batches, without the first ones."""

    def __init__(self) -> None:
        self._batches, self._seconds, self._last = 0, 0.0, 0.0

    def start(self) -> None:
        self._last = time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        if self._batches >= _WARM_UP:
            self._seconds += now - self._last
        self._batches, self._last = self._batches + 1, now

    def mean(self) -> float | None:
        timed = self._batches - _WARM_UP
        return self._seconds / timed if timed > 0 else None


class KeepState(keras.callbacks.Callback):
    """Saves the state after every epoch, and restores that of dropout and early stopping."""

    # `early_stopping` precedes this one in the list of callbacks.

    def __init__(
        self,
        state: TrainingState,
        seed: int,
        early_stopping: keras.callbacks.EarlyStopping | None,
        keep: Callable[[TrainingState], None],
    ) -> None:
        super().__init__()
        self.state, self._seed, self._keep = state, seed, keep
        self._early_stopping, self._started, self._epoch = early_stopping, 0.0, 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Restore the state of early stopping."""
        if self._early_stopping is not None and self.state.epoch:
            self._early_stopping.wait = self.state.wait
            self._early_stopping.best = self.state.best_score
            self._early_stopping.best_epoch = self.state.best_epoch - 1

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Store the start time."""
        self._started, self._epoch = time.monotonic(), epoch

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Make dropout a function of seed and epoch, after the backend has set up its batches."""
        if batch == 0:
            reseed_dropout(self.model, self._seed, self._epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save the state of a finished epoch."""
        row = self._row(epoch + 1, logs or {})
        score = row["val_loss"]
        score = math.inf if score is None or math.isnan(score) else score
        better = score < self.state.best_score or not self.state.best_epoch
        self.state = TrainingState(
            epoch=epoch + 1,
            best_epoch=epoch + 1 if better else self.state.best_epoch,
            best_score=score if better else self.state.best_score,
            wait=self._early_stopping.wait if self._early_stopping is not None else 0,
            stopped_early=bool(self.model.stop_training),
            history=(*self.state.history, row),
        )
        self._keep(self.state)

    def _row(self, epoch: int, logs: dict[str, Any]) -> Row:
        row: Row = {"epoch": epoch}
        for name in (*SCORES, *(f"val_{name}" for name in SCORES)):
            value = float(logs.get(name, math.nan))
            row[name] = None if math.isnan(value) else value
        row["seconds"] = time.monotonic() - self._started
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        return {**row, "learning_rate": float(rate)}
