"""``napari-snow-unet reproduce``: the paper's experiment, from the archives to the figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli import messages
from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.train import training_threads
from napari_snow_unet.cli.usage import BackendOption, DeviceOption

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.prepare.ledger import Prepared
    from napari_snow_unet.metrics.files.evaluation import Evaluation
    from napari_snow_unet.paper.experiment import Experiment
    from napari_snow_unet.paper.steps import Method


def reproduce(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="SNOW's archives or folders.", show_default=False),
    ],
    output_folder: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="Folder for the experiment: new, or of an interrupted one to continue.",
            show_default=False,
            rich_help_panel="Output",
        ),
    ],
    limit: Annotated[
        int, typer.Option(min=1, help="Use only the first N tiles.", rich_help_panel="Input")
    ] = 5000,
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the training tiles.", rich_help_panel="Training")
    ] = 50,
    seed: Annotated[
        int,
        typer.Option(
            min=0, help="Random seed of the split and the training.", rich_help_panel="Training"
        ),
    ] = 0,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes for preparing and threads for loading batches. (default: all cores)",
            show_default=False,
            rich_help_panel="Speed",
        ),
    ] = None,
) -> None:
    """Repeat the experiment of "Breast Cancer Nuclei Segmentation on the SNOW Dataset".

    The paper is by Joyce & Bunyak Ersoy. This prepares the dataset, trains the network, segments
    and scores the test tiles, and draws the figures. 5,000 tiles are split into 3,600 for training,
    400 for validation and 1,000 for testing; fewer are split 72/8/20 %. The folder then contains
    the dataset, the training run, predictions, figures, methods.md, and table.csv with the new
    scores beside the published ones. To continue an interrupted experiment, run the same command
    again.
    """
    from napari_snow_unet.paper import steps
    from napari_snow_unet.paper.experiment import begin_experiment
    from napari_snow_unet.paper.reproduction import table_rows, write_reproduction
    from napari_snow_unet.unet.engine.selection import select_device

    select_device(backend, device)
    experiment = begin_experiment(output_folder, limit=limit, epochs=epochs, seed=seed)
    prepared = follow(
        steps.prepare_tiles(experiment, sources, workers=workers),
        messages.PREPARING_LABEL,
        stopped=messages.RUN_AGAIN,
    )
    _show_tiles(prepared)
    _train(experiment, training_threads(workers))
    results = [_evaluate(experiment, method) for method in steps.methods(experiment)]
    rows = write_reproduction(experiment, sources, prepared, results)
    table(*table_rows(rows))
    for path in (experiment.table, experiment.methods, experiment.evaluation, experiment.figures):
        typer.echo(messages.WROTE_LABEL.format(path))


def _show_tiles(prepared: Prepared) -> None:
    typer.echo(prepared.text())
    for problem in prepared.problems:
        typer.echo(messages.not_used(str(problem)), err=True)


def _train(experiment: Experiment, threads: int) -> None:
    from napari_snow_unet.cli.training_display import training_display
    from napari_snow_unet.paper.steps import train_network
    from napari_snow_unet.unet.runs.folder import STOP, RunDirectory
    from napari_snow_unet.unet.runs.progress import StopRequest
    from napari_snow_unet.unet.runs.stopping import signals_ask, watched

    stop_file = experiment.training / STOP
    stop_file.unlink(missing_ok=True)
    stop = StopRequest(stop_file)
    run = RunDirectory(experiment.training)
    with signals_ask(stop), watched(run, stop), training_display() as (listen, echo):
        done = train_network(experiment, stop=stop, listen=listen, echo=echo, workers=threads)
    if not done:
        typer.echo(f"Stopped{stop.ending()} {messages.RUN_AGAIN}", err=True)
        raise typer.Exit(130)


def _evaluate(experiment: Experiment, method: Method) -> tuple[Method, Evaluation]:
    from napari_snow_unet.paper.steps import score_tiles, segment_tiles

    follow(
        segment_tiles(experiment, method),
        messages.SEGMENTING_LABEL.format(method.title),
        stopped=messages.RUN_AGAIN,
    )
    steps = score_tiles(experiment, method)
    return method, follow(
        steps, messages.COMPARING_LABEL.format(method.title), stopped=messages.RUN_AGAIN
    )
