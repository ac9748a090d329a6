"""The steps of the paper, each of which can be interrupted and continued."""

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
from napari_snow_unet.paper import messages
from napari_snow_unet.paper.experiment import EARLY, Experiment
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.threshold import otsu_level
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run, open_run
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.runs.progress import StopRequest
from napari_snow_unet.unet.training import loop, start

#: Otsu's threshold only, without separating nuclei, filling holes or a minimum area.
AS_IN_THE_PAPER = Options(output="mask", separate=False, min_area=0, fill_holes=False)


@dataclass(frozen=True)
class Method:
    """A method of segmentation that is evaluated."""

    name: str  # the folder of its predictions
    title: str
    model: str  # for `models.open_model`
    epochs: int | None  # the most epochs of its training; None for the classical method


def methods(experiment: Experiment) -> list[Method]:
    """Return the methods that are compared, the network first, the classical method last."""
    run, epochs = RunDirectory(experiment.training), experiment.epochs
    networks = [
        Method(f"best-of-{epochs}", f"U-Net, best of {epochs}", str(run.best), epochs),
        Method(f"last-of-{epochs}", f"U-Net, last of {epochs}", str(run.last), epochs),
    ]
    if EARLY in experiment.stages[:-1]:
        early, title = str(experiment.early_model), f"U-Net, best of {EARLY}"
        networks.append(Method(experiment.early_model.name, title, early, EARLY))
    return [*networks, Method(CLASSICAL, "classical", CLASSICAL, None)]


def prepare_tiles(
    experiment: Experiment,
    sources: Sequence[str | os.PathLike[str]],
    *,
    workers: int | None = None,
) -> Generator[Progress, None, Prepared]:
    """Prepare the dataset: the first tiles of SNOW with binary masks, split with the seed."""
    options = PrepareOptions(
        limit=experiment.limit, binary=True, split=SplitPlan(seed=experiment.seed), workers=workers
    )
    prepared = yield from prepare(sources, experiment.dataset, options)
    empty = [subset for subset in ("train", "val", "test") if not prepared.subsets.get(subset)]
    if empty:
        refusal = messages.empty_subsets(len(prepared.tiles), tuple(empty))
        raise InputError(refusal, path=experiment.dataset)
    return prepared


def train_network(
    experiment: Experiment,
    *,
    stop: StopRequest | None = None,
    listen: loop.Listener | None = None,
    echo: Callable[[str], None] = lambda line: None,
    workers: int = 1,
) -> bool:
    """Train with the paper's preset, keep the best of 20 epochs too; return whether it is done."""
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
    """Write missing masks and probability maps of the test tiles."""
    folder = experiment.predictions(method.name)
    missing = [
        image
        for image in subset_images(experiment.dataset, "test")
        if not all((folder / f"{image.stem}{end}.png").is_file() for end in ("", PROBABILITY))
    ]
    if not missing:
        return
    # The paper has no lower bound of Otsu's threshold.
    model = replace(open_model(method.model, precision="float32"), threshold_floor=0.0)
    outputs = Outputs(folder, probability=True, overwrite=True)
    steps = segment_files(missing, model, AS_IN_THE_PAPER, outputs, use_pixel_size=False)
    for result in (yield from steps):
        if result.error:
            raise InputError(messages.tile_not_segmented(result.error), path=result.source)


def score_tiles(experiment: Experiment, method: Method) -> Generator[Progress, None, Evaluation]:
    """Score a method on the test tiles: its masks, and its maps at Otsu's threshold and at 0.5."""
    folder = experiment.predictions(method.name)
    task = make_task(folder, experiment.dataset, probability=folder, subset="test")
    return (yield from evaluate(replace(task, name=method.title), otsu_level))
