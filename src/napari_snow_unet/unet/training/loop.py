"""Train a network in its run folder: start or resume, and keep the folder valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import precision as engine_precision
from napari_snow_unet.unet.engine import selection
from napari_snow_unet.unet.engine.failures import explain
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs.checkpoint import TrainingState, find_checkpoint
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.lock import run_locked
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.unet.runs.progress import ProgressWriter, StopRequest, TrainingProgress
from napari_snow_unet.unet.runs.tiles import TrainingSet
from napari_snow_unet.unet.training import messages

Listener = Callable[[TrainingProgress], None]
_USELESS = 0.01  # validation recall of a network that has learnt nothing yet


def is_finished(run: RunDirectory) -> bool:
    """Tell whether all epochs are done, or early stopping has ended the training."""
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
    """Train from the last finished epoch to the end or until stopped.

    Parameters
    ----------
    run : RunDirectory
        From `begin_training`, or of a training that was stopped or killed.
    stop : StopRequest, optional
        Whether to end early; checked after every batch.
    listen : callable, optional
        Called with the progress after every batch.
    workers : int, default: 1
        Threads that compute batches ahead; the result does not depend on them.
    listed : bool, default: True
        Add the model to the list of models after the first epoch.

    Returns
    -------
    TrainingState
        After the last finished epoch.

    Raises
    ------
    InputError
        If the dataset has changed, only version 0.1 has the optimizer, another process trains here,
        the loss is no longer finite, the disk is full or the memory too small. Finished epochs are
        kept.
    """
    writer = ProgressWriter(run, listen)
    with run_locked(run.folder):
        run.clean_up()
        try:
            return _train(run, stop or StopRequest(), writer, workers, listed)
        except BaseException as error:
            explained = _record_failure(run, writer, error)
            if explained is None or explained is error:
                raise
            raise explained from error


def _train(
    run: RunDirectory, stop: StopRequest, writer: ProgressWriter, workers: int, listed: bool
) -> TrainingState:
    config = run.config()
    if config.muon:
        raise InputError(run_messages.MUON, path=run.folder)
    tiles = run.tiles()
    checkpoint = find_checkpoint(run.checkpoints)
    state = checkpoint.state if checkpoint is not None else TrainingState()
    options = config.options
    writer.update(at_once=True, epoch=state.epoch, epochs=options.epochs)
    device, problem = selection.load_engine(), selection.compute_reproducibly()
    precision = (
        options.precision if options.precision != "auto" else engine_precision.fast_precision()
    )
    writer.update(
        at_once=True,
        backend=device.backend,
        device=device.name,
        device_kind=device.kind,
        why_no_gpu=device.reason,
        precision=precision,
    )
    _log_start(run, tiles, state, writer.now, problem)
    from napari_snow_unet.unet.training.fitting import Fitting

    fitting = Fitting(run, config, tiles, precision, workers, listed)
    with _closing(fitting), _one_thread_in_opencv():
        fitting.begin(checkpoint)
        if _is_over(state, options):
            return _finish(run, writer, state)
        state, reason = fitting.fit(state, stop, writer)
    if not reason:
        return _finish(run, writer, state)
    run.stop_file.unlink(missing_ok=True)
    text = messages.stopped(state.epoch, options.epochs, stop.cause())
    run.log(text)
    writer.update(state="stopped", message=text, seconds_left=None)
    return state


def _is_over(state: TrainingState, options: TrainingOptions) -> bool:
    return state.epoch >= options.epochs or state.stopped_early


def _finish(run: RunDirectory, writer: ProgressWriter, state: TrainingState) -> TrainingState:
    ended = messages.finished_early if state.stopped_early else messages.finished
    dice = state.history[state.best_epoch - 1]["val_dice"]
    text = ended(state.epoch, state.best_epoch, dice)
    recalls = [row["val_recall"] for row in state.history if row["val_recall"] is not None]
    if recalls and max(recalls) < _USELESS:
        text += f" {messages.FINDS_NOTHING}"
    run.log(text)
    run.stop_file.unlink(missing_ok=True)
    writer.update(state="finished", epoch=state.epoch, message=text, seconds_left=0.0, at_once=True)
    return state


def _record_failure(
    run: RunDirectory, writer: ProgressWriter, error: BaseException
) -> BaseException | None:
    """Write why a training ended; return the error to raise, None for an unforeseen one."""
    try:
        epoch = len(run.history())
    except InputError:
        epoch = 0
    if isinstance(error, KeyboardInterrupt):
        explained, state, text = None, "stopped", messages.interrupted(epoch)
    else:
        explained, state = explain(error, run.folder, epoch=epoch), "failed"
        text = str(explained or messages.failed(type(error).__name__, str(error)))
    writer.update(state=state, message=text, seconds_left=None)
    with suppress(OSError):  # the disk may be full
        run.log(text, echo=False)  # the caller reports the error
    return explained


def _log_start(
    run: RunDirectory,
    tiles: TrainingSet,
    state: TrainingState,
    now: TrainingProgress,
    problem: str,
) -> None:
    fmt = now.precision.removeprefix("mixed_")
    where = f"{now.backend} on {now.device} ({now.device_kind}) in {fmt}"
    run.log(messages.started(state.epoch, len(tiles.train), len(tiles.validation), where))
    if now.why_no_gpu:
        run.log(messages.no_gpu(now.why_no_gpu))
    if problem:
        run.log(problem)


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
