"""Training with Keras' `fit`, from a checkpoint to the end or a stop."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.engine import fast_calls, selection
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.models.store import read_weights
from napari_snow_unet.unet.network.arrays import array_shapes, fill
from napari_snow_unet.unet.network.build import build_unet
from napari_snow_unet.unet.network.memory import require_memory
from napari_snow_unet.unet.runs.checkpoint import (
    Checkpoint,
    TrainingState,
    save_checkpoint,
)
from napari_snow_unet.unet.runs.config import RunConfig
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.unet.runs.progress import ProgressWriter, StopRequest
from napari_snow_unet.unet.runs.registry import register
from napari_snow_unet.unet.runs.tiles import TrainingSet
from napari_snow_unet.unet.training import messages
from napari_snow_unet.unet.training.batches import TrainingBatches, ValidationBatches
from napari_snow_unet.unet.training.callbacks import (
    KeepState,
    RefuseNaN,
    ReportProgress,
    StopBetweenBatches,
    Stopped,
)
from napari_snow_unet.unet.training.curves import draw_curves
from napari_snow_unet.unet.training.loss import PixelLoss
from napari_snow_unet.unet.training.preview import Preview
from napari_snow_unet.unet.training.scores import PixelScores
from napari_snow_unet.unet.training.seeding import initialise

_BETWEEN_CURVES = 10.0  # seconds; drawing takes half a second


class Fitting:
    """Network, optimizer and batches of a training."""

    def __init__(
        self,
        run: RunDirectory,
        config: RunConfig,
        tiles: TrainingSet,
        precision: str,
        workers: int,
        listed: bool,
    ) -> None:
        self._listed = listed
        self._run, self._config, self._options = run, config, config.options
        self._tiles, self._workers = tiles, workers
        side = self._options.crop or max(max(t.height, t.width) for t in tiles.train)
        if selection.load_engine().kind == "cpu":
            shape = (self._options.batch_size, side, side)
            require_memory(config.network, shape, precision)
        self._validation = ValidationBatches(
            tiles,
            config.network,
            most_pixels=self._options.batch_size * side**2,
            workers=workers,
        )
        self._batches = TrainingBatches(tiles, self._options, workers=workers)
        self._per_epoch = self._batches.plan.batches
        self.network = build_unet(config.network, precision=precision)
        self.model = keras.Model(self.network.input, self.network.output)
        self._optimizer = make_optimizer(
            self._options, self._per_epoch, scaled=precision == "mixed_float16"
        )
        self.model.compile(
            self._optimizer,
            loss=PixelLoss(self._options.loss == "bce-dice"),
            metrics=[PixelScores(by_sorting=_by_sorting())],
            jit_compile=fast_calls.compiles_steps(),
        )
        self._preview = Preview(
            tiles.validation, self._validation.read, config.network.stride, tiles.white
        )
        self._drawn = -_BETWEEN_CURVES

    def begin(self, checkpoint: Checkpoint | None) -> None:
        """Set the initial weights, or restore a checkpoint and the files that follow from it."""
        self._optimizer.build(self.model.trainable_variables)
        if checkpoint is not None:
            checkpoint.load(self.network, self._optimizer)
            self._derive(checkpoint, draw=True)
        elif self._config.fine_tune:
            path = Path(self._config.fine_tune)
            models_folder.verify(path)
            weights = models_folder.weights_of(path)
            fill(self.network, read_weights(weights, array_shapes(self._config.network)))
        else:
            initialise(self.network, self._options.seed)

    def fit(
        self, state: TrainingState, stop: StopRequest, writer: ProgressWriter
    ) -> tuple[TrainingState, str]:
        """Train from a state on; return the new state and why it stopped, or an empty text."""
        options = self._options
        self._batches.close()
        self._batches = TrainingBatches(
            self._tiles, options, first=state.epoch * self._per_epoch, workers=self._workers
        )
        early = keras.callbacks.EarlyStopping("val_loss", patience=options.patience, mode="min")
        stopping = early if options.patience else None
        keeper = KeepState(state, options.seed, stopping, self._keep)
        steps = self._per_epoch, self._validation.num_batches
        callbacks = [
            RefuseNaN(self._run),
            ReportProgress(writer, options.epochs, *steps),
            *([stopping] if stopping else []),
            keeper,
            StopBetweenBatches(stop),
        ]
        reason = ""
        try:
            self.model.fit(
                self._batches,
                steps_per_epoch=self._per_epoch,
                epochs=options.epochs,
                initial_epoch=state.epoch,
                validation_data=self._validation,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
        except Stopped as stopped:
            reason = str(stopped)
        except Exception as error:
            # Keras' engines wrap what a thread has raised in errors of their own.
            raise self._batches.failure or self._validation.failure or error from error
        self._draw(keeper.state)
        return keeper.state, reason

    def close(self) -> None:
        """End the threads."""
        self._batches.close()
        self._validation.close()

    def _keep(self, state: TrainingState) -> None:
        checkpoint = save_checkpoint(self._run.checkpoints, self.network, self._optimizer, state)
        self._derive(checkpoint, draw=time.monotonic() - self._drawn > _BETWEEN_CURVES)
        row = state.history[-1]
        scores = ", ".join(
            f"{name} {row[name]:.4f}"
            for name in ("loss", "val_loss", "val_dice", "val_auc")
            if row[name] is not None
        )
        best = state.best_epoch == state.epoch
        self._run.log(messages.epoch_done(state.epoch, self._options.epochs, scores, best))

    def _derive(self, checkpoint: Checkpoint, *, draw: bool) -> None:
        """Write the files that follow from a checkpoint: models, history, pictures."""
        _put_model(self._run.last, checkpoint.weights, self._config)
        _put_model(self._run.best, checkpoint.best, self._config)
        self._run.write_history(checkpoint.state.history)
        if self._listed:
            self._register()
        probability = self.model.predict_on_batch(self._preview.pixels())
        self._preview.write(self._run.folder, np.asarray(probability, np.float32))
        if draw:
            self._draw(checkpoint.state)

    def _register(self) -> None:
        try:
            register(self._run)
        except OSError as error:
            self._run.log(messages.not_listed(str(error)))

    def _draw(self, state: TrainingState) -> None:
        draw_curves(state.history, self._run.folder / "curves.png")
        self._drawn = time.monotonic()


def make_optimizer(options: TrainingOptions, batches: int, *, scaled: bool) -> Any:
    """Return the optimizer, whose learning rate is a function of the step."""
    steps = options.epochs * batches
    rate: Any = options.learning_rate
    if options.schedule == "cosine":
        rising = min(options.warm_up, steps // 10)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if rising else options.learning_rate,
            steps - rising,
            alpha=options.learning_rate_floor,
            warmup_target=options.learning_rate if rising else None,
            warmup_steps=rising,
        )
    decay = options.weight_decay
    if options.optimizer == "adam":
        optimizer: Any = keras.optimizers.Adam(rate)
    else:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=decay, global_clipnorm=1.0)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return keras.optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer


def _by_sorting() -> bool:
    """Tell whether pixels cannot be counted directly and reproducibly."""
    device = selection.load_engine()
    return device.kind == "gpu" or device.backend == "jax"


def _put_model(folder: Path, weights: Path, config: RunConfig) -> None:
    """Write these weights to a model folder; only the weights file changes, atomically."""
    described = folder / models_folder.CONFIG
    text = config.network.to_json()
    if not described.is_file() or described.read_text(encoding="utf-8") != text:
        with written_whole(described, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
    names = [models_folder.WEIGHTS, models_folder.KERAS_WEIGHTS]  # the second one in runs of 0.1
    if weights.suffix == ".h5":
        names.reverse()
    path, other = (folder / name for name in names)
    content = weights.read_bytes()
    if not path.is_file() or path.read_bytes() != content:
        with written_whole(path, overwrite=True) as temporary:
            temporary.write_bytes(content)
    other.unlink(missing_ok=True)
