"""Train a network in the folder of a run: begin, resume, and leave everything valid."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_snow_unet import __version__
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.pixel_size import PLAUSIBLE_UM
from napari_snow_unet.unet import backend, model_folder
from napari_snow_unet.unet.augment import ZOOM
from napari_snow_unet.unet.checkpoint import TrainingState, find_checkpoint
from napari_snow_unet.unet.config import UNetConfig
from napari_snow_unet.unet.failures import explain
from napari_snow_unet.unet.run_directory import RunConfig, RunDirectory, check_free, create_run
from napari_snow_unet.unet.run_lock import locked
from napari_snow_unet.unet.run_progress import ProgressWriter, StopRequest, TrainingProgress
from napari_snow_unet.unet.training_masks import look_at_masks
from napari_snow_unet.unet.training_options import TrainingOptions
from napari_snow_unet.unet.training_tiles import TrainingSet, open_dataset

Listener = Callable[[TrainingProgress], None]
_USELESS = 0.01  # recall on the validation tiles of a network that has learnt nothing yet


def begin(
    dataset: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    options: TrainingOptions,
    *,
    fine_tune: Path | None = None,
) -> tuple[RunDirectory, tuple[str, ...]]:
    """Check a dataset and make the folder of a training; nothing is computed yet.

    Parameters
    ----------
    dataset : path-like
        See `training_tiles.open_dataset`.
    folder : path-like
        Where the training shall stand.
    options : TrainingOptions
        What it shall do.
    fine_tune : pathlib.Path, optional
        Model folder whose network and weights the training begins with. Its architecture and
        channel take the place of those in `options`.

    Returns
    -------
    run : RunDirectory
        For `train`.
    notes : tuple of str
        What a person should know of the dataset.

    Raises
    ------
    InputError
        If the dataset, the model or the folder cannot be used.
    """
    folder = Path(folder).resolve()
    check_free(folder)
    tiles = open_dataset(
        dataset,
        validation_fraction=options.validation_fraction,
        seed=options.seed,
        fold=options.fold,
        masks_are=options.masks_are,
    )
    notes, doubt = look_at_masks(tiles)
    tiles = replace(tiles, notes=(*tiles.notes, *notes, *([doubt] if doubt else [])))
    if options.crop is None:
        from napari_snow_unet.unet.crops import require_equal_sizes

        require_equal_sizes(tiles.train)
    if fine_tune is not None:
        options = _like_model(options, model_folder.read_config(fine_tune))
        model_folder.verify(fine_tune)
    config = RunConfig(
        options=options,
        network=_network(options, tiles, folder.name),
        dataset=str(tiles.folder),
        fingerprint=tiles.fingerprint,
        fine_tune=str(fine_tune.resolve()) if fine_tune is not None else "",
        made_with={"napari-snow-unet": __version__, "python": platform.python_version()},
    )
    run = create_run(folder, config, tiles)
    for note in tiles.notes:
        run.log(note)
    return run, tiles.notes


def extend(run: RunDirectory, epochs: int) -> None:
    """Give a training another number of epochs.

    With a constant learning rate the result is that of a training which had them from the start.

    Parameters
    ----------
    run : RunDirectory
        The training.
    epochs : int
        Epochs in all.

    Raises
    ------
    InputError
        If its learning rate depends on the number of epochs.
    """
    config = run.config()
    if config.options.epochs == epochs:
        return
    if config.options.schedule != "constant":
        raise InputError(
            f"{epochs} epochs for a training planned with {config.options.epochs}",
            expected="as many as planned, since its learning rate falls to zero at the end",
            remedy="Start a new training that begins with this one's model.",
            path=run.folder,
        )
    options = replace(config.options, epochs=epochs)
    run.write_config(replace(config, options=options))


def is_finished(run: RunDirectory) -> bool:
    """Tell whether nothing is left to train.

    Parameters
    ----------
    run : RunDirectory
        The training.
    """
    checkpoint = find_checkpoint(run.checkpoints)
    return checkpoint is not None and _is_over(checkpoint.state, run.config().options)


def train(
    run: RunDirectory,
    *,
    stop: StopRequest | None = None,
    listen: Listener | None = None,
    workers: int = 1,
    listed: bool = True,
) -> TrainingState:
    """Train, from the last finished epoch on, until the end or until somebody stops it.

    Parameters
    ----------
    run : RunDirectory
        From `begin`, or of a training that was stopped or killed.
    stop : StopRequest, optional
        Whether to end early; looked at after every batch.
    listen : callable, optional
        Called with the progress after every batch.
    workers : int, default: 1
        Threads that compute batches ahead. They change nothing in the result.
    listed : bool, default: True
        Put the model on the list of models after the first epoch.

    Returns
    -------
    TrainingState
        After the last finished epoch.

    Raises
    ------
    InputError
        If the dataset has changed, another process trains here, the loss is not a number any
        more, the disk is full or the memory too small. The last finished epoch stays.
    """
    writer = ProgressWriter(run, listen)
    with locked(run.folder):
        run.clean_up()
        try:
            return _train(run, stop or StopRequest(), writer, workers, listed)
        except BaseException as error:
            known = _say_why(run, writer, error)
            if known is None or known is error:
                raise
            raise known from error


def _train(
    run: RunDirectory, stop: StopRequest, writer: ProgressWriter, workers: int, listed: bool
) -> TrainingState:
    config, tiles = run.config(), run.tiles()
    checkpoint = find_checkpoint(run.checkpoints)
    state = checkpoint.state if checkpoint is not None else TrainingState()
    options = config.options
    writer.update(at_once=True, epoch=state.epoch, epochs=options.epochs)
    device, problem = backend.prepare(), backend.compute_reproducibly()
    precision = options.precision if options.precision != "auto" else backend.fast_precision()
    writer.update(
        at_once=True,
        backend=device.backend,
        device=device.name,
        device_kind=device.kind,
        why_no_gpu=device.reason,
        precision=precision,
    )
    _log_start(run, tiles, state, writer.now, problem)
    from napari_snow_unet.unet.fitting import Fitting

    fitting = Fitting(run, config, tiles, precision, workers, listed)
    with _closing(fitting), _one_thread_in_opencv():
        fitting.begin(checkpoint)
        if _is_over(state, options):
            return _finish(run, writer, state)
        state, reason = fitting.fit(state, stop, writer)
    if not reason:
        return _finish(run, writer, state)
    run.stop_file.unlink(missing_ok=True)
    told = f"Stopped after {state.epoch} of {options.epochs} epochs{stop.ending()}"
    run.log(told)
    writer.update(state="stopped", message=told, seconds_left=None)
    return state


def _is_over(state: TrainingState, options: TrainingOptions) -> bool:
    return state.epoch >= options.epochs or state.stopped_early


def _finish(run: RunDirectory, writer: ProgressWriter, state: TrainingState) -> TrainingState:
    why = "early stopping" if state.stopped_early else "all epochs are done"
    epochs = f"{state.epoch} epoch{'s' if state.epoch != 1 else ''}"
    told = f"Finished after {epochs} ({why}); epoch {state.best_epoch} is the best."
    recalls = [row["val_recall"] for row in state.history if row["val_recall"] is not None]
    if recalls and max(recalls) < _USELESS:
        told += " It finds no nuclei yet: train longer, or fine-tune a model that does."
    run.log(told)
    run.stop_file.unlink(missing_ok=True)
    writer.update(state="finished", epoch=state.epoch, message=told, seconds_left=0.0, at_once=True)
    return state


def _say_why(
    run: RunDirectory, writer: ProgressWriter, error: BaseException
) -> BaseException | None:
    """Note in the folder why a training ended; return the error to raise, None for unforeseen."""
    try:
        epoch = len(run.history())
    except InputError:
        epoch = 0
    if isinstance(error, KeyboardInterrupt):
        known, state, told = None, "stopped", f"Interrupted; {epoch} epochs are kept."
    else:
        known, state = explain(error, run.folder, epoch=epoch), "failed"
        told = str(known or f"{type(error).__name__}: {error}")
    writer.update(state=state, message=told, seconds_left=None)
    try:
        run.log(told, echo=False)  # whoever catches the error tells it
    except OSError:
        return known  # the disk is full, which is what is told
    return known


def _log_start(
    run: RunDirectory,
    tiles: TrainingSet,
    state: TrainingState,
    now: TrainingProgress,
    problem: str,
) -> None:
    again = f"Resumed after epoch {state.epoch}" if state.epoch else "Started"
    run.log(
        f"{again}: {len(tiles.train)} tiles train, {len(tiles.validation)} validate; "
        f"{now.backend} on {now.device} ({now.device_kind}) in {now.precision}."
    )
    if now.why_no_gpu:
        run.log(f"No GPU is used: {now.why_no_gpu}.")
    if problem:
        run.log(f"The same run again may differ in the last digits: {problem}.")


def _like_model(options: TrainingOptions, network: UNetConfig) -> TrainingOptions:
    return replace(
        options,
        base_filters=network.base_filters,
        levels=network.levels,
        activation=network.activation,
        normalization=network.normalization,
        channel=network.channel,
    )


def _network(options: TrainingOptions, tiles: TrainingSet, name: str) -> UNetConfig:
    known = [tile.um_per_px for tile in tiles.train if tile.um_per_px]
    low, high = ZOOM if options.augment != "none" else (1.0, 1.0)
    sizes = None
    if known:
        largest = min(max(known) / low, PLAUSIBLE_UM[1])
        sizes = round(min(known) / high, 4), round(largest, 4)
    text = (
        f"{len(tiles.train)} tiles of the dataset {tiles.folder.name!r}, "
        f"{len(tiles.validation)} more to validate; {options.epochs} epochs of the preset "
        f"{options.preset!r}."
    )
    return options.network(
        name=name[:100], trained_on=text, pixel_size_um=sizes, white=dict(tiles.white)
    )


@contextmanager
def _closing(fitting: Any) -> Iterator[None]:
    try:
        yield
    finally:
        fitting.close()


@contextmanager
def _one_thread_in_opencv() -> Iterator[None]:
    """Keep OpenCV from starting a thread per core in each of our threads."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
