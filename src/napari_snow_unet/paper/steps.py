"""The steps of the paper: prepare, train, segment, measure. Each goes on where it was stopped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import folder_written_whole
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import Outputs, segment_files
from napari_snow_unet.data.datasets.manifest import subset_images
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.names.result_names import PROBABILITY
from napari_snow_unet.metrics.files.evaluation import Evaluation, evaluate
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.models import CLASSICAL, open_model
from napari_snow_unet.paper.experiment import EARLY, Experiment
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.threshold import otsu_level
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run, open_run
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.progress import StopRequest
from napari_snow_unet.unet.training import loop, start

#: Otsu's threshold and nothing else: no splitting, no smallest area, no filling.
AS_IN_THE_PAPER = Options(output="mask", separate=False, min_area=0, fill_holes=False)


@dataclass(frozen=True)
class Method:
    """A way from an image to a mask."""

    name: str  # of its folder of predictions
    title: str
    model: str  # as `models.open_model` takes it
    epochs: int | None  # of its training, at most; None for the classical method


def methods(experiment: Experiment) -> list[Method]:
    """List what is compared: the network first, the classical method last."""
    run, epochs = RunDirectory(experiment.training), experiment.epochs
    found = [
        Method(f"best-of-{epochs}", f"U-Net, best of {epochs}", str(run.best), epochs),
        Method(f"last-of-{epochs}", f"U-Net, last of {epochs}", str(run.last), epochs),
    ]
    if EARLY in experiment.stages[:-1]:
        early, title = str(experiment.early_model), f"U-Net, best of {EARLY}"
        found.append(Method(experiment.early_model.name, title, early, EARLY))
    return [*found, Method(CLASSICAL, "classical", CLASSICAL, None)]


def prepare_tiles(
    experiment: Experiment,
    sources: Sequence[str | os.PathLike[str]],
    *,
    workers: int | None = None,
) -> Generator[Progress, None, Prepared]:
    """Make the dataset: the first tiles of SNOW, masks of 0 and 255, divided with the seed."""
    options = PrepareOptions(
        limit=experiment.limit, binary=True, split=SplitPlan(seed=experiment.seed), workers=workers
    )
    prepared = yield from prepare(sources, experiment.dataset, options)
    empty = [subset for subset in ("train", "val", "test") if not prepared.subsets.get(subset)]
    if empty:
        raise InputError(
            f"{len(prepared.tiles)} tiles, which leave none for {' and '.join(empty)}",
            expected="enough for training, validation and test (13 or more)",
            remedy="Raise the limit or name more archives.",
            helps=("limit",),
            path=experiment.dataset,
        )
    return prepared


def train_network(
    experiment: Experiment,
    *,
    stop: StopRequest | None = None,
    listen: loop.Listener | None = None,
    echo: Callable[[str], None] = lambda line: None,
    workers: int = 1,
) -> bool:
    """Train with the paper's preset, keeping the best of 20 epochs too; tell if all is done."""
    stop = stop or StopRequest()
    run = _run(experiment)
    run.echo = echo
    for epochs in experiment.stages:
        early = epochs < experiment.epochs
        if early and experiment.early_model.is_dir():
            continue
        if len(run.history()) >= experiment.epochs:
            break
        start.extend(run, epochs)
        state = loop.train(run, stop=stop, listen=listen, workers=workers)
        if state.epoch < epochs:
            return False
        if early:
            early_model = experiment.early_model
            with folder_written_whole(early_model, overwrite=False, ours=Path.is_dir) as folder:
                shutil.copytree(run.best, folder, dirs_exist_ok=True)
    return True


def _run(experiment: Experiment) -> RunDirectory:
    if is_run(experiment.training):
        return open_run(experiment.training)
    options = make_options("paper", epochs=experiment.stages[0], seed=experiment.seed)
    return start.begin_training(experiment.dataset, experiment.training, options)[0]


def segment_tiles(experiment: Experiment, method: Method) -> Generator[Progress, None, None]:
    """Write a mask and a probability map for every test tile that has none yet."""
    folder = experiment.predictions(method.name)
    missing = [
        image
        for image in subset_images(experiment.dataset, "test")
        if not all((folder / f"{image.stem}{end}.png").is_file() for end in ("", PROBABILITY))
    ]
    if not missing:
        return
    # The paper knows no floor under Otsu's threshold.
    model = replace(open_model(method.model, precision="float32"), threshold_floor=0.0)
    outputs = Outputs(folder, probability=True, overwrite=True)
    steps = segment_files(missing, model, AS_IN_THE_PAPER, outputs, use_pixel_size=False)
    for result in (yield from steps):
        if result.error:
            raise InputError(
                result.error,
                expected="a tile as it was prepared",
                remedy="Prepare the dataset again in another folder.",
                path=result.source,
            )


def measure_tiles(experiment: Experiment, method: Method) -> Generator[Progress, None, Evaluation]:
    """Score a method on the test tiles: its masks, and its maps at Otsu's level and at 0.5."""
    folder = experiment.predictions(method.name)
    task = make_task(folder, experiment.dataset, probability=folder, subset="test")
    return (yield from evaluate(replace(task, name=method.title), otsu_level))
