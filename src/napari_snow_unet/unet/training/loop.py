"""Train a network in the folder of a run: begin, resume, and leave everything valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import precision as engine_precision
from napari_snow_unet.unet.engine import selection
from napari_snow_unet.unet.engine.failures import explain
from napari_snow_unet.unet.runs.checkpoint import TrainingState, find_checkpoint
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.lock import run_locked
from napari_snow_unet.unet.runs.options import TrainingOptions, muon_is_gone
from napari_snow_unet.unet.runs.progress import ProgressWriter, StopRequest, TrainingProgress
from napari_snow_unet.unet.runs.tiles import TrainingSet

Listener = Callable[[TrainingProgress], None]
_USELESS = 0.01  # recall on the validation tiles of a network that has learnt nothing yet


def is_finished(run: RunDirectory) -> bool:
    """Tell whether nothing is left to train."""
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
        If the dataset has changed, the optimizer is one that only 0.1 had, another process trains
        here, the loss is not a number any more, the disk is full or the memory too small. The last
        finished epoch stays.
    """
    writer = ProgressWriter(run, listen)
    with run_locked(run.folder):
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
    config = run.config()
    if config.muon:
        raise muon_is_gone(run.folder)
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
