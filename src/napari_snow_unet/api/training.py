"""Training for the API: in this process, or beside napari in one of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from PIL import Image

from napari_snow_unet.api import messages
from napari_snow_unet.api.calls import Named, ShowProgress, blocks, finish, steps
from napari_snow_unet.api.pictures import picture
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.shown import Shown, paragraph, table
from napari_snow_unet.base.words import counted
from napari_snow_unet.models import find_model
from napari_snow_unet.unet.engine.selection import select_device
from napari_snow_unet.unet.models.folder import has_weights
from napari_snow_unet.unet.runs.folder import Row, RunDirectory, open_run
from napari_snow_unet.unet.runs.options import TrainingOptions, make_options, whole_tiles
from napari_snow_unet.unet.runs.parallel import train_side_by_side
from napari_snow_unet.unet.runs.progress import StopRequest, TrainingProgress, read_progress
from napari_snow_unet.unet.training import loop
from napari_snow_unet.unet.training.start import begin_training, extend

_LOOK_EVERY = 0.2  # seconds
_SHOWN = ("epoch", "loss", "val_loss", "val_dice", "val_precision", "val_recall")


@dataclass(frozen=True, repr=False)
class Training(Shown):
    """A training and what it has reached; in a notebook its curves and its best epoch.

    Attributes
    ----------
    folder : pathlib.Path
        The run folder: models, history, curves, and what is needed to resume.
    messages : tuple of str
        What you should know about the dataset, and how the training ended.
    """

    folder: Path
    messages: tuple[str, ...] = ()

    @property
    def model(self) -> Path:
        """Folder of the best model, for `load_model` and `segment`."""
        best = RunDirectory(self.folder).best
        if not has_weights(best):
            raise InputError(messages.NO_EPOCH, path=self.folder)
        return best

    @property
    def history(self) -> list[Row]:
        """A dict per finished epoch: "epoch", "loss", "val_loss", "val_dice" and others."""
        return [Named(row) for row in RunDirectory(self.folder).history()]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train."""
        return loop.is_finished(RunDirectory(self.folder))

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        rows = [row["val_dice"] for row in self.history if row["val_dice"] is not None]
        best = f", best validation Dice {max(rows):.3f}" if rows else ""
        return f"{counted(len(self.history), 'epoch')}{best}, in {self.folder}"

    def _repr_html_(self) -> str:
        texts = "".join(map(paragraph, [self.one_line(), *self.messages]))
        rows = [row for row in self.history if row["val_loss"] is not None]
        if not rows:
            return texts
        best = min(rows, key=lambda row: row["val_loss"] or 0.0)
        cells = ["" if (value := best[name]) is None else f"{value:.4g}" for name in _SHOWN]
        best_row, curves = table(_SHOWN, [cells]), self.folder / "curves.png"
        if not curves.is_file():
            return best_row + texts
        with Image.open(curves) as image:
            return picture(image, "Loss and scores over the epochs") + best_row + texts


@steps(TrainingOptions)
def train_steps(
    dataset: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    fine_tune: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int | None = None,
    **options: Any,
) -> Generator[Progress, None, Training]:
    """Train step by step.

    Parameters
    ----------
    dataset, folder, fine_tune, resume, workers, **options
        See `train`.

    Yields
    ------
    Progress
        While batches are computed; ``done`` and ``total`` count batches of all epochs. Closing the
        generator ends the training after the batch; finished epochs are kept.

    Returns
    -------
    Training
        As `train` returns it, when the generator ends.
    """
    select_device()
    notes: tuple[str, ...] = ()
    if resume:
        run = _resumed(folder, options)
    else:
        model = None if fine_tune is None else find_model(os.fspath(fine_tune))
        run, notes = begin_training(dataset, folder, _options(options), fine_tune=model)
    threads = max(1, min(usable_cores() - 1, 8)) if workers is None else workers
    yield from _followed(run, threads)
    end = read_progress(run.folder) or TrainingProgress()
    yield _as_steps(end)
    return Training(run.folder, (*notes, *filter(None, [end.message])))


@blocks(train_steps)
def train(
    dataset: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    progress: ShowProgress = None,
    **options: Any,
) -> Training:
    """Train a network on a dataset; needs ``pip install "napari-snow-unet[train]"``.

    TensorFlow is loaded into this process, or into one of its own where napari is loaded.
    Interrupting (Ctrl-C, or the stop button of a notebook) ends the training after the batch;
    finished epochs are kept.

    Parameters
    ----------
    dataset : path-like
        What `prepare` made, or a folder with images and masks.
    folder : path-like
        Run folder: a new or empty one, or with `resume` that of an earlier training.
    progress : callable or True, optional
        Called with a `Progress` while batches are computed; True shows a progress bar.
    fine_tune : str or path-like, optional
        Model to start from, by name or folder; its architecture and channel are kept.
    resume : bool, default: False
        Continue the training in `folder`, with its options; only `epochs` may change.
    workers : int, optional
        Threads for loading batches; they do not affect the result.
    preset : {"default", "paper"}, default: "default"
        Sets the options below. "paper": whole tiles, Adam, cross-entropy, no augmentation.
    epochs : int, default: 50
        Passes over the training tiles.
    batch_size : int, default: 4
        Crops or tiles in a batch.
    learning_rate, learning_rate_floor : float, default: 1e-3 and 0
        Initial (highest) learning rate, and the final one as a fraction of it.
    loss : {"bce-dice", "bce"}, default: "bce-dice"
        Binary cross-entropy with or without the soft Dice.
    augment : {"strong", "standard", "none"}, default: "strong"
        How much crops are turned, stretched and recoloured.
    stain : float, default: 0
        How strongly hematoxylin, eosin and the glass of colour crops are changed, up to 2.
    stain_share : float, default: 0.5
        Fraction of the crops whose stain is changed.
    artefacts : float, default: 0
        Fraction of the crops with uneven light, a fold, or only debris on glass.
    crop : int or None, default: 256
        Side of the crops in pixels, a multiple of 16; None trains on whole tiles.
    patience : int, default: 0
        Stop after this many epochs without improvement in validation loss; 0 never does.
    precision : {"auto", "float32", "mixed_bfloat16", "mixed_float16"}, default: "auto"
        Number format.
    base_filters, levels : int, default: 16 and 5
        Size of the network: filters of the first level, and levels.
    channel : {"red", "green", "blue", "grey", "hematoxylin", "rgb"}, default: "red"
        What the network reads of a colour image.
    validation_fraction : float, default: 0.1
        Fraction of tiles for validation where the dataset is not split.
    fold : int, optional
        Fold to validate on.
    seed : int, default: 0
        Random seed: the same seed gives the same training.
    masks_are : {"labels", "binary", "classes"}, optional
        What masks hold; by default judged by their values.
    schedule, warm_up, optimizer, weight_decay, dropout, activation, normalization
        Further options; docs/train.md lists them.

    Returns
    -------
    Training
        ``model`` (a folder for `load_model`), ``history``, ``finished``, ``folder``, ``messages``.

    Raises
    ------
    InputError
        If the dataset, the folder or an option cannot be used, Keras is missing, the loss becomes
        NaN, the disk is full or there is too little memory. Finished epochs are kept.
    TypeError
        If there is no such option.
    """
    return finish(train_steps(dataset, folder, **options), progress)


def _options(given: dict[str, Any]) -> TrainingOptions:
    """Fill in the preset; a crop of None is whole tiles."""
    options = make_options(**given)
    return whole_tiles(options) if given.get("crop", 0) is None else options


def _resumed(folder: str | os.PathLike[str], given: dict[str, Any]) -> RunDirectory:
    run = open_run(folder)
    if set(given) - {"epochs"}:
        raise InputError(messages.ONLY_EPOCHS, path=run.folder)
    if "epochs" in given:
        extend(run, given["epochs"])
    return run


def _followed(run: RunDirectory, threads: int) -> Generator[Progress, None, None]:
    """Train in a thread, and pass on how far it is; closing this ends it after the batch."""
    stop = StopRequest(run.stop_file)
    news: SimpleQueue[TrainingProgress] = SimpleQueue()

    def in_this_process() -> None:
        loop.train(run, stop=stop, listen=news.put, workers=threads)

    def in_its_own() -> None:
        folders = {"The training": run.folder}
        train_side_by_side(folders, 1, stop=stop, listen=news.put, workers=threads)

    with ThreadPoolExecutor(1, "training") as pool:
        # Beside napari's window TensorFlow must not be loaded.
        result = pool.submit(in_its_own if "napari" in sys.modules else in_this_process)
        try:
            while not result.done():
                with suppress(Empty):
                    yield _as_steps(news.get(timeout=_LOOK_EVERY))
        finally:
            stop.ask("it was interrupted")
    result.result()


def _as_steps(now: TrainingProgress) -> Progress:
    """Return the progress of a training in batches of all epochs."""
    done = max(now.epoch - 1, 0) * now.batches + now.batch
    message = f"epoch {now.epoch} of {now.epochs}: {now.state}" if now.epochs else now.state
    return Progress(done, now.epochs * now.batches, message)
